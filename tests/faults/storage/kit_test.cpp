#include "tests/faults/storage/kit_options.hpp"

#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

namespace paperclip::check {

TEST_CASE("storage-sqlite keeps the rules of the storage kit") {
    test::KitRun kit;
    for (const Rule& rule : rules()) {
        if (rule.id.starts_with("durable.")) continue;  // these are in kill_test.cpp
        DYNAMIC_SECTION(rule.id) {
            INFO(rule.what);
            const Verdict verdict = run_rule(rule, test::sqlite_table(), kit.options());
            INFO(verdict.message);
            CHECK(verdict.outcome == Outcome::passed);
        }
    }
}

TEST_CASE("what storage-sqlite does on this machine is recorded") {
    test::KitRun kit;
    for (const auto& [what, per_second] : measure(test::sqlite_table(), kit.options())) {
        WARN(what << ": " << std::llround(per_second) << " a second");
        CHECK(per_second > 0);
    }
}

TEST_CASE("rules have ids of their own") {
    std::vector<std::string_view> ids;
    for (const Rule& rule : rules()) ids.push_back(rule.id);
    std::sort(ids.begin(), ids.end());
    CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
    CHECK(ids.size() > 40);
}

}  // namespace paperclip::check
