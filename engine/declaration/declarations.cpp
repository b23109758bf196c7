#include "engine/declaration/declarations.hpp"

#include "engine/base/redact.hpp"
#include "engine/declaration/check.hpp"
#include "engine/declaration/setup.hpp"

namespace paperclip::declaration {

using storage::operator""_sql;

namespace {

[[noreturn]] void refuse(const Findings& findings) {
    std::string details;
    JsonWriter w(details);
    w.begin_object().key("findings").raw(to_json(findings)).end_object();
    throw Error(ErrorKind::unprocessable, "The declaration has errors:\n" + to_text(findings),
                "invalid_declaration", std::move(details));
}

void mask(std::vector<Change>& changes) {
    const auto mask_value = [](Json& value) {
        if (value.text.starts_with("{\"type\":\"plain\"")) {
            value = Json::trusted("\"" + std::string(Redactor::k_mask) + "\"");
        }
    };
    for (Change& change : changes) {
        for (FieldChange& field : change.fields) {
            if (!field.field.starts_with("env.")) continue;
            mask_value(field.from);
            mask_value(field.to);
        }
    }
}

[[noreturn]] void refuse_stale() {
    throw Error(ErrorKind::conflict,
                "The plan is stale: the company or the declaration changed since it was made; plan "
                "again",
                "stale_plan");
}

}  // namespace

Plan masked(Plan plan) {
    mask(plan.changes);
    return plan;
}

Drift masked(Drift drift) {
    mask(drift.changes);
    return drift;
}

Findings Declarations::validate(const Files& files) const {
    return check(read_source(files), files, services_.adapters);
}

Source Declarations::must_be_good(const Files& files) const {
    Source source = read_source(files);
    const Findings findings = check(source, files, services_.adapters);
    if (has_errors(findings)) refuse(findings);
    return source;
}

Plan Declarations::plan(const Files& files, const std::optional<Id>& company) {
    const Source source = must_be_good(files);
    return masked(Planning(services_, source.document, files, company).plan());
}

ApplyResult Declarations::apply(const Actor& actor, const Files& files,
                                const std::optional<Id>& company,
                                const std::optional<std::string>& fingerprint) {
    const Source source = must_be_good(files);
    const Planning planning(services_, source.document, files, company);
    const Plan& plan = planning.plan();
    if (fingerprint && *fingerprint != plan.fingerprint) refuse_stale();
    const auto& before = planning.state().applied;
    if (plan.empty() && before && before->document_hash == plan.document_hash) {
        return {masked(plan), *plan.company_id, plan.revision, false};
    }
    Applying applying(services_, actor, source.document, files, planning, stopper_);
    storage::Unit unit = services_.core.store.unit();
    applying.add_steps(unit);
    services_.core.store.submit(unit);
    applied_();
    return {masked(plan), applying.company(), plan.revision + 1, true};
}

Files Declarations::export_company(const Id& company) const {
    return export_state(services_, read_state(services_, {}, company));
}

Drift Declarations::drift(const Id& company) const {
    return masked(drift_of(read_state(services_, {}, company)));
}

Explanation Declarations::explain(const Files& files, const std::string& agent) const {
    return declaration::explain(must_be_good(files).document, agent);
}

runs::DeclaredSecrets Declarations::declared_secrets() const {
    runs::DeclaredSecrets declared;
    for (const Applied& applied : services_.core.store.all<Applied>("declaration.all"_sql, {})) {
        const Source source = read_source({{std::string(k_company_file), applied.document}});
        for (const SecretEntry& secret : source.document.secrets) {
            declared[applied.company_id][secret.name] = secret.source;
        }
    }
    return declared;
}

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<Applied>();
    catalogue.add_struct<DeclaredObject>();
    catalogue.add(storage::declaration_sql());
}

}  // namespace paperclip::declaration
