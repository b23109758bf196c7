#include "tests/support/test_engine.hpp"

// valijson's headers do not pass our warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace paperclip::test {

namespace json = boost::json;

struct ApiChecker::Schemas {
    std::map<std::string, std::unique_ptr<valijson::Schema>> by_name;
};

namespace {

/// Lets the objects of a schema have no members but those that it names. Takes the format out where
/// null is allowed: valijson would ask it of null too.
void close(json::value& schema) {
    if (schema.is_array()) {
        for (auto& item : schema.get_array()) close(item);
    } else if (schema.is_object()) {
        auto& object = schema.get_object();
        const bool names = object.contains("properties") && object.contains("type");
        for (auto& [name, member] : object) close(member);
        const auto* type = object.if_contains("type");
        if (type != nullptr && type->is_array()) object.erase("format");
        if (names) object.emplace("additionalProperties", false);
    }
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

std::string findings(const valijson::Schema& schema, const json::value& body) {
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(schema, valijson::adapters::BoostJsonAdapter(body), &results)) return {};
    std::string text;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
        for (const auto& step : error.context) text += step;
        text += ": " + error.description + "; ";
    }
    return text;
}

}  // namespace

ApiChecker::ApiChecker(const http::Router& router)
    : document_(parse_json(router.openapi("test"))), schemas_(std::make_unique<Schemas>()) {
    close(document_.as_object().at("components"));
}

ApiChecker::~ApiChecker() = default;

std::string ApiChecker::problem(const http::Route* route, const http::Response& response) {
    if (response.status >= 500) return "a failure of the engine";
    const bool failed = response.status >= 400;
    if (route == nullptr && !failed && response.status != 204) return "no route, but no failure";
    const json::object* content = nullptr;
    std::string name = "Error";
    static const json::object k_error{{"$ref", "#/components/schemas/Error"}};
    if (failed) {
        content = &k_error;
    } else if (route != nullptr) {
        name = lower(http::method_name(route->spec.method)) + std::string(route->spec.path) +
               std::to_string(response.status);
        const auto& operation = document_.at("paths")
                                    .at(route->spec.path)
                                    .at(lower(http::method_name(route->spec.method)))
                                    .as_object();
        const auto* documented =
            operation.at("responses").as_object().if_contains(std::to_string(response.status));
        if (documented == nullptr) return "the status is not documented";
        const auto* types = documented->as_object().if_contains("content");
        if (types == nullptr) return {};
        content = &types->at("application/json").at("schema").as_object();
    }
    if (content == nullptr) return {};
    if (!response.content_type.starts_with("application/json")) return "the answer is not JSON";
    const json::value body = parse_json(response.body, 512);

    const std::lock_guard lock(mutex_);
    auto& schema = schemas_->by_name[name];
    if (!schema) {
        schema = std::make_unique<valijson::Schema>();
        json::object root = *content;
        root["components"] = document_.at("components");
        const json::value value(root);
        valijson::SchemaParser parser;
        parser.populateSchema(valijson::adapters::BoostJsonAdapter(value), *schema);
    }
    return findings(*schema, body);
}

}  // namespace paperclip::test
