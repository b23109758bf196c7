#include "engine/declaration/check.hpp"

#include "engine/agents/cron.hpp"
#include "engine/base/error.hpp"
#include "engine/base/nearest.hpp"
#include "engine/base/time_zones.hpp"
#include "engine/company/companies.hpp"
#include "engine/declaration/checker.hpp"

#include <algorithm>

namespace paperclip::declaration {
namespace {

constexpr std::size_t k_max_agents = 1'000;

template <class T>
std::vector<std::string> keys_of(const Keyed<T>& keyed) {
    std::vector<std::string> keys;
    for (const auto& [key, item] : keyed) keys.push_back(key);
    return keys;
}

std::string joined(const Path& path) {
    std::string text;
    for (const auto& step : path) {
        if (!text.empty()) text += '.';
        text += step;
    }
    return text;
}

}  // namespace

Path operator/(Path path, std::string_view step) {
    path.emplace_back(step);
    return path;
}

Checker::Checker(const Source& source, const Files& files, const agents::Adapters& adapters)
    : source_(source), document_(source.document), files_(files), adapters_(adapters) {
    for (const auto& [key, entry] : document_.agents) {
        if (!entry.count) agents_.push_back(key);
        for (std::int64_t n = 1; n <= entry.count.value_or(0); ++n) {
            agents_.push_back(key + "-" + std::to_string(n));
        }
    }
    goals_ = keys_of(document_.goals);
    projects_ = keys_of(document_.projects);
    issues_ = keys_of(document_.issues);
    roles_ = keys_of(document_.roles);
    for (const auto& secret : document_.secrets) secrets_.insert(secret.name);
    for (const auto& file : referenced_files(document_)) read_files_.insert(file);
}

void Checker::add(Severity severity, const Mark& mark, const Path& path, std::string code,
                  std::string message) {
    findings_.push_back({severity, std::string(k_company_file), mark.line, mark.column,
                         joined(path), std::move(code), std::move(message)});
}

void Checker::error(const Path& path, std::string message, std::string code) {
    add(Severity::error, source_.yaml->mark_of(path), path, std::move(code), std::move(message));
}

void Checker::error_at_key(const Path& path, std::string message, std::string code) {
    add(Severity::error, source_.yaml->key_mark_of(path), path, std::move(code),
        std::move(message));
}

void Checker::warn(const Path& path, std::string message, std::string code) {
    add(Severity::warning, source_.yaml->key_mark_of(path), path, std::move(code),
        std::move(message));
}

bool Checker::must_be_one_of(const Path& path, const std::string& text, const Words& known,
                             std::string_view kind) {
    if (std::find(known.begin(), known.end(), text) != known.end()) return true;
    const std::vector<std::string_view> words(known.begin(), known.end());
    const auto likely = nearest(text, words);
    std::string message = "there is no " + std::string(kind) + " \"" + text + "\"";
    if (likely) {
        message += "; did you mean " + std::string(*likely) + "?";
    } else if (words.empty()) {
        message += "; none is declared";
    } else if (words.size() <= 20) {
        message += "; expected one of " + listed(words);
    }
    error(path, message, "unknown_reference");
    return false;
}

void Checker::check_keys(std::string_view section, const Words& keys) {
    for (const std::string& key : keys) {
        if (is_slug(key)) continue;
        error_at_key({std::string(section), key},
                     "expected a key of lower-case letters, digits and inner hyphens, at most 64, "
                     "and none of YAML's words for true, false and null",
                     "invalid_key");
    }
}

void Checker::check_zone(const Path& path, const std::optional<std::string>& zone) {
    if (!zone || find_time_zone(*zone)) return;
    error(path, "expected an IANA time zone such as Europe/Berlin, found \"" + *zone + "\"");
}

void Checker::check_cron(const Path& path, const std::optional<std::string>& cron) {
    if (!cron) return;
    try {
        agents::Cron::parse(*cron);
    } catch (const Error& e) {
        error(path, e.message());
    }
}

void Checker::check_catch_up(const Path& path, const std::optional<std::string>& policy) {
    if (policy) must_be_one_of(path, *policy, {"skip_missed", "run_once"}, "catch-up policy");
}

void Checker::check_secret(const Path& path, const std::string& name) {
    if (secrets_.contains(name)) return;
    must_be_one_of(path, name, {secrets_.begin(), secrets_.end()}, "secret");
}

void Checker::check_secrets_in(const Path& path, const std::optional<Json>& config) {
    if (!config) return;
    for (const std::string& name : secrets_in(*config)) check_secret(path, name);
}

void Checker::check_renamed(const Path& path, const std::optional<std::string>& from,
                            const Words& keys) {
    if (!from) return;
    if (std::find(keys.begin(), keys.end(), *from) != keys.end()) {
        error(path / "renamedFrom", "\"" + *from + "\" is declared too; one of the two must go");
    }
}

void Checker::check_head() {
    if (document_.schema != k_schema) {
        error({"schema"}, "expected " + std::string(k_schema) + ", found \"" + document_.schema +
                              "\"; this engine reads no other version");
    }
    if (!is_slug(document_.slug)) {
        error({"slug"},
              "expected lower-case letters, digits and inner hyphens, at most 64, found \"" +
                  document_.slug + "\"");
    }
    check_zone({"timezone"}, document_.timezone);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < document_.secrets.size(); ++i) {
        if (seen.insert(document_.secrets[i].name).second) continue;
        error({"secrets", std::to_string(i)},
              "the secret " + document_.secrets[i].name + " is declared twice");
    }
    check_keys("goals", goals_);
    check_keys("roles", roles_);
    check_keys("agents", keys_of(document_.agents));
    check_keys("projects", projects_);
    check_keys("issues", issues_);
    check_keys("routines", keys_of(document_.routines));
    check_keys("approvals", keys_of(document_.approvals));
    if (agents_.size() > k_max_agents) {
        error({"agents"}, "expected at most " + std::to_string(k_max_agents) + " agents, found " +
                              std::to_string(agents_.size()));
    }
}

Findings Checker::take() {
    sort(findings_);
    return std::move(findings_);
}

Findings check(const Source& source, const Files& files, const agents::Adapters& adapters) {
    if (has_errors(source.findings) || !source.yaml) return source.findings;
    Checker checker(source, files, adapters);
    checker.check_head();
    checker.check_settings();
    checker.check_agents();
    checker.check_work();
    checker.check_governance();
    return checker.take();
}

}  // namespace paperclip::declaration
