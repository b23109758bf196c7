#include "engine/http/router.hpp"

#include <map>

namespace paperclip::http {
namespace {

void write_parameters(JsonWriter& out, const Route& route, SchemaSet& set) {
    out.key("parameters").begin_array();
    std::string_view path = route.spec.path;
    for (auto at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1)) {
        const auto name = path.substr(at + 1, path.find('}', at) - at - 1);
        out.begin_object().member("name", name).member("in", "path").member("required", true);
        out.key("schema").raw(R"({"type":"string"})").end_object();
    }
    if (route.query != nullptr) {
        for (const Field& field : route.query->fields()) {
            out.begin_object().member("name", field.wire).member("in", "query");
            out.member("required", field.rule.required);
            if (!field.rule.doc.empty()) out.member("description", field.rule.doc);
            set.write(out.key("schema"), field.type->schema(set));
            out.end_object();
        }
    }
    out.end_array();
}

void write_body(JsonWriter& out, const Route& route, SchemaSet& set) {
    if (route.body == nullptr) return;
    const bool patch = route.body_purpose == StructType::Purpose::patch;
    const std::string name = route.body->name() + (patch ? "Patch" : "Input");
    const Schema schema = set.refer(
        name, [&] { return route.body->body_schema(route.body_purpose, route.spec.strict, set); });
    out.key("requestBody").begin_object().key("content").begin_object();
    out.key("application/json").begin_object();
    set.write(out.key("schema"), schema);
    out.end_object().end_object().end_object();
}

void write_responses(JsonWriter& out, const Route& route, SchemaSet& set) {
    out.key("responses").begin_object();
    for (const int status : {route.spec.status, route.spec.other_status}) {
        if (status == 0) continue;
        out.key(std::to_string(status)).begin_object().member("description", "Success");
        if (route.answer != nullptr) {
            out.key("content").begin_object().key("application/json").begin_object();
            set.write(out.key("schema"), route.answer->schema(set));
            out.end_object().end_object();
        }
        out.end_object();
    }
    out.key("default").begin_object().member("description", "Failure");
    out.key("content").begin_object().key("application/json").begin_object();
    out.key("schema").raw(R"({"$ref":"#/components/schemas/Error"})");
    out.end_object().end_object().end_object().end_object();
}

}  // namespace

std::string Router::openapi(std::string_view version) const {
    std::map<std::string_view, std::vector<const Route*>> by_path;
    for (const auto& route : routes_) by_path[route->spec.path].push_back(route.get());
    SchemaSet set("#/components/schemas/");
    set.refer("Error", [] {
        Schema text;
        text.type = "string";
        Schema error;
        error.type = "object";
        error.required = {"error"};
        for (const char* name : {"error", "code", "remediation"}) {
            text.name = name;
            error.properties.push_back(text);
        }
        Schema details;
        details.name = "details";
        error.properties.push_back(details);
        return error;
    });

    std::string text;
    JsonWriter out(text);
    out.begin_object().member("openapi", "3.1.0");
    out.key("info").begin_object().member("title", "Paperclip").member("version", version);
    out.end_object().key("servers").raw(R"([{"url":"/api"}])");
    out.key("paths").begin_object();
    for (const auto& [path, routes] : by_path) {
        out.key(path).begin_object();
        for (const Route* route : routes) {
            std::string method(method_name(route->spec.method));
            for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
            out.key(method).begin_object().member("summary", route->spec.summary);
            write_parameters(out, *route, set);
            write_body(out, *route, set);
            write_responses(out, *route, set);
            out.end_object();
        }
        out.end_object();
    }
    out.end_object().key("components").begin_object().key("schemas");
    set.write_all(out);
    out.end_object().end_object();
    return text;
}

}  // namespace paperclip::http
