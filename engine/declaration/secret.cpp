#include "engine/declaration/secret.hpp"

#include "engine/declaration/values.hpp"

namespace paperclip::declaration {
namespace {

constexpr std::string_view k_name_pattern = "^[A-Za-z_][A-Za-z0-9_]*$";

void expected(const Node& node, const char* what, Problems& problems) {
    Problem& problem = problems.add(node.mark(), "invalid_format", std::string("Expected ") + what);
    problem.expected = what;
    problem.found = node.has_text() ? '"' + std::string(node.text()) + '"'
                                    : std::string(shape_name(node.shape()));
}

bool is_source(std::string_view text) {
    if (text.starts_with("env:")) return is_variable_name(text.substr(4));
    return text.starts_with("file:/") && text.size() > 6;
}

Schema name_schema() {
    Schema schema;
    schema.type = "string";
    schema.pattern = k_name_pattern;
    return schema;
}

class SecretType final : public detail::ContainerType {
 public:
    void write(std::string& out, const void* value) const override {
        const auto& entry = *static_cast<const SecretEntry*>(value);
        if (entry.source.empty()) return append_json_string(out, entry.name);
        JsonWriter(out).begin_object().member(entry.name, entry.source).end_object();
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        SecretEntry entry;
        if (node.has_text()) {
            entry.name = node.text();
        } else if (node.shape() == Node::Shape::object) {
            std::size_t members = 0;
            node.each_member([&](std::string_view name, const Node& source) {
                ++members;
                entry.name = name;
                if (source.has_text() && is_source(source.text())) {
                    entry.source = source.text();
                } else {
                    const Problems::Scope scope(problems, name);
                    expected(source, "env:NAME or file:/absolute/path", problems);
                }
            });
            if (members != 1) expected(node, "one name and its source", problems);
        }
        if (!is_variable_name(entry.name)) {
            return expected(node,
                            "the name of a secret, such as GITHUB_TOKEN, or { NAME: env:NAME }",
                            problems);
        }
        *static_cast<SecretEntry*>(value) = std::move(entry);
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override {
        Schema source;
        source.type = "string";
        source.pattern = "^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+)$";
        Schema object;
        object.type = "object";
        object.key_pattern = k_name_pattern;
        object.values = std::make_shared<const Schema>(std::move(source));
        Schema schema;
        schema.any_of = {name_schema(), std::move(object)};
        return schema;
    }
};

class EnvType final : public detail::ContainerType {
 public:
    void write(std::string& out, const void* value) const override {
        const auto& entry = *static_cast<const EnvValue*>(value);
        if (entry.secret.empty()) return append_json_string(out, entry.text);
        JsonWriter(out).begin_object().member("secret", entry.secret).end_object();
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        EnvValue entry;
        if (node.has_text()) {
            entry.text = node.text();
        } else {
            std::size_t members = 0;
            if (node.shape() == Node::Shape::object) {
                node.each_member([&](std::string_view name, const Node& secret) {
                    ++members;
                    if (name == "secret" && secret.has_text()) entry.secret = secret.text();
                });
            }
            if (members != 1 || !is_variable_name(entry.secret)) {
                return expected(node, "a text, or { secret: NAME }", problems);
            }
        }
        *static_cast<EnvValue*>(value) = std::move(entry);
    }
    [[nodiscard]] Schema schema(SchemaSet&) const override {
        Schema text;
        text.type = "string";
        Schema name = name_schema();
        name.name = "secret";
        Schema object;
        object.type = "object";
        object.properties = {std::move(name)};
        object.required = {"secret"};
        object.closed = true;
        Schema schema;
        schema.any_of = {std::move(text), std::move(object)};
        return schema;
    }
};

}  // namespace
}  // namespace paperclip::declaration

const paperclip::Type& paperclip::OwnType<paperclip::declaration::SecretEntry>::get() {
    static const declaration::SecretType type;
    return type;
}
const paperclip::Type& paperclip::OwnType<paperclip::declaration::EnvValue>::get() {
    static const declaration::EnvType type;
    return type;
}
