// Measures a real engine on loopback and prints one JSON document; scripts/bench calls it.
// usage: bench PROGRAM FOLDER [--seconds N] [--idle-minutes N] [--only PART]

#include "tests/bench/measure.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

int main(int argc, char** argv) {
    using namespace paperclip::bench;
    if (argc < 3) return 2;
    Plan plan{.program = argv[1], .folder = argv[2]};
    for (int i = 3; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--seconds") == 0) plan.seconds = std::atoi(argv[i + 1]);
        if (std::strcmp(argv[i], "--idle-minutes") == 0) plan.idle_minutes = std::atoi(argv[i + 1]);
        if (std::strcmp(argv[i], "--only") == 0) plan.only = argv[i + 1];
    }
    std::printf("%s\n", measure(plan).c_str());
    return 0;
}
