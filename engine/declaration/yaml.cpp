#include "engine/declaration/yaml.hpp"

#include "engine/declaration/yaml_tree.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <boost/json.hpp>

namespace paperclip::declaration {
namespace {

using Value = YamlDocument::Value;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Is `text` a decimal number as YAML 1.1 and 1.2 both read it? "007" and "1_000" are not.
bool looks_numeric(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    const auto digits = static_cast<std::size_t>(
        std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    const bool leading_zero = digits > 1 && text.front() == '0';
    return digits > 0 && !leading_zero &&
           text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
    if (!looks_numeric(text)) return std::nullopt;
    if (text.starts_with('+')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<double> number_of(std::string_view text) {
    if (!looks_numeric(text)) return std::nullopt;
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || at != text.data() + text.size() || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value;
}

std::optional<bool> boolean_of(std::string_view text) {
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    return std::nullopt;
}

void write_json(JsonWriter& out, const Value& value) {
    switch (value.kind) {
        case Value::Kind::null:
            out.null();
            return;
        case Value::Kind::quoted:
            out.value(value.text);
            return;
        case Value::Kind::plain:
            if (const auto flag = boolean_of(value.text)) {
                out.value(*flag);
            } else if (const auto integer = integer_of(value.text)) {
                out.value(*integer);
            } else if (const auto number = number_of(value.text)) {
                out.value(*number);
            } else {
                out.value(value.text);
            }
            return;
        case Value::Kind::list:
            out.begin_array();
            for (const Value* item : value.items) write_json(out, *item);
            out.end_array();
            return;
        case Value::Kind::map:
            out.begin_object();
            for (const auto& member : value.members) {
                out.key(member.key);
                write_json(out, *member.value);
            }
            out.end_object();
            return;
    }
}

/// The value at `path`, or the last one on the way to it, and how many steps it took.
struct Reached {
    const Value* value;
    Mark key_mark;
    std::size_t steps = 0;
};

Reached walk(const Value& root, std::span<const std::string> path) {
    Reached at{&root, root.mark};
    for (const std::string& step : path) {
        const Value* next = nullptr;
        for (const auto& member : at.value->members) {
            if (member.key != step) continue;
            next = member.value;
            at.key_mark = member.key_mark;
        }
        if (at.value->kind == Value::Kind::list) {
            const auto index = integer_of(step);
            if (index && *index >= 0 && static_cast<std::size_t>(*index) < at.value->items.size()) {
                next = at.value->items[static_cast<std::size_t>(*index)];
                at.key_mark = next->mark;
            }
        }
        if (next == nullptr) break;
        at.value = next;
        ++at.steps;
    }
    return at;
}

}  // namespace

Node::Shape YamlNode::shape() const {
    switch (value_.kind) {
        case Value::Kind::null:
            return Shape::null;
        case Value::Kind::quoted:
            return Shape::text;
        case Value::Kind::list:
            return Shape::list;
        case Value::Kind::map:
            return Shape::object;
        case Value::Kind::plain:
            break;
    }
    if (boolean_of(value_.text)) return Shape::boolean;
    if (integer_of(value_.text)) return Shape::integer;
    return number_of(value_.text) ? Shape::number : Shape::text;
}

bool YamlNode::boolean() const {
    return boolean_of(value_.text).value_or(false);
}
std::int64_t YamlNode::integer() const {
    return integer_of(value_.text).value_or(0);
}
double YamlNode::number() const {
    return number_of(value_.text).value_or(0);
}
bool YamlNode::has_text() const {
    return value_.kind == Value::Kind::plain || value_.kind == Value::Kind::quoted;
}

void YamlNode::each_item(const std::function<void(std::size_t, const Node&)>& visit) const {
    std::size_t i = 0;
    for (const Value* item : value_.items) visit(i++, YamlNode(*item));
}

void YamlNode::each_member(const std::function<void(std::string_view, const Node&)>& visit) const {
    for (const auto& member : value_.members) {
        visit(member.key, YamlNode(*member.value, member.key_mark));
    }
}

Json YamlNode::json() const {
    std::string out;
    JsonWriter writer(out);
    write_json(writer, value_);
    return Json::trusted(std::move(out));
}

YamlDocument::YamlDocument(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
YamlDocument::YamlDocument(YamlDocument&&) noexcept = default;
YamlDocument& YamlDocument::operator=(YamlDocument&&) noexcept = default;
YamlDocument::~YamlDocument() = default;

std::optional<YamlDocument> YamlDocument::parse(std::string_view text, Problems& problems,
                                                const YamlLimits& limits) {
    auto tree = std::make_unique<Tree>();
    if (!parse_yaml(text, limits, *tree, problems)) return std::nullopt;
    tree->root_node = std::make_unique<YamlNode>(*tree->root);
    return YamlDocument(std::move(tree));
}

const Node& YamlDocument::root() const {
    return *tree_->root_node;
}

Mark YamlDocument::mark_of(std::span<const std::string> path) const {
    return walk(*tree_->root, path).value->mark;
}

Mark YamlDocument::key_mark_of(std::span<const std::string> path) const {
    return walk(*tree_->root, path).key_mark;
}

bool YamlDocument::has(std::span<const std::string> path) const {
    return walk(*tree_->root, path).steps == path.size();
}

}  // namespace paperclip::declaration
