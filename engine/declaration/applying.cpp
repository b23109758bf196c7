#include "engine/declaration/applying.hpp"

#include "engine/base/files.hpp"

#include <algorithm>

namespace paperclip::declaration {

using agents::Agent;
using storage::operator""_sql;

Applying::Applying(const Services& services, const Actor& actor, const Document& document,
                   const Files& files, const Planning& planning, Stopper& stopper)
    : services_(services),
      actor_(actor),
      document_(document),
      files_(files),
      planning_(planning),
      stopper_(stopper),
      directory_(services.core.store) {
    for (const Target& target : planning.targets()) {
        targets_[{target.kind, target.slug}] = &target;
        if (target.id) ids_[{target.kind, target.slug}] = *target.id;
    }
}

const Target& Applying::target(ObjectKind kind, const std::string& slug) const {
    return *targets_.at({kind, slug});
}

std::optional<Id> Applying::id_of(ObjectKind kind, const std::optional<std::string>& slug) const {
    if (!slug) return std::nullopt;
    const auto found = ids_.find({kind, *slug});
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void Applying::add_steps(storage::Unit& unit) {
    unit_ = &unit;
    add_company();
    add_removed_agents();
    for (const EffectiveAgent& agent : planning_.agents()) {
        add_agent(target(ObjectKind::agent, agent.slug), agent);
    }
    add_goals();
    add_projects();
    add_seeds();
    add_removed_work();
    for (const Id& agent : moved_agents_) agents::Agents::add_chart_guard(unit, agent);
    for (const Id& goal : moved_goals_) work::Goals::add_tree_guard(unit, goal);
    add_records();
}

void Applying::add_company() {
    const Target& company = target(ObjectKind::company, document_.slug);
    const Change* change = planning_.change_of(company);
    if (!company.id) {
        for (const auto& [name, value] : company.declared) set_field(company_, name, value);
        services_.companies.add_create(*unit_, actor_, company_);
        ids_[{ObjectKind::company, company.slug}] = company_.id;
        return;
    }
    company_ = *planning_.state().company;
    if (change == nullptr) return;
    company::Company after = company_;
    Patch<company::Company> patch;
    for (const FieldChange& field : change->fields) {
        set_field(after, field.field, field.to.text);
        if (field.field == "name") patch.set(&company::Company::name, after.name);
        if (field.field == "mission") patch.set(&company::Company::description, after.description);
        if (field.field == "timezone") patch.set(&company::Company::timezone, after.timezone);
        if (field.field != "budget.month") continue;
        const Money amount = after.budget_monthly;
        unit_->add("declared.set_company_budget"_sql,
                   {{"id", company_.id}, {"amount", amount}, {"now", services_.core.clock.now()}});
        services_.budgets.add_policy(*unit_, actor_, company_.id, governance::BudgetScope::company,
                                     company_.id, governance::BudgetWindow::month,
                                     amount.micros > 0 ? std::optional(amount) : std::nullopt);
    }
    if (patch.present.any()) services_.companies.add_patch(*unit_, actor_, company_, patch);
}

/// First, so that their names are free for others.
void Applying::add_removed_agents() {
    for (const Planning::Gone& gone : planning_.gone()) {
        if (gone.kind != ObjectKind::agent || !gone.remove) continue;
        Agent agent = planning_.state().agents.at(gone.id);
        services_.agents.add_terminate(*unit_, actor_, agent);
        stopper_.add_stop(*unit_, agent);
        agent.status = agents::AgentStatus::terminated;
        directory_.put(agent);
    }
}

void Applying::add_agent(const Target& target, const EffectiveAgent& agent) {
    const Change* change = planning_.change_of(target);
    if (!target.id) return add_new_agent(target, agent);
    if (change != nullptr) add_agent_change(target, agent, *change);
}

void Applying::add_new_agent(const Target& target, const EffectiveAgent& entry) {
    const AgentDraft& draft = planning_.draft(target.slug);
    Agent agent = draft.agent;
    agent.company_id = company_.id;
    agent.reports_to = id_of(ObjectKind::agent, entry.settings.reports_to);
    services_.agents.add_create(*unit_, actor_, agent, directory_);
    ids_[{ObjectKind::agent, target.slug}] = agent.id;
    if (draft.run_limit) {
        services_.budgets.add_policy(*unit_, actor_, company_.id, governance::BudgetScope::agent,
                                     agent.id, governance::BudgetWindow::run, draft.run_limit);
    }
    write_instructions(agent.id, entry);
}

void Applying::add_agent_change(const Target& target, const EffectiveAgent& entry,
                                const Change& change) {
    const AgentDraft& draft = planning_.draft(target.slug);
    const Agent& after = draft.agent;
    Patch<Agent> patch;
    bool instructions = false;
    for (const FieldChange& field : change.fields) {
        const std::string& name = field.field;
        if (name == "name") patch.set(&Agent::name, after.name);
        if (name == "title") patch.set(&Agent::title, after.title);
        if (name == "role") patch.set(&Agent::role, after.role);
        if (name == "capabilities") patch.set(&Agent::capabilities, after.capabilities);
        if (name == "permissions") patch.set(&Agent::permissions, after.permissions);
        if (name == "reportsTo") {
            patch.set(&Agent::reports_to, id_of(ObjectKind::agent, entry.settings.reports_to));
            moved_agents_.push_back(*target.id);
        }
        if (name.starts_with("adapter.") || name.starts_with("env.")) {
            patch.set(&Agent::adapter_type, after.adapter_type);
            patch.set(&Agent::adapter_config, after.adapter_config);
        }
        if (name.starts_with("heartbeat.") || name.starts_with("limits.")) {
            patch.set(&Agent::runtime_config, after.runtime_config);
        }
        instructions = instructions || name == "instructions";
    }
    if (patch.present.any()) {
        services_.agents.add_patch(*unit_, actor_, planning_.state().agents.at(*target.id), patch,
                                   directory_);
    }
    add_budget(*target.id, draft, change);
    if (instructions) write_instructions(*target.id, entry);
}

void Applying::add_budget(const Id& agent, const AgentDraft& draft, const Change& change) {
    for (const FieldChange& field : change.fields) {
        if (field.field == "budget.month") {
            const Money amount = draft.agent.budget_monthly;
            unit_->add("declared.set_agent_budget"_sql,
                       {{"id", agent}, {"amount", amount}, {"now", services_.core.clock.now()}});
            services_.budgets.add_policy(*unit_, actor_, company_.id,
                                         governance::BudgetScope::agent, agent,
                                         governance::BudgetWindow::month,
                                         amount.micros > 0 ? std::optional(amount) : std::nullopt);
        }
        if (field.field == "budget.run") {
            services_.budgets.add_policy(*unit_, actor_, company_.id,
                                         governance::BudgetScope::agent, agent,
                                         governance::BudgetWindow::run, draft.run_limit);
        }
    }
}

void Applying::write_instructions(const Id& agent, const EffectiveAgent& entry) {
    const auto file = instructions_file(services_, agent);
    if (!entry.settings.instructions) {
        std::error_code ignored;
        std::filesystem::remove(file, ignored);
        return;
    }
    make_private_folder(file.parent_path());
    write_file_durably(file, files_.at(*entry.settings.instructions));
}

void Applying::add_records() {
    const State& state = planning_.state();
    for (const Planning::Gone& gone : planning_.gone()) {
        unit_->add("declared.drop"_sql,
                   {{"company_id", company_.id}, {"kind", gone.kind}, {"slug", gone.slug}});
    }
    for (const Target& target : planning_.targets()) {
        const auto id = ids_.find({target.kind, target.slug});
        if (id == ids_.end()) continue;
        const Managed* before = state.find(target.kind, target.slug);
        if (before != nullptr && before->id == id->second && before->applied == target.declared) {
            continue;
        }
        DeclaredObject object{company_.id, target.kind, target.slug, id->second, {}};
        object.fields.text.clear();
        JsonWriter w(object.fields.text);
        w.begin_object();
        for (const auto& [name, value] : target.declared) w.key(name).raw(value);
        w.end_object();
        unit_->add_row("declared.put"_sql, object);
    }
    const Plan& plan = planning_.plan();
    Applied applied{company_.id,        document_.slug,
                    plan.revision + 1,  files_.at(std::string(k_company_file)),
                    plan.document_hash, services_.core.clock.now(),
                    actor_.id()};
    const auto stale = [] {
        throw Error(ErrorKind::conflict,
                    "Somebody else applied a declaration meanwhile; plan again", "stale_plan");
    };
    if (state.applied) {
        applied.revision = plan.revision;
        unit_->add_row("declaration.update"_sql, applied).otherwise(stale);
    } else {
        unit_->add_row("declaration.insert"_sql, applied).otherwise(stale).taken(stale);
    }
    std::string details;
    JsonWriter(details)
        .begin_object()
        .member("slug", document_.slug)
        .member("revision", plan.revision + 1)
        .member("documentHash", plan.document_hash)
        .member("changes", static_cast<std::int64_t>(plan.changes.size()))
        .end_object();
    services_.core.journal.activity(
        *unit_, actor_,
        {company_.id, "company.declaration_applied", "company", company_.id.str(), details});
}

}  // namespace paperclip::declaration
