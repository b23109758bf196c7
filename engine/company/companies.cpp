#include "engine/company/companies.hpp"

#include "engine/base/time_zones.hpp"
#include "engine/company/setup.hpp"

namespace paperclip::company {

using storage::operator""_sql;

namespace {

void check(const Company& company) {
    if (!find_time_zone(company.timezone)) {
        throw Error(ErrorKind::unprocessable,
                    "timezone: expected an IANA name such as Europe/Berlin, found \"" +
                        company.timezone + "\"");
    }
}

}  // namespace

std::string issue_prefix_of(std::string_view name) {
    std::string prefix;
    for (const char c : name) {
        const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        if (upper >= 'A' && upper <= 'Z') prefix += upper;
        if (prefix.size() == 3) break;
    }
    return prefix.empty() ? "CMP" : prefix;
}

std::string Companies::free_prefix(const std::string& name) {
    std::string prefix = issue_prefix_of(name);
    while (core_.store.integer("company.prefix_is_taken"_sql, {{"issue_prefix", prefix}})) {
        prefix += 'A';
    }
    return prefix;
}

void Companies::add_create(storage::Unit& unit, const Actor& actor, Company& company) {
    check(company);
    company.id = core_.ids.next();
    company.issue_prefix = free_prefix(company.name);
    company.created_at = company.updated_at = core_.clock.now();
    if (company.default_responsible_user_id.empty()) {
        company.default_responsible_user_id = actor.is_board() ? actor.user_id : "local-board";
    }
    unit.add_row("company.insert"_sql, company).taken([] {
        throw Error(ErrorKind::conflict, "Another company took the same issue prefix; try again");
    });
    if (company.budget_monthly.micros > 0) {
        ledger_.set_monthly_limit(unit, actor, company.id, {}, company.budget_monthly);
    }
    std::string details;
    JsonWriter(details).begin_object().member("name", company.name).end_object();
    core_.journal.activity(unit, actor,
                           {company.id, "company.created", "company", company.id.str(), details});
}

Company Companies::create(const Actor& actor, const Patch<Company>& input) {
    Company company = input.value;
    storage::Unit unit = core_.store.unit();
    add_create(unit, actor, company);
    core_.store.submit(unit);
    return company;
}

void Companies::fill(Company& company) {
    company.spent_monthly = ledger_.spent_this_month(company.id, {});
}

std::optional<Company> Companies::find(const Id& id) {
    auto company = core_.store.one<Company>("company.by_id"_sql, {{"id", id}});
    if (company) fill(*company);
    return company;
}

Company Companies::get(const Id& id) {
    if (auto company = find(id)) return *company;
    throw Error(ErrorKind::not_found, "Company not found");
}

bool Companies::exists(const Id& id) {
    {
        const std::shared_lock lock(mutex_);
        if (known_.contains(id)) return true;
    }
    if (!core_.store.integer("company.exists"_sql, {{"id", id}})) return false;
    const std::lock_guard lock(mutex_);
    known_.insert(id);
    return true;
}

Companies::Standing Companies::standing(const Id& id) {
    std::optional<Standing> standing;
    core_.store.each("company.standing"_sql, {{"id", id}}, [&](storage::Row row) {
        standing.emplace();
        type_of<CompanyStatus>().from_column(row[0], &standing->status);
        type_of<std::optional<std::string>>().from_column(row[1], &standing->pause_reason);
    });
    if (!standing) throw Error(ErrorKind::not_found, "Company not found");
    return *standing;
}

std::vector<Company> Companies::list() {
    auto companies = core_.store.all<Company>("company.list"_sql, {});
    for (Company& company : companies) fill(company);
    return companies;
}

Company Companies::patch(const Actor& actor, const Id& id, const Patch<Company>& input) {
    Company after = get(id);
    storage::Unit unit = core_.store.unit();
    add_patch(unit, actor, after, input);
    if (input.has(&Company::budget_monthly)) {
        ledger_.set_monthly_limit(unit, actor, id, {}, input.value.budget_monthly);
    }
    core_.store.submit(unit);
    fill(after);
    return after;
}

void Companies::add_patch(storage::Unit& unit, const Actor& actor, Company& company,
                          const Patch<Company>& input) {
    Company after = company;
    input.apply_to(after);
    check(after);
    Patch<Company> change = input;
    change.set(&Company::updated_at, core_.clock.now());
    unit.add_patch("company.patch"_sql, change, {}, {{"id", company.id}})
        .into(company)
        .otherwise([] { throw Error(ErrorKind::not_found, "Company not found"); });
    core_.journal.activity(
        unit, actor,
        {company.id, "company.updated", "company", company.id.str(), changed_members(input)});
}

void add_sql(storage::Catalogue& catalogue) {
    catalogue.add_struct<Company>();
    catalogue.add(storage::company_sql());
}

}  // namespace paperclip::company
