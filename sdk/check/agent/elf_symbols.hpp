#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace paperclip::check::agent {

/// The dynamic symbols of a shared library, read from its file: nothing of it is executed.
struct ElfSymbols {
    std::vector<std::string> exported;
    std::vector<std::string> undefined;  ///< those that must be found, not the weak ones
};

/// Throws std::runtime_error for what is not a 64-bit ELF library of this machine.
ElfSymbols read_symbols(const std::filesystem::path& file);

}  // namespace paperclip::check::agent
