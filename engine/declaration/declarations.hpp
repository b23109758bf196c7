#pragma once

#include "engine/declaration/applying.hpp"
#include "engine/declaration/explain.hpp"
#include "engine/declaration/exporting.hpp"
#include "engine/declaration/finding.hpp"
#include "engine/declaration/plan.hpp"
#include "engine/declaration/source.hpp"
#include "engine/runs/secrets.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paperclip::declaration {

struct ApplyResult {
    Plan plan;  ///< that was carried out
    Id company_id;
    std::int64_t revision = 0;  ///< of the declaration, after it
    bool changed = false;
};
BOOST_DESCRIBE_STRUCT(ApplyResult, (), (plan, company_id, revision, changed))

/// Companies declared in YAML: validated, compared with what is, and applied. Thread-safe; every
/// call may block for the disk.
class Declarations {
 public:
    Declarations(Services services, Stopper& stopper)
        : services_(std::move(services)), stopper_(stopper) {}

    /// Called after each apply that changed something. Set before others use this.
    void on_applied(std::function<void()> applied) { applied_ = std::move(applied); }

    /// Everything that is wrong with a declaration or probably not meant, by place. Reads no state.
    [[nodiscard]] Findings validate(const Files& files) const;

    /// What apply() would do now, to the company that the slug stands for, or to `company`, which
    /// is adopted when it was never declared. Throws Error{unprocessable, "invalid_declaration"}
    /// with the findings in its details.
    Plan plan(const Files& files, const std::optional<Id>& company = {});

    /// Makes the company what is declared, in one unit. With a `fingerprint`, only if the plan is
    /// still the one that had it; otherwise throws Error{conflict, "stale_plan"}.
    ApplyResult apply(const Actor& actor, const Files& files, const std::optional<Id>& company = {},
                      const std::optional<std::string>& fingerprint = {});

    /// The company as it is, as a declaration, whether it was declared or not. Comments of the
    /// document that was applied are not in it. Throws Error{not_found}.
    [[nodiscard]] Files export_company(const Id& company) const;
    /// What people changed since the declaration was applied. Throws Error{not_found}.
    [[nodiscard]] Drift drift(const Id& company) const;
    /// Throws as plan(), and Error{not_found} when there is no such agent.
    [[nodiscard]] Explanation explain(const Files& files, const std::string& agent) const;

    /// The secrets of every company, as the declarations applied last say it: for
    /// runs::SecretSource at the engine's start, and after an apply.
    [[nodiscard]] runs::DeclaredSecrets declared_secrets() const;

 private:
    Source must_be_good(const Files& files) const;

    Services services_;
    Stopper& stopper_;
    std::function<void()> applied_ = [] {};
};

/// The plan as others see it: the values of environment variables are masked.
Plan masked(Plan plan);
Drift masked(Drift drift);

}  // namespace paperclip::declaration
