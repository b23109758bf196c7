#include "engine/journal/journal.hpp"

#include "engine/base/utf8.hpp"
#include "engine/journal/relay.hpp"
#include "engine/journal/setup.hpp"

namespace paperclip::journal {

void Journal::append(storage::Unit& unit, const Record& record) const {
    using storage::operator""_sql;
    unit.add_row("journal.append"_sql, record);
    if (relay_ != nullptr) unit.after([relay = relay_] { relay->wake(); });
}

std::string Journal::snippet(std::string_view text, std::size_t max_bytes) const {
    return std::string(utf8_prefix(redactor_.scrub(text), max_bytes));
}

Record Journal::activity(storage::Unit& unit, const Actor& actor, const Activity& activity) const {
    Record record;
    record.company_id = activity.company_id;
    record.record_id = ids_.next();
    record.type = k_activity;
    record.at = clock_.now();
    record.actor_type = word(actor.type);
    record.actor_id = actor.id();
    record.action = activity.action;
    record.entity_type = activity.entity_type;
    record.entity_id = activity.entity_id;
    record.agent_id = actor.agent_id;
    record.run_id = actor.run_id;
    if (!actor.user_id.empty()) record.responsible_user_id = actor.user_id;
    if (!activity.details.empty()) {
        record.details = redactor_.scrub(Json::trusted(activity.details));
    }
    append(unit, record);
    return record;
}

void Journal::event(storage::Unit& unit, const Id& company_id, std::string_view type,
                    std::string_view entity_type, std::string entity_id,
                    std::string payload) const {
    Record record;
    record.company_id = company_id;
    record.record_id = ids_.next();
    record.type = type;
    record.at = clock_.now();
    record.actor_type = word(ActorType::system);
    record.actor_id = "system";
    record.entity_type = entity_type;
    record.entity_id = std::move(entity_id);
    record.details = redactor_.scrub(Json::trusted(std::move(payload)));
    append(unit, record);
}

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<Record>();
    catalogue.add(storage::journal_sql());
}

}  // namespace paperclip::journal
