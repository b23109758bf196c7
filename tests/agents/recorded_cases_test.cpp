#include "engine/base/error.hpp"
#include "tests/agents/recorded_case.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

// Every recorded run of every agent plugin, and what must hold at every moment of each.

namespace paperclip::test {
namespace {

namespace fs = std::filesystem;
using pluginhost::AgentInput;
using Actions = std::vector<std::vector<std::string>>;

const pluginhost::AdapterType& type_of(const std::string& name) {
    static std::vector<std::string> problems;
    static const pluginhost::AdapterTypes types(
        pluginhost::find_plugins({PAPERCLIP_TEST_PLUGINS}, problems), problems);
    INFO("adapter type " << name);
    const auto* type = types.find(name);
    REQUIRE(type != nullptr);
    return *type;
}

std::vector<fs::path> cases() {
    std::vector<fs::path> files;
    for (const char* plugin : {"agent-fake", "agent-http", "agent-process"}) {
        for (const auto& entry : fs::directory_iterator(fs::path(PAPERCLIP_TEST_SOURCE) /
                                                        "plugins" / plugin / "tests")) {
            if (entry.path().extension() == ".case") files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// What opening and then each input leads to.
Actions play(const RecordedCase& recorded, const std::vector<AgentInput>& inputs) {
    Actions actions(1);
    std::unique_ptr<pluginhost::AgentRun> run;
    try {
        run = std::make_unique<pluginhost::AgentRun>(type_of(recorded.request.adapter_type),
                                                     recorded.request);
    } catch (const Error& e) {
        actions[0].push_back("refused " + e.message());
        return actions;
    }
    for (const auto& input : inputs) {
        actions.emplace_back();
        for (const auto& action : run->step(input)) actions.back().push_back(describe(action));
    }
    return actions;
}

std::vector<AgentInput> inputs_of(const RecordedCase& recorded) {
    std::vector<AgentInput> inputs;
    for (const auto& exchange : recorded.exchanges) inputs.push_back(exchange.input);
    return inputs;
}

int results_in(const Actions& actions) {
    int count = 0;
    for (const auto& list : actions) {
        count +=
            static_cast<int>(std::count_if(list.begin(), list.end(), [](const std::string& line) {
                return line.starts_with("result ");
            }));
    }
    return count;
}

/// The first `count` inputs, then somebody cancels twice, and the host ends what is there.
void check_cancel_after(const RecordedCase& recorded, std::size_t count) {
    auto inputs = inputs_of(recorded);
    inputs.resize(count);
    const bool over = results_in(play(recorded, inputs)) > 0;
    const bool stopped = std::any_of(inputs.begin(), inputs.end(), [](const AgentInput& input) {
        return input.kind == PC_IN_CANCEL;  // the first one counts
    });
    for (int i = 0; i < 2; ++i) {
        inputs.push_back({.kind = PC_IN_CANCEL, .code = PC_CANCEL_USER, .text = "enough"});
    }
    for (int child = 1; child < 8; ++child) {
        inputs.push_back({.kind = PC_IN_EXIT, .child = child, .code = -1, .signal = 15});
    }
    inputs.push_back({.kind = PC_IN_START});
    const auto actions = play(recorded, inputs);
    CHECK(results_in(actions) == 1);
    std::string all;
    for (const auto& list : actions) {
        for (const auto& line : list) all += line + "\n";
    }
    INFO(all);
    if (!over && !stopped)
        CHECK(all.find("result {\"class\":6,\"code\":\"cancelled\"") != std::string::npos);
}

}  // namespace

TEST_CASE("agents: recorded inputs lead to the recorded actions") {
    const bool update = std::getenv("PAPERCLIP_UPDATE_CASES") != nullptr;
    const auto files = cases();
    REQUIRE(files.size() >= 30);
    for (const auto& file : files) {
        INFO(file.string());
        const auto recorded = read_case(file);
        const auto actions = play(recorded, inputs_of(recorded));
        Actions expected{recorded.expected};
        for (const auto& exchange : recorded.exchanges) expected.push_back(exchange.expected);
        if (update && actions != expected) std::ofstream(file) << write_case(recorded, actions);
        CHECK(write_case(recorded, actions) == write_case(recorded, expected));
        CHECK(play(recorded, inputs_of(recorded)) == actions);
    }
}

TEST_CASE("agents: a cancel at any moment leads to one result") {
    for (const auto& file : cases()) {
        const auto recorded = read_case(file);
        if (!recorded.expected.empty()) continue;
        for (std::size_t count = 0; count <= recorded.exchanges.size(); ++count) {
            INFO(file.string() << " after " << count << " inputs");
            check_cancel_after(recorded, count);
        }
    }
}

TEST_CASE("agents: after the result nothing is asked for") {
    for (const auto& file : cases()) {
        INFO(file.string());
        const auto recorded = read_case(file);
        auto inputs = inputs_of(recorded);
        const auto once = play(recorded, inputs);
        if (results_in(once) == 0) continue;
        for (const auto& exchange : recorded.exchanges) inputs.push_back(exchange.input);
        const auto twice = play(recorded, inputs);
        for (std::size_t i = once.size(); i < twice.size(); ++i) CHECK(twice[i].empty());
    }
}

}  // namespace paperclip::test
