#pragma once

#include "engine/base/described.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace paperclip::declaration {

/// The form of a slug, as in an agent's key; `is_slug()` says it in code.
constexpr std::string_view k_slug_pattern = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$";

/// A mapping from slugs to things of one kind (`agents:`, `goals:` …), in the order in which they
/// are declared: it is the order in which they are created and shown.
template <class T>
struct Keyed {
    std::vector<std::pair<std::string, T>> items;

    [[nodiscard]] auto begin() const { return items.begin(); }
    [[nodiscard]] auto end() const { return items.end(); }
    [[nodiscard]] bool empty() const { return items.empty(); }
    [[nodiscard]] std::size_t size() const { return items.size(); }
    [[nodiscard]] const T* find(std::string_view slug) const {
        const auto found = std::find_if(items.begin(), items.end(),
                                        [&](const auto& item) { return item.first == slug; });
        return found == items.end() ? nullptr : &found->second;
    }
    T& add(std::string slug) { return items.emplace_back(std::move(slug), T{}).second; }
};

template <class T>
class KeyedType final : public detail::ContainerType {
 public:
    void write(std::string& out, const void* value) const override {
        char separator = '{';
        for (const auto& [slug, item] : *static_cast<const Keyed<T>*>(value)) {
            out += std::exchange(separator, ',');
            append_json_string(out, slug);
            out += ':';
            type_of<T>().write(out, &item);
        }
        out += separator == '{' ? "{}" : "}";
    }
    void read(const Node& node, void* value, Problems& problems) const override {
        if (!detail::expect_shape(node, Node::Shape::object, problems)) return;
        Keyed<T> keyed;
        node.each_member([&](std::string_view slug, const Node& item) {
            const Problems::Scope scope(problems, slug);
            type_of<T>().read(item, &keyed.add(std::string(slug)), problems);
        });
        *static_cast<Keyed<T>*>(value) = std::move(keyed);
    }
    [[nodiscard]] Schema schema(SchemaSet& set) const override {
        Schema schema;
        schema.type = "object";
        schema.key_pattern = k_slug_pattern;
        schema.values = std::make_shared<const Schema>(type_of<T>().schema(set));
        return schema;
    }
};

}  // namespace paperclip::declaration

template <class T>
struct paperclip::OwnType<paperclip::declaration::Keyed<T>> {
    static const Type& get() {
        static const declaration::KeyedType<T> type;
        return type;
    }
};
