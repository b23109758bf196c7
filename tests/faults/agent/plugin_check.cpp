#include <cstdio>

#include <agent/agent_kit.hpp>

// Checks the plugin in the folder that it is given; prints what it finds.
int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: plugin_check FOLDER\n", stderr);
        return 2;
    }
    const auto findings = paperclip::check::agent::check_plugin(argv[1]);
    for (const auto& finding : findings) {
        std::printf("%s: %s\n", finding.rule.c_str(), finding.message.c_str());
    }
    return findings.empty() ? 0 : 1;
}
