#pragma once

#include "engine/base/actor.hpp"
#include "engine/base/described.hpp"
#include "engine/base/redact.hpp"
#include "engine/storage/sql_file.hpp"
#include "engine/storage/unit.hpp"

#include <optional>
#include <string>

namespace paperclip::storage {
const SqlModule& journal_sql();
}

namespace paperclip::journal {

/// The type of a record that tells of an act of somebody: the activity log is made of these.
constexpr std::string_view k_activity = "activity.logged";

/// One record of the journal. `type` is the live event that it becomes; an activity also has an
/// action ("issue.created") on an entity. `details` is JSON and holds no secrets.
struct Record {
    Id company_id;
    std::int64_t seq = 0;  ///< 1, 2, 3, … in each company; given by the relay
    Id record_id;
    std::string type;
    Time at;
    std::string actor_type;
    std::string actor_id;
    std::string action;
    std::string entity_type;
    std::string entity_id;
    std::optional<Id> agent_id;
    std::optional<Id> run_id;
    std::optional<std::string> responsible_user_id;
    std::optional<Json> details;
};
BOOST_DESCRIBE_STRUCT(Record, (),
                      (company_id, seq, record_id, type, at, actor_type, actor_id, action,
                       entity_type, entity_id, agent_id, run_id, responsible_user_id, details))

class Relay;

/// Writes records into units. One for the engine; thread-safe.
class Journal {
 public:
    /// What records tell has passed `redactor`.
    Journal(const Clock& clock, Ids& ids, const Redactor& redactor)
        : clock_(clock), ids_(ids), redactor_(redactor) {}

    /// The first `max_bytes` of a text that a record tells of: cut after what must not be told is
    /// gone, or the rest of a secret would be no secret to the redactor.
    [[nodiscard]] std::string snippet(std::string_view text, std::size_t max_bytes) const;

    struct Activity {
        Id company_id;
        std::string_view action;
        std::string_view entity_type;
        std::string entity_id;
        std::string details = {};  ///< JSON object, or empty
    };
    /// `actor` did something.
    Record activity(storage::Unit& unit, const Actor& actor, const Activity& activity) const;

    /// The state of an entity changed: a live event of `type` with that payload (a JSON object).
    void event(storage::Unit& unit, const Id& company_id, std::string_view type,
               std::string_view entity_type, std::string entity_id, std::string payload) const;

    /// Where appended records are announced once they are durable; before anything is appended.
    void announce_to(Relay& relay) { relay_ = &relay; }

 private:
    void append(storage::Unit& unit, const Record& record) const;

    const Clock& clock_;
    Ids& ids_;
    const Redactor& redactor_;
    Relay* relay_ = nullptr;
};

}  // namespace paperclip::journal
