#include "elf_symbols.hpp"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace paperclip::check::agent {
namespace {

/// The file's bytes, read with bounds: it may be anything.
class Image {
 public:
    explicit Image(const std::filesystem::path& file) {
        std::ifstream in(file, std::ios::binary);
        bytes_.assign(std::istreambuf_iterator<char>(in), {});
    }
    template <class T>
    [[nodiscard]] T at(std::uint64_t offset) const {
        T value;
        if (offset > bytes_.size() || bytes_.size() - offset < sizeof value) cut_short();
        std::memcpy(&value, bytes_.data() + offset, sizeof value);
        return value;
    }
    [[nodiscard]] std::string text_at(std::uint64_t offset) const {
        const auto end = offset < bytes_.size() ? bytes_.find('\0', offset) : std::string::npos;
        if (end == std::string::npos) cut_short();
        return bytes_.substr(offset, end - offset);
    }

 private:
    [[noreturn]] static void cut_short() { throw std::runtime_error("the file is cut short"); }
    std::string bytes_;
};

}  // namespace

ElfSymbols read_symbols(const std::filesystem::path& file) {
    const Image image(file);
    const auto header = image.at<Elf64_Ehdr>(0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN) {
        throw std::runtime_error("no 64-bit ELF shared library");
    }
    ElfSymbols symbols;
    for (int i = 0; i < header.e_shnum; ++i) {
        const auto section =
            image.at<Elf64_Shdr>(header.e_shoff + std::uint64_t{sizeof(Elf64_Shdr)} * i);
        if (section.sh_type != SHT_DYNSYM) continue;
        const auto names = image.at<Elf64_Shdr>(header.e_shoff + std::uint64_t{sizeof(Elf64_Shdr)} *
                                                                     section.sh_link);
        for (std::uint64_t at = sizeof(Elf64_Sym); at + sizeof(Elf64_Sym) <= section.sh_size;
             at += sizeof(Elf64_Sym)) {
            const auto symbol = image.at<Elf64_Sym>(section.sh_offset + at);
            const auto binding = ELF64_ST_BIND(symbol.st_info);
            if (binding == STB_LOCAL || symbol.st_name == 0) continue;
            std::string name = image.text_at(names.sh_offset + symbol.st_name);
            if (symbol.st_shndx != SHN_UNDEF) {
                symbols.exported.push_back(std::move(name));
            } else if (binding != STB_WEAK) {
                symbols.undefined.push_back(std::move(name));
            }
        }
    }
    return symbols;
}

}  // namespace paperclip::check::agent
