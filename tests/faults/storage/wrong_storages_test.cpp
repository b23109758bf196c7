#include "tests/faults/storage/kit_options.hpp"
#include "tests/faults/storage/wrong_storages.hpp"

#include <algorithm>
#include <set>

#include <catch2/catch.hpp>

namespace paperclip::check {
namespace {

/// The rules that a storage fails. Sanitized builds run those alone that it should fail: all of
/// them on every storage are a matter of minutes there.
std::vector<std::string> failed_rules(const test::WrongStorage& storage, const Options& options,
                                      std::string& messages) {
    std::vector<std::string> failed;
    for (const Rule& rule : rules()) {
        const bool expected =
            std::find(storage.rules.begin(), storage.rules.end(), rule.id) != storage.rules.end();
        if (PAPERCLIP_TEST_EFFORT < 1 && !expected) continue;
        const Verdict verdict = run_rule(rule, storage.table, options);
        if (verdict.outcome != Outcome::failed) continue;
        failed.emplace_back(rule.id);
        messages += failed.back() + ": " + verdict.message + "\n";
    }
    return failed;
}

void check_all(const std::vector<test::WrongStorage>& storages) {
    for (const auto& storage : storages) {
        DYNAMIC_SECTION(storage.what) {
            // Few rounds are enough, but for the storage that needs a thousand commits.
            test::KitRun kit(storage.rules.size() > 1 ? 0.15 : 0.001);
            std::string messages;
            const auto failed = failed_rules(storage, kit.options(), messages);
            INFO(messages);
            CHECK(failed == storage.rules);
        }
    }
}

}  // namespace

TEST_CASE("a storage that is wrong about units fails that rule and no other") {
    check_all(test::wrong_units());
}

TEST_CASE("a storage that is wrong about groups fails that rule and no other") {
    check_all(test::wrong_groups());
}

TEST_CASE("a storage that is wrong about queries fails that rule and no other") {
    check_all(test::wrong_queries());
}

TEST_CASE("a storage that is wrong about its whole fails that rule and no other") {
    check_all(test::wrong_stores());
}

TEST_CASE("every rule has a storage that breaks it") {
    std::set<std::string, std::less<>> broken;
    for (auto* part :
         {test::wrong_units, test::wrong_groups, test::wrong_queries, test::wrong_stores}) {
        for (const auto& storage : part()) {
            broken.insert(storage.rules.begin(), storage.rules.end());
        }
    }
    for (const Rule& rule : rules()) {
        if (rule.id.starts_with("durable.")) continue;  // broken in kill_test.cpp
        INFO(rule.id);
        CHECK(broken.contains(rule.id));
    }
}

}  // namespace paperclip::check
