#pragma once

#include "engine/declaration/state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace paperclip::declaration {

enum class Act {
    create,
    adopt,   ///< what was made at run time is declared from now on
    update,  ///< of fields
    remove,  ///< from work: an agent is terminated, a goal cancelled, a project archived
    forget,  ///< declared no longer; stays as it is
};
BOOST_DESCRIBE_ENUM(Act, create, adopt, update, remove, forget)

/// One field that apply sets. `drift`: somebody changed it since the last apply, which apply undoes
/// because the field is declared.
struct FieldChange {
    std::string field;
    Json from = Json::trusted("null");
    Json to = Json::trusted("null");
    bool drift = false;
};
BOOST_DESCRIBE_STRUCT(FieldChange, (), (field, from, to, drift))

struct Change {
    Act act = Act::update;
    ObjectKind kind = ObjectKind::agent;
    std::string slug;
    std::optional<std::string> renamed_from;
    std::vector<FieldChange> fields;
};
BOOST_DESCRIBE_STRUCT(Change, (), (act, kind, slug, renamed_from, fields))

/// What the company can come to when everything that may happen happens.
struct WorstCase {
    std::optional<Money> monthly_before;  ///< nothing: unlimited
    std::optional<Money> monthly_after;
    std::int64_t wakes_a_day_before = 0;
    std::int64_t wakes_a_day_after = 0;
    std::vector<std::string> hosts;      ///< that agents may reach, as declared
    std::vector<std::string> new_hosts;  ///< of those, what the last declaration had not
};
BOOST_DESCRIBE_STRUCT(WorstCase, (),
                      (monthly_before, monthly_after, wakes_a_day_before, wakes_a_day_after, hosts,
                       new_hosts))

/// What apply would do now. Data: it holds nothing that changes when the company does.
struct Plan {
    std::string company;  ///< slug
    std::optional<Id> company_id;
    std::int64_t revision = 0;  ///< that it starts from; 0: never applied
    std::string document_hash;
    std::string fingerprint;  ///< of all of it: apply refuses a plan that it would not make now
    std::vector<Change> changes;
    WorstCase worst_case;
    std::vector<std::string> notes;      ///< a line each: defaults taken, what is not in force
    std::vector<std::string> unmanaged;  ///< agents hired at run time, by key

    [[nodiscard]] bool empty() const { return changes.empty(); }
};
BOOST_DESCRIBE_STRUCT(Plan, (),
                      (company, company_id, revision, document_hash, fingerprint, changes,
                       worst_case, notes, unmanaged))

/// The plan in plain words and money.
std::string to_text(const Plan& plan);

}  // namespace paperclip::declaration

template <>
struct paperclip::Rules<paperclip::declaration::WorstCase> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"monthly_before", {.wire = "monthlyBeforeCents"}},
        {"monthly_after", {.wire = "monthlyAfterCents"}},
    });
};
