#include <array>
#include <filesystem>
#include <set>

#include <agent/agent_kit.hpp>
#include <catch2/catch.hpp>

// The kit finds nothing in what is right, and in each wrong plugin the one rule that it breaks.
namespace paperclip::check::agent {
namespace {

namespace fs = std::filesystem;

struct Wrong {
    const char* plugin;
    const char* rule;
};
constexpr std::array k_wrong{
    Wrong{"manifest-id", "plugin.manifest"},
    Wrong{"exports-more", "plugin.exported"},
    Wrong{"exports-nothing", "plugin.exported"},
    Wrong{"calls-engine", "plugin.undefined"},
    Wrong{"short-table", "plugin.loads"},
    Wrong{"init-fails", "plugin.loads"},
    Wrong{"broken-description", "agent.describe"},
    Wrong{"other-version", "plugin.identity"},
    Wrong{"other-type", "plugin.identity"},
    Wrong{"load-thread", "plugin.pure_load"},
    Wrong{"load-descriptor", "plugin.pure_load"},
    Wrong{"load-signal", "plugin.pure_load"},
    Wrong{"load-environment", "plugin.pure_load"},
    Wrong{"load-locale", "plugin.pure_load"},
    Wrong{"load-folder", "plugin.pure_load"},
    Wrong{"any-interface", "plugin.unknown_interface"},
    Wrong{"broken-schema", "agent.config_schema"},
    Wrong{"any-schema", "agent.config_schema"},
    Wrong{"refuses-config", "agent.opens"},
    Wrong{"two-results", "agent.one_result"},
    Wrong{"late-action", "agent.after_result"},
    Wrong{"unknown-class", "agent.actions"},
    Wrong{"no-program", "agent.actions"},
    Wrong{"undeclared-action", "agent.declared"},
    Wrong{"ignores-cancel", "agent.cancel"},
    Wrong{"early-cancel", "agent.cancel"},
    Wrong{"cancelled-twice", "agent.cancel"},
    Wrong{"counts-runs", "agent.deterministic"},
    Wrong{"slow-step", "agent.step_time"},
    Wrong{"leaks-memory", "agent.no_residue"},
    Wrong{"leaks-descriptor", "agent.no_residue"},
    Wrong{"leaks-child", "agent.no_residue"},
    Wrong{"prints", "agent.quiet"},
    Wrong{"reads-too-far", "agent.request_sizes"},
    Wrong{"deep-recursion", "agent.request_texts"},
    Wrong{"trusts-numbers", "agent.inputs"},
    Wrong{"unknown-input", "agent.unknown_input"},
};

std::string text_of(const std::vector<Finding>& findings) {
    std::string all;
    for (const auto& finding : findings) all += finding.rule + ": " + finding.message + "\n";
    return all;
}

}  // namespace

TEST_CASE("agent kit: the plugins and the examples pass") {
    for (const char* name : {"agent-fake", "agent-http", "agent-process"}) {
        INFO(name);
        CHECK(text_of(check_plugin(fs::path(PAPERCLIP_TEST_PLUGINS) / name)) == "");
    }
    for (const char* name : {"echo-c", "echo-cpp", "echo-v0_1"}) {
        INFO(name);
        CHECK(text_of(check_plugin(fs::path(PAPERCLIP_EXAMPLES) / name)) == "");
    }
}

TEST_CASE("agent kit: each wrong plugin breaks its rule and no other") {
    for (const auto& [plugin, rule] : k_wrong) {
        const auto findings =
            check_plugin(fs::path(PAPERCLIP_WRONG_AGENTS) / plugin, {.rounds = 100});
        INFO(plugin << " found:\n" << text_of(findings));
        CHECK(findings.size() == 1);
        if (findings.size() == 1) CHECK(findings[0].rule == rule);
    }
}

TEST_CASE("agent kit: every rule has a wrong plugin") {
    std::set<std::string_view> broken;
    for (const auto& wrong : k_wrong) broken.insert(wrong.rule);
    std::set<std::string_view> known;
    for (const auto& rule : rules()) known.insert(rule.id);
    CHECK(broken == known);
}

}  // namespace paperclip::check::agent
