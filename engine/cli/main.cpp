#include "engine/cli/command_line.hpp"

int main(int argc, char** argv) {
    return paperclip::cli::run(argc, argv);
}
