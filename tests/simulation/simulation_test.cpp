#include "tests/simulation/simulation.hpp"

#include <catch2/catch.hpp>
#include <iostream>

namespace paperclip::simulation {
namespace {

void tell(const Settings& settings, const Story& story) {
    std::cout << "seed " << settings.seed << ": " << story.runs << " runs, " << story.wakes
              << " wakes, " << story.executions << " programs, " << story.requests
              << " requests, " << story.starts << " starts, " << story.reboots << " reboots"
              << (story.violation ? "; broken: " + story.violation->promise + ": " +
                                        story.violation->detail
                                  : "")
              << std::endl;
}

Story simulate(const Settings& settings) {
    Story story = Simulation(settings).run();
    tell(settings, story);
    return story;
}

void must_hold(const Story& story) {
    INFO((story.violation ? story.violation->promise + ": " + story.violation->detail : ""));
    CHECK_FALSE(story.violation);
}

std::uint64_t first_seed() {
    const char* const seed = std::getenv("PAPERCLIP_SEED");
    return seed != nullptr ? std::stoull(seed) : 1;
}

}  // namespace

TEST_CASE("a company of 50 agents keeps its promises for 30 days") {
    const int seeds = PAPERCLIP_TEST_EFFORT < 1 ? 1 : 5;
    for (int i = 0; i < seeds; ++i) {
        Settings settings;
        settings.seed = first_seed() + static_cast<std::uint64_t>(i);
        CAPTURE(settings.seed);
        const Story story = simulate(settings);
        must_hold(story);
        CHECK(story.runs > 500);
        CHECK(story.starts > 10);
    }
}

}  // namespace paperclip::simulation
