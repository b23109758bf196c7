#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::declaration {

enum class LimitUnit { dollars, tokens, runs, minutes, unlimited };
enum class LimitWindow { run, day, month, lifetime };
BOOST_DESCRIBE_ENUM(LimitWindow, run, day, month, lifetime)

/// One limit of a budget as people write it: "$5/month", "2M tokens/day", "50 runs/day", "90
/// min/day" or "unlimited" (no monthly limit; never assumed).
struct Limit {
    LimitUnit unit = LimitUnit::dollars;
    std::int64_t amount = 0;  ///< millionths of a dollar, or a count; of minutes, minutes
    LimitWindow window = LimitWindow::month;

    friend bool operator==(const Limit&, const Limit&) = default;
};

/// A budget: one limit, or a list of them with at most one for each unit and window.
struct Budget {
    std::vector<Limit> limits;

    [[nodiscard]] const Limit* find(LimitUnit unit, LimitWindow window) const;
    [[nodiscard]] bool is_unlimited() const {
        return find(LimitUnit::unlimited, LimitWindow::month) != nullptr;
    }
    /// This budget, with those limits of `below` that it says nothing about. "unlimited" speaks
    /// about every limit but that of a run.
    [[nodiscard]] Budget over(const Budget& below) const;
    friend bool operator==(const Budget&, const Budget&) = default;
};

/// What a further budget bounds: "company", "team:AGENT" (the agent and all below), "project:SLUG"
/// or "goal:SLUG".
struct BudgetScope {
    std::string kind;  ///< company, team, project, goal
    std::string slug;  ///< empty for the company

    friend bool operator==(const BudgetScope&, const BudgetScope&) = default;
};

/// An entry of `budgets:`.
struct BudgetEntry {
    BudgetScope scope;
    Limit limit;
    std::optional<std::int64_t> warn_percent;
};
BOOST_DESCRIBE_STRUCT(BudgetEntry, (), (scope, limit, warn_percent))

}  // namespace paperclip::declaration

template <>
struct paperclip::TextForm<paperclip::declaration::Limit> {
    static std::optional<declaration::Limit> parse(std::string_view text);
    static std::string format(const declaration::Limit& limit);
    static constexpr std::string_view expected =
        "a limit such as $5/month, $2/run, 2M tokens/day, 50 runs/day or unlimited";
    static constexpr std::string_view pattern =
        "^(unlimited|\\$[0-9]+(\\.[0-9]{1,6})?/(run|day|month|lifetime)|[0-9]+[kM]? "
        "(tokens|runs|min)/(run|day|month|lifetime))$";
};
template <>
struct paperclip::TextForm<paperclip::declaration::BudgetScope> {
    static std::optional<declaration::BudgetScope> parse(std::string_view text);
    static std::string format(const declaration::BudgetScope& scope);
    static constexpr std::string_view expected =
        "company, team:AGENT, project:PROJECT or goal:GOAL";
    static constexpr std::string_view pattern = "^(company|(team|project|goal):[a-z0-9-]+)$";
};
template <>
struct paperclip::OwnType<paperclip::declaration::Budget> {
    static const Type& get();
};
template <>
struct paperclip::Rules<paperclip::declaration::BudgetEntry> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"scope", {.required = true, .doc = "company, team:AGENT, project:PROJECT or goal:GOAL"}},
        {"limit", {.required = true}},
        {"warn_percent", {.min = 1, .max = 100}},
    });
};
