#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>

namespace paperclip::work {

enum class GoalLevel { company, team, agent, task };
BOOST_DESCRIBE_ENUM(GoalLevel, company, team, agent, task)

enum class GoalStatus { planned, active, achieved, cancelled };
BOOST_DESCRIBE_ENUM(GoalStatus, planned, active, achieved, cancelled)

struct Goal {
    Id id;
    Id company_id;
    std::string title;
    std::optional<std::string> description;
    GoalLevel level = GoalLevel::task;
    GoalStatus status = GoalStatus::planned;
    std::optional<Id> parent_id;
    std::optional<Id> owner_agent_id;
    std::optional<std::string> target_date;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(Goal, (),
                      (id, company_id, title, description, level, status, parent_id, owner_agent_id,
                       target_date, created_at, updated_at))

}  // namespace paperclip::work

template <>
struct paperclip::Rules<paperclip::work::Goal> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"id", {.access = Access::engine}},
        {"company_id", {.access = Access::engine}},
        {"title", {.required = true, .min = 1, .max = 500}},
        {"description", {.max = 50'000}},
        {"target_date", {.format = "date"}},
        {"created_at", {.access = Access::engine}},
        {"updated_at", {.access = Access::engine}},
    });
};
