#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>

namespace paperclip::company {

enum class CompanyStatus { active, paused, archived };
BOOST_DESCRIBE_ENUM(CompanyStatus, active, paused, archived)

struct Company {
    Id id;
    std::string name;
    std::optional<std::string> description;
    CompanyStatus status = CompanyStatus::active;
    std::optional<std::string> pause_reason;
    std::optional<Time> paused_at;
    std::string issue_prefix;        ///< of its issues' identifiers: "ACM" in ACM-12
    std::int64_t issue_counter = 0;  ///< the last issue number given out
    Money budget_monthly;            ///< 0: no limit
    Money spent_monthly;             ///< since the month began in the company's time zone
    std::int64_t attachment_max_bytes = 10 << 20;
    std::string default_responsible_user_id;
    bool require_board_approval_for_new_agents = false;
    Json interaction_resolver_governance;
    bool feedback_data_sharing_enabled = false;
    std::optional<Time> feedback_data_sharing_consent_at;
    std::optional<std::string> feedback_data_sharing_consent_by_user_id;
    std::optional<std::string> feedback_data_sharing_terms_version;
    std::optional<std::string> brand_color;
    std::optional<Id> logo_asset_id;
    std::optional<std::string> logo_url;
    std::string timezone = "UTC";  ///< IANA: of its heartbeats, quiet hours and budget months
    std::optional<std::int64_t> max_concurrent_runs;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(Company, (),
                      (id, name, description, status, pause_reason, paused_at, issue_prefix,
                       issue_counter, budget_monthly, spent_monthly, attachment_max_bytes,
                       default_responsible_user_id, require_board_approval_for_new_agents,
                       interaction_resolver_governance, feedback_data_sharing_enabled,
                       feedback_data_sharing_consent_at, feedback_data_sharing_consent_by_user_id,
                       feedback_data_sharing_terms_version, brand_color, logo_asset_id, logo_url,
                       timezone, max_concurrent_runs, created_at, updated_at))

/// "ACM" of "Acme": the first three letters A–Z of the name, or CMP when it has none.
std::string issue_prefix_of(std::string_view name);

}  // namespace paperclip::company

template <>
struct paperclip::Rules<paperclip::company::Company> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"name", {.required = true, .min = 1, .max = 200}},
        {"description", {.max = 20'000}},
        {"status", {.access = Access::engine}},
        {"pause_reason", {.access = Access::engine}},
        {"paused_at", {.access = Access::engine}},
        {"issue_prefix", {.access = Access::engine}},
        {"issue_counter", {.access = Access::engine}},
        {"budget_monthly", {.wire = "budgetMonthlyCents"}},
        {"spent_monthly", {.access = Access::engine, .wire = "spentMonthlyCents", .column = "0"}},
        {"attachment_max_bytes", {.min = 1, .max = 1'073'741'824}},
        {"default_responsible_user_id", {.min = 1, .max = 200}},
        {"interaction_resolver_governance", {.access = Access::engine, .column = "'{}'"}},
        {"feedback_data_sharing_enabled", {.access = Access::engine}},
        {"feedback_data_sharing_consent_at", {.access = Access::engine}},
        {"feedback_data_sharing_consent_by_user_id", {.access = Access::engine}},
        {"feedback_data_sharing_terms_version", {.access = Access::engine}},
        {"brand_color", {.format = "color"}},
        {"logo_asset_id", {.access = Access::engine}},
        {"logo_url", {.access = Access::engine, .column = "null"}},
        {"max_concurrent_runs", {.min = 1, .max = 10'000}},
        {"created_at", {.access = Access::engine}},
        {"updated_at", {.access = Access::engine}},
    });
};
