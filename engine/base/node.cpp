#include "engine/base/node.hpp"

#include "engine/base/error.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace paperclip {

std::string_view shape_name(Node::Shape shape) noexcept {
    switch (shape) {
        case Node::Shape::null:
            return "null";
        case Node::Shape::boolean:
            return "boolean";
        case Node::Shape::integer:
            return "integer";
        case Node::Shape::number:
            return "number";
        case Node::Shape::text:
            return "string";
        case Node::Shape::list:
            return "array";
        case Node::Shape::object:
            return "object";
    }
    return "unknown";
}

Node::Shape JsonNode::shape() const {
    switch (value_.kind()) {
        case boost::json::kind::null:
            return Shape::null;
        case boost::json::kind::bool_:
            return Shape::boolean;
        case boost::json::kind::int64:
            return Shape::integer;
        case boost::json::kind::uint64:
            return Shape::number;
        case boost::json::kind::double_: {
            // 3.0 is an integer to every JSON client; 2^53 is where doubles stop being exact.
            const double d = value_.get_double();
            const bool whole = d >= -9007199254740992.0 && d <= 9007199254740992.0 &&
                               d == static_cast<double>(static_cast<std::int64_t>(d));
            return whole ? Shape::integer : Shape::number;
        }
        case boost::json::kind::string:
            return Shape::text;
        case boost::json::kind::array:
            return Shape::list;
        case boost::json::kind::object:
            return Shape::object;
    }
    return Shape::null;
}

bool JsonNode::boolean() const {
    return value_.get_bool();
}
std::int64_t JsonNode::integer() const {
    return value_.is_double() ? static_cast<std::int64_t>(value_.get_double()) : value_.get_int64();
}
double JsonNode::number() const {
    return value_.to_number<double>();
}
std::string_view JsonNode::text() const {
    const auto& s = value_.get_string();
    return {s.data(), s.size()};
}

void JsonNode::each_item(const std::function<void(std::size_t, const Node&)>& visit) const {
    std::size_t i = 0;
    for (const auto& item : value_.get_array()) visit(i++, JsonNode(item));
}

void JsonNode::each_member(const std::function<void(std::string_view, const Node&)>& visit) const {
    for (const auto& [key, value] : value_.get_object()) {
        visit({key.data(), key.size()}, JsonNode(value));
    }
}

Problem& Problems::add(const Mark& mark, std::string code, std::string message, std::string facts) {
    list_.push_back({path_, std::move(code), std::move(message), std::move(facts), mark});
    return list_.back();
}

void Problems::throw_if_any() const {
    if (list_.empty()) return;
    const auto is_index = [](const std::string& step) {
        return !step.empty() &&
               std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
    };
    std::string details;
    JsonWriter w(details);
    w.begin_array();
    for (const auto& problem : list_) {
        std::string path;
        JsonWriter p(path);
        p.begin_array();
        for (const auto& step : problem.path) is_index(step) ? p.raw(step) : p.value(step);
        p.end_array();
        std::string rest;
        JsonWriter r(rest);
        r.begin_object().member("code", problem.code).key("path").raw(path);
        r.member("message", problem.message).end_object();
        w.raw("{" + problem.facts + rest.substr(1));
    }
    w.end_array();
    throw Error(ErrorKind::invalid, "Validation error", {}, std::move(details));
}

}  // namespace paperclip
