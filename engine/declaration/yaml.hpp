#pragma once

#include "engine/base/node.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace paperclip::declaration {

/// What a YAML text may come to. Beyond any of these it is refused with a message that names the
/// limit.
struct YamlLimits {
    std::size_t bytes = 4 << 20;
    std::size_t scalar_bytes = 256 << 10;
    std::size_t depth = 32;
    /// Both counted with every alias written out: a few lines of aliases can stand for gigabytes.
    std::size_t nodes = 200'000;
    std::size_t expanded_bytes = 16 << 20;
};

/// A YAML text as a tree of values that know where they stand. It takes the part of YAML that
/// people write and that every reader understands alike, and refuses the rest: one document, keys
/// that are texts and stand once, no tags, no merge keys. Plain scalars follow YAML 1.2's core
/// schema without octal and hexadecimal numbers: `yes`, `on`, `22:00` and `0x1F` are texts.
/// Immutable; the nodes borrow from it.
class YamlDocument {
 public:
    /// The document that `text` is, or nothing with exactly one problem.
    static std::optional<YamlDocument> parse(std::string_view text, Problems& problems,
                                             const YamlLimits& limits = {});

    YamlDocument(YamlDocument&&) noexcept;
    YamlDocument& operator=(YamlDocument&&) noexcept;
    ~YamlDocument();

    [[nodiscard]] const Node& root() const;
    /// Where the value at `path` (member names, and indexes as text) stands. What the path does not
    /// reach is looked for where it ends.
    [[nodiscard]] Mark mark_of(std::span<const std::string> path) const;
    /// The same for the key under which it stands.
    [[nodiscard]] Mark key_mark_of(std::span<const std::string> path) const;
    [[nodiscard]] bool has(std::span<const std::string> path) const;

    /// One value of the tree; only yaml.cpp looks inside.
    struct Value;
    struct Tree;

 private:
    explicit YamlDocument(std::unique_ptr<Tree> tree);
    std::unique_ptr<Tree> tree_;
};

}  // namespace paperclip::declaration
