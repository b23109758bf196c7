#include "tests/faults/storage/kit_options.hpp"

#include <catch2/catch.hpp>

namespace paperclip::check {
namespace {

Verdict run_killing(std::string_view id, std::vector<std::string> child, double effort) {
    test::KitRun kit(effort);
    kit.options().child = std::move(child);
    for (const Rule& rule : rules()) {
        if (rule.id == id) return run_rule(rule, test::sqlite_table(), kit.options());
    }
    return {id, Outcome::failed, "no such rule", {}};
}

}  // namespace

TEST_CASE("storage-sqlite keeps the rules that kill a process") {
    const auto* const id = GENERATE("durable.kill", "durable.migration");
    DYNAMIC_SECTION(id) {
        const Verdict verdict = run_killing(id, {PAPERCLIP_KILL_CHILD}, PAPERCLIP_TEST_EFFORT);
        INFO(verdict.message);
        CHECK(verdict.outcome == Outcome::passed);
    }
}

TEST_CASE("a crash inside of a group commit leaves nothing of the group") {
    const int pass = GENERATE(1, 2, 3, 10, 40);
    const auto point = "PAPERCLIP_FAIL_POINT=inside-group-commit:" + std::to_string(pass);
    INFO(point);
    const Verdict verdict =
        run_killing("durable.kill", {"/usr/bin/env", point, PAPERCLIP_KILL_CHILD}, 0);
    INFO(verdict.message);
    CHECK(verdict.outcome == Outcome::passed);
}

TEST_CASE("a storage that acknowledges too early does not survive kill -9") {
    const Verdict verdict = run_killing("durable.kill", {PAPERCLIP_KILL_CHILD, "hasty"}, 0);
    INFO(verdict.message);
    CHECK(verdict.outcome == Outcome::failed);
}

TEST_CASE("a storage that runs a script in pieces does not survive kill -9") {
    const Verdict verdict =
        run_killing("durable.migration", {PAPERCLIP_KILL_CHILD, "piecemeal"}, 0);
    INFO(verdict.message);
    CHECK(verdict.outcome == Outcome::failed);
}

}  // namespace paperclip::check
