#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <paperclip/draft/storage.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The conformance kit of paperclip.storage/1: what a storage plugin promises, rule by rule. It
/// knows the interface and the two dialects, no product; see README.md.
namespace paperclip::check {

struct Options {
    /// A configuration (JSON) that names a store which does not exist yet, another one each call.
    std::function<std::string()> fresh;
    /// An existing folder for the kit's own files (backups), which it removes again.
    std::filesystem::path folder;
    /// 1 runs the full counts; less scales them down for sanitized builds.
    double effort = 1;
    /// The program, with its first arguments, that calls run_child() with the same storage. Empty:
    /// the rules that kill it are skipped.
    std::vector<std::string> child = {};
    std::uint64_t seed = 1;
    /// A unit that is not answered for that long counts as lost, so that a run ends by itself.
    std::chrono::seconds patience{120};
};

/// What a rule needs to run; lives as long as the rule runs.
struct Context {
    const pc_storage& storage;
    const Options& options;

    /// `full` at full effort, never less than `least`.
    [[nodiscard]] int scaled(int full, int least) const;
    [[nodiscard]] bool postgresql() const;
};

/// One promise. `run` throws when it is broken; the message says what was expected and found.
struct Rule {
    std::string_view id;    ///< stable: "unit.atomic"
    std::string_view what;  ///< the promise in a sentence
    void (*run)(const Context& context);
};

/// All rules, in the order in which they are best read.
std::vector<Rule> rules();

enum class Outcome { passed, failed, skipped };

struct Verdict {
    std::string_view id;
    Outcome outcome = Outcome::passed;
    std::string message;  ///< why it failed or was skipped
    std::chrono::microseconds took{0};
};

struct Report {
    std::vector<Verdict> verdicts;
    [[nodiscard]] bool passed() const;
    /// A line for each rule.
    [[nodiscard]] std::string text() const;
};

/// Runs one rule. Throws nothing but std::bad_alloc.
Verdict run_rule(const Rule& rule, const pc_storage& storage, const Options& options);

/// Runs every rule, one after the other, each on stores of its own.
Report run(const pc_storage& storage, const Options& options);

/// What a storage does on this machine: to be recorded, not to be judged.
struct Measure {
    std::string_view what;
    double per_second = 0;
};
/// Takes some seconds at full effort. Throws when the storage fails.
std::vector<Measure> measure(const pc_storage& storage, const Options& options);

/// The load under which a rule kills a process: the body of the program that Options::child names.
/// `arguments` are those that the kit appended. Returns the exit code, if it lives to do so.
int run_child(const pc_storage& storage, std::span<const std::string> arguments);

}  // namespace paperclip::check
