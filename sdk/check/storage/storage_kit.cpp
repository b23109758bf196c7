#include "storage_kit.hpp"

#include "rules.hpp"

#include <algorithm>
#include <iterator>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check {

int Context::scaled(int full, int least) const {
    return std::max(least, static_cast<int>(full * options.effort));
}

bool Context::postgresql() const {
    return sdk::view(storage.dialect) == "postgresql";
}

std::vector<Rule> rules() {
    std::vector<Rule> all;
    for (auto* part : {table_rules, unit_rules, group_rules, type_rules, query_rules, race_rules,
                       store_rules, backup_rules, durable_rules}) {
        auto some = part();
        std::move(some.begin(), some.end(), std::back_inserter(all));
    }
    return all;
}

bool Report::passed() const {
    return std::none_of(verdicts.begin(), verdicts.end(),
                        [](const Verdict& v) { return v.outcome == Outcome::failed; });
}

std::string Report::text() const {
    std::string out;
    for (const Verdict& verdict : verdicts) {
        switch (verdict.outcome) {
            case Outcome::passed:
                out += "passed  ";
                break;
            case Outcome::failed:
                out += "FAILED  ";
                break;
            case Outcome::skipped:
                out += "skipped ";
                break;
        }
        out += verdict.id;
        out += " (" + std::to_string(verdict.took.count() / 1000) + " ms)";
        if (!verdict.message.empty()) out += ": " + verdict.message;
        out += '\n';
    }
    return out;
}

Verdict run_rule(const Rule& rule, const pc_storage& storage, const Options& options) {
    const Context context{storage, options};
    const auto started = std::chrono::steady_clock::now();
    Verdict verdict{rule.id, Outcome::passed, {}, {}};
    try {
        rule.run(context);
    } catch (const Skipped& skipped) {
        verdict.outcome = Outcome::skipped;
        verdict.message = skipped.what();
    } catch (const std::exception& failure) {
        verdict.outcome = Outcome::failed;
        verdict.message = failure.what();
    }
    verdict.took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - started);
    return verdict;
}

Report run(const pc_storage& storage, const Options& options) {
    Report report;
    for (const Rule& rule : rules()) {
        report.verdicts.push_back(run_rule(rule, storage, options));
        // Nothing can be called in a table that is not complete.
        if (rule.id == "table.complete" && !report.passed()) break;
    }
    return report;
}

}  // namespace paperclip::check
