#pragma once

#include "engine/declaration/yaml.hpp"

#include <deque>
#include <vector>

namespace paperclip::declaration {

/// A value of a YAML tree. An alias is the value of its anchor, shared: the tree is a graph without
/// cycles.
struct YamlDocument::Value {
    enum class Kind : std::uint8_t { null, plain, quoted, list, map };
    struct Member {
        std::string key;
        Mark key_mark;
        const Value* value;
    };

    Kind kind = Kind::null;
    Mark mark;
    std::string text;                 ///< of a scalar
    std::vector<const Value*> items;  ///< of a list
    std::vector<Member> members;      ///< of a map, in the order of the text
    std::size_t height = 1;           ///< levels, its own included
    std::size_t nodes = 1;            ///< written out, itself included
    std::size_t bytes = 0;            ///< of its texts and keys, written out
};

/// The value at the root as a Node.
class YamlNode final : public Node {
 public:
    explicit YamlNode(const YamlDocument::Value& value) : value_(value), key_mark_(value.mark) {}
    YamlNode(const YamlDocument::Value& value, Mark key_mark)
        : value_(value), key_mark_(key_mark) {}

    [[nodiscard]] Shape shape() const override;
    [[nodiscard]] bool boolean() const override;
    [[nodiscard]] std::int64_t integer() const override;
    [[nodiscard]] double number() const override;
    [[nodiscard]] bool has_text() const override;
    [[nodiscard]] std::string_view text() const override { return value_.text; }
    void each_item(const std::function<void(std::size_t, const Node&)>& visit) const override;
    void each_member(
        const std::function<void(std::string_view, const Node&)>& visit) const override;
    [[nodiscard]] Mark mark() const override { return value_.mark; }
    [[nodiscard]] Mark key_mark() const override { return key_mark_; }
    [[nodiscard]] Json json() const override;

 private:
    const YamlDocument::Value& value_;
    Mark key_mark_;
};

struct YamlDocument::Tree {
    std::deque<Value> values;
    const Value* root = nullptr;
    std::unique_ptr<YamlNode> root_node;
};

/// Parses `text` into `tree`; false with exactly one problem when it cannot.
bool parse_yaml(std::string_view text, const YamlLimits& limits, YamlDocument::Tree& tree,
                Problems& problems);

}  // namespace paperclip::declaration
