#include "engine/declaration/budget.hpp"

#include "engine/declaration/values.hpp"

#include <algorithm>
#include <charconv>

namespace paperclip {

using declaration::Budget;
using declaration::BudgetScope;
using declaration::Limit;
using declaration::LimitUnit;
using declaration::LimitWindow;

namespace declaration {
namespace {

constexpr std::int64_t k_largest_count = 1'000'000'000'000;

std::string_view unit_word(LimitUnit unit) {
    switch (unit) {
        case LimitUnit::tokens:
            return "tokens";
        case LimitUnit::runs:
            return "runs";
        case LimitUnit::minutes:
            return "min";
        case LimitUnit::dollars:
        case LimitUnit::unlimited:
            break;
    }
    return "";
}

/// "250", "40k" or "2M".
std::optional<std::int64_t> parse_count(std::string_view text) {
    std::int64_t factor = 1;
    if (text.ends_with('k')) factor = 1'000;
    if (text.ends_with('M')) factor = 1'000'000;
    if (factor > 1) text.remove_suffix(1);
    std::int64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, count);
    if (text.empty() || error != std::errc{} || at != end || count < 1) return std::nullopt;
    if (count > k_largest_count / factor) return std::nullopt;
    return count * factor;
}

std::string format_count(std::int64_t count) {
    if (count % 1'000'000 == 0) return std::to_string(count / 1'000'000) + "M";
    if (count % 1'000 == 0) return std::to_string(count / 1'000) + "k";
    return std::to_string(count);
}

/// One limit, or a list of limits.
class BudgetType final : public detail::ContainerType {
 public:
    void write(std::string& out, const void* value) const override {
        const auto& limits = static_cast<const Budget*>(value)->limits;
        if (limits.size() == 1) return type_of<Limit>().write(out, &limits.front());
        type_of<std::vector<Limit>>().write(out, &limits);
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        Budget budget;
        if (node.shape() != Node::Shape::list) {
            const std::size_t before = problems.list().size();
            type_of<Limit>().read(node, &budget.limits.emplace_back(), problems);
            if (problems.list().size() != before) return;
        } else {
            const std::size_t before = problems.list().size();
            type_of<std::vector<Limit>>().read(node, &budget.limits, problems);
            if (problems.list().size() != before) return;
            if (!is_unambiguous(budget, node, problems)) return;
        }
        *static_cast<Budget*>(value) = std::move(budget);
    }
    [[nodiscard]] Schema schema(SchemaSet& set) const override {
        Schema schema;
        schema.any_of.push_back(type_of<Limit>().schema(set));
        schema.any_of.push_back(type_of<std::vector<Limit>>().schema(set));
        return schema;
    }

 private:
    static bool is_unambiguous(const Budget& budget, const Node& node, Problems& problems) {
        bool good = true;
        node.each_item([&](std::size_t i, const Node& item) {
            const Limit& limit = budget.limits[i];
            if (budget.find(limit.unit, limit.window) == &limit) return;
            const Problems::Scope scope(problems, std::to_string(i));
            problems.add(item.mark(), "duplicate",
                         "a second limit for the same unit and window; keep one of them");
            good = false;
        });
        return good;
    }
};

}  // namespace

const Limit* Budget::find(LimitUnit unit, LimitWindow window) const {
    const auto found = std::find_if(limits.begin(), limits.end(), [&](const Limit& limit) {
        return limit.unit == unit && limit.window == window;
    });
    return found == limits.end() ? nullptr : &*found;
}

Budget Budget::over(const Budget& below) const {
    Budget merged = *this;
    for (const Limit& limit : below.limits) {
        if (find(limit.unit, limit.window) != nullptr) continue;
        if (is_unlimited() && limit.window != LimitWindow::run) continue;
        const bool lifted = limit.unit == LimitUnit::unlimited &&
                            find(LimitUnit::dollars, LimitWindow::month) != nullptr;
        if (!lifted) merged.limits.push_back(limit);
    }
    return merged;
}

}  // namespace declaration

std::optional<Limit> TextForm<Limit>::parse(std::string_view text) {
    if (text == "unlimited") return Limit{LimitUnit::unlimited, 0, LimitWindow::month};
    const auto slash = text.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto window = parse_word<LimitWindow>(text.substr(slash + 1));
    const auto amount = text.substr(0, slash);
    if (!window) return std::nullopt;
    if (amount.starts_with('$')) {
        const auto money = parse_dollars(amount);
        if (!money || money->micros <= 0) return std::nullopt;
        return Limit{LimitUnit::dollars, money->micros, *window};
    }
    const auto space = amount.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto count = declaration::parse_count(amount.substr(0, space));
    if (!count) return std::nullopt;
    for (const LimitUnit unit : {LimitUnit::tokens, LimitUnit::runs, LimitUnit::minutes}) {
        if (amount.substr(space + 1) == declaration::unit_word(unit)) {
            return Limit{unit, *count, *window};
        }
    }
    return std::nullopt;
}

std::string TextForm<Limit>::format(const Limit& limit) {
    if (limit.unit == LimitUnit::unlimited) return "unlimited";
    const std::string window = "/" + std::string(word(limit.window));
    if (limit.unit == LimitUnit::dollars) return to_dollars(Money{limit.amount}) + window;
    return declaration::format_count(limit.amount) + " " +
           std::string(declaration::unit_word(limit.unit)) + window;
}

std::optional<BudgetScope> TextForm<BudgetScope>::parse(std::string_view text) {
    if (text == "company") return BudgetScope{"company", {}};
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto kind = text.substr(0, colon);
    const auto slug = text.substr(colon + 1);
    if (kind != "team" && kind != "project" && kind != "goal") return std::nullopt;
    if (!declaration::is_slug(slug)) return std::nullopt;
    return BudgetScope{std::string(kind), std::string(slug)};
}

std::string TextForm<BudgetScope>::format(const BudgetScope& scope) {
    return scope.slug.empty() ? scope.kind : scope.kind + ":" + scope.slug;
}

const Type& OwnType<Budget>::get() {
    static const declaration::BudgetType type;
    return type;
}

}  // namespace paperclip
