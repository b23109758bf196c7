#include "engine/base/utf8.hpp"
#include "engine/declaration/yaml_text.hpp"
#include "engine/declaration/yaml_tree.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace paperclip::declaration {
namespace {

using Value = YamlDocument::Value;

std::string megabytes(std::size_t bytes) {
    return bytes >= (1 << 20) ? std::to_string(bytes >> 20) + " MiB"
                              : std::to_string(bytes >> 10) + " KiB";
}

/// Builds the tree from yaml-cpp's events, which come before any tree of its own: so depth, size
/// and duplicate keys are seen in time.
class Builder final : public YAML::EventHandler {
 public:
    Builder(const YamlText& text, const YamlLimits& limits, YamlDocument::Tree& tree)
        : text_(text), limits_(limits), tree_(tree) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (tree_.root != nullptr) {
            stop(mark, "several_documents",
                 "a second document begins here; a declaration is one document: remove the ---");
        }
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        Value& value = make(mark, anchor);
        // The event stands behind the value that is missing; people look at its key.
        if (!open_.empty() && open_.back().key) value.mark = open_.back().key_mark;
        put(mark, value);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end() || is_open(found->second)) {
            stop(mark, "recursive_alias", "an alias may not stand inside of what it repeats");
        }
        put(mark, *found->second);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& scalar) override {
        refuse_tag(mark, tag);
        if (scalar.size() > limits_.scalar_bytes) {
            stop(mark, "too_big",
                 "this text has " + megabytes(scalar.size()) + "; a single one may have " +
                     megabytes(limits_.scalar_bytes) + ": put it into a file of its own");
        }
        const bool plain = tag == "?";
        if (!plain && text_.is_unterminated(text_.offset(mark))) {
            stop(mark, "invalid_yaml", "the quote that opens this text is not closed");
        }
        if (expects_key()) return take_key(mark, scalar, plain);
        Value& value = make(mark, anchor);
        value.kind = plain ? Value::Kind::plain : Value::Kind::quoted;
        value.text = scalar;
        value.bytes = scalar.size();
        put(mark, value);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(mark, tag, anchor, Value::Kind::list);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(mark, tag, anchor, Value::Kind::map);
    }
    void OnMapEnd() override { end(); }

 private:
    struct Open {
        Value* value;
        std::optional<std::string> key;  // of the member whose value comes next
        Mark key_mark;
        std::set<std::string, std::less<>> keys;
    };

    [[noreturn]] void stop(const YAML::Mark& mark, std::string code, std::string message) const {
        throw YamlStop{text_.place(mark), std::move(code), std::move(message)};
    }
    void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
        if (tag.empty() || tag == "?" || tag == "!") return;
        stop(mark, "tag", "tags such as !!str are not understood; write the value without one");
    }
    [[nodiscard]] bool expects_key() const {
        return !open_.empty() && open_.back().value->kind == Value::Kind::map && !open_.back().key;
    }
    [[nodiscard]] bool is_open(const Value* value) const {
        return std::any_of(open_.begin(), open_.end(),
                           [&](const Open& open) { return open.value == value; });
    }

    Value& make(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (expects_key()) {
            stop(mark, "invalid_key",
                 "expected a key, a plain text before the colon; a value that begins with { or [ "
                 "must be quoted");
        }
        Value& value = tree_.values.emplace_back();
        value.mark = text_.place(mark);
        if (anchor != YAML::NullAnchor) anchors_[anchor] = &value;
        return value;
    }

    void take_key(const YAML::Mark& mark, const std::string& key, bool plain) {
        Open& map = open_.back();
        if (plain && key == "<<") {
            stop(mark, "merge_key",
                 "merge keys (<<) are not understood; what agents share stands under defaults: "
                 "and roles:");
        }
        if (!map.keys.insert(key).second) {
            const auto first = std::find_if(map.value->members.begin(), map.value->members.end(),
                                            [&](const auto& m) { return m.key == key; });
            stop(mark, "duplicate_key",
                 "the key \"" + std::string(utf8_prefix(key, 80)) +
                     "\" stands twice; the first is in line " +
                     std::to_string(first->key_mark.line));
        }
        map.key = key;
        map.key_mark = text_.place(mark);
    }

    void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
               Value::Kind kind) {
        refuse_tag(mark, tag);
        if (open_.size() >= limits_.depth) too_deep(mark);
        Value& value = make(mark, anchor);
        value.kind = kind;
        open_.push_back({&value, {}, {}, {}});
    }
    void end() {
        Value& value = *open_.back().value;
        open_.pop_back();
        put({}, value);
    }

    /// Hangs a complete value into what is open.
    void put(const YAML::Mark& mark, const Value& value) {
        if (open_.empty()) {
            tree_.root = &value;
            return;
        }
        if (expects_key()) make(mark, YAML::NullAnchor);  // throws: an alias is no key
        Open& parent = open_.back();
        parent.value->height = std::max(parent.value->height, value.height + 1);
        parent.value->nodes += value.nodes;
        parent.value->bytes += value.bytes;
        if (open_.size() + value.height > limits_.depth) too_deep(mark);
        if (parent.value->nodes > limits_.nodes || parent.value->bytes > limits_.expanded_bytes) {
            stop(mark, "too_big",
                 "the document is too big: with its aliases written out it has more than " +
                     std::to_string(limits_.nodes) + " values or " +
                     megabytes(limits_.expanded_bytes));
        }
        if (parent.value->kind == Value::Kind::list) {
            parent.value->items.push_back(&value);
            return;
        }
        parent.value->bytes += parent.key->size();
        parent.value->members.push_back({std::move(*parent.key), parent.key_mark, &value});
        parent.key.reset();
    }
    [[noreturn]] void too_deep(const YAML::Mark& mark) const {
        stop(mark, "too_deep", "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }

    const YamlText& text_;
    const YamlLimits& limits_;
    YamlDocument::Tree& tree_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, const Value*> anchors_;
};

/// What is wrong with the bytes before anybody parses them.
void check_bytes(const YamlText& text, const YamlLimits& limits) {
    const auto bytes = text.bytes();
    if (bytes.size() > limits.bytes) {
        throw YamlStop{{},
                       "too_big",
                       "the file has " + megabytes(bytes.size()) + "; a declaration may have " +
                           megabytes(limits.bytes)};
    }
    if (const auto at = find_invalid_utf8(bytes); at != std::string_view::npos) {
        throw YamlStop{text.place(at), "invalid_encoding",
                       "this is not UTF-8; save the file as UTF-8"};
    }
    const auto control = std::find_if(bytes.begin(), bytes.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return (u < 0x20 && c != '\n' && c != '\r' && c != '\t') || u == 0x7f;
    });
    if (control != bytes.end()) {
        throw YamlStop{text.place(static_cast<std::size_t>(control - bytes.begin())),
                       "invalid_encoding",
                       *control == '\0' ? "a NUL character; is this a text file?"
                                        : "a control character; remove it"};
    }
}

void parse_into(const YamlText& text, const YamlLimits& limits, YamlDocument::Tree& tree) {
    check_bytes(text, limits);
    std::istringstream in{std::string(text.bytes())};
    Builder builder(text, limits, tree);
    try {
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& e) {
        throw text.explain(e);
    }
    if (tree.root == nullptr || tree.root->kind == Value::Kind::null) {
        throw YamlStop{{1, 1},
                       "empty",
                       "the file is empty; a declaration begins with "
                       "schema: paperclip.company/v1"};
    }
}

}  // namespace

bool parse_yaml(std::string_view text, const YamlLimits& limits, YamlDocument::Tree& tree,
                Problems& problems) {
    try {
        parse_into(YamlText(text), limits, tree);
        return true;
    } catch (const YamlStop& stop) {
        problems.add(stop.mark, stop.code, stop.message);
    }
    return false;
}

}  // namespace paperclip::declaration
