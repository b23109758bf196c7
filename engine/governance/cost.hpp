#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>

namespace paperclip::governance {

enum class BillingType {
    metered_api,
    subscription_included,
    subscription_overage,
    credits,
    fixed,
    unknown
};
BOOST_DESCRIBE_ENUM(BillingType, metered_api, subscription_included, subscription_overage, credits,
                    fixed, unknown)

enum class CostStatus { reported, unpriced };
BOOST_DESCRIBE_ENUM(CostStatus, reported, unpriced)

/// Something that was spent.
struct CostEvent {
    Id id;
    Id company_id;
    Id agent_id;
    std::optional<Id> issue_id;
    std::optional<Id> project_id;
    std::optional<Id> goal_id;
    std::optional<Id> heartbeat_run_id;
    std::optional<std::string> billing_code;
    std::string provider;
    std::string biller;
    BillingType billing_type = BillingType::unknown;
    CostStatus cost_status = CostStatus::reported;
    std::string model;
    std::int64_t input_tokens = 0;
    std::int64_t cached_input_tokens = 0;
    std::int64_t output_tokens = 0;
    Money cost;
    Time occurred_at;
    Time created_at;
};
BOOST_DESCRIBE_STRUCT(CostEvent, (),
                      (id, company_id, agent_id, issue_id, project_id, goal_id, heartbeat_run_id,
                       billing_code, provider, biller, billing_type, cost_status, model,
                       input_tokens, cached_input_tokens, output_tokens, cost, occurred_at,
                       created_at))

struct CostSummary {
    Id company_id;
    Money spend;
    Money budget;
    double utilization_percent = 0;
};
BOOST_DESCRIBE_STRUCT(CostSummary, (), (company_id, spend, budget, utilization_percent))

/// The share of `budget` that `spend` is, in percent with two decimals; 0 without a budget.
double percent_of(Money spend, Money budget);

}  // namespace paperclip::governance

template <>
struct paperclip::Rules<paperclip::governance::CostEvent> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"company_id", {.access = Access::engine}},
        {"agent_id", {.required = true}},
        {"billing_code", {.max = 200}},
        {"provider", {.required = true, .min = 1, .max = 100}},
        {"biller", {.max = 100}},
        {"model", {.required = true, .min = 1, .max = 200}},
        {"input_tokens", {.min = 0}},
        {"cached_input_tokens", {.min = 0}},
        {"output_tokens", {.min = 0}},
        {"cost", {.required = true, .wire = "costCents"}},
        {"occurred_at", {.required = true}},
        {"created_at", {.access = Access::engine}},
    });
};
template <>
struct paperclip::Rules<paperclip::governance::CostSummary> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"spend", {.wire = "spendCents"}},
        {"budget", {.wire = "budgetCents"}},
    });
};
