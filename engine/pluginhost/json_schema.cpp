#include "engine/pluginhost/json_schema.hpp"

#include <boost/json.hpp>
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

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"
#include "engine/base/node.hpp"

namespace paperclip::pluginhost {

namespace json = boost::json;

namespace {

/// Takes the lists of required members out of a schema, at any depth.
void drop_required(json::value& schema) {
    if (schema.is_object()) {
        auto& object = schema.get_object();
        if (const auto* required = object.if_contains("required");
            required != nullptr && required->is_array()) {
            object.erase("required");
        }
        for (auto& [name, member] : object) drop_required(member);
    } else if (schema.is_array()) {
        for (auto& item : schema.get_array()) drop_required(item);
    }
}

/// "env.HOME: expected string, found integer", where the schema has a type for that place; else
/// what valijson says.
std::string finding_of(const valijson::ValidationResults::Error& error, const json::value& schema,
                       const json::value& document) {
    std::string path;
    const json::value* rule = &schema;
    const json::value* found = &document;
    for (const std::string& step : error.context) {
        if (step == "<root>") continue;
        const auto name = step.substr(1, step.size() - 2);  // from its brackets
        path += (path.empty() ? "" : ".") + name;
        const auto* object = found != nullptr ? found->if_object() : nullptr;
        found = object != nullptr ? object->if_contains(name) : nullptr;
        const auto* properties = rule != nullptr && rule->is_object()
                                     ? rule->get_object().if_contains("properties")
                                     : nullptr;
        rule = properties != nullptr && properties->is_object()
                   ? properties->get_object().if_contains(name)
                   : nullptr;
    }
    const auto* type =
        rule != nullptr && rule->is_object() ? rule->get_object().if_contains("type") : nullptr;
    const std::string where = path.empty() ? "" : path + ": ";
    const bool about_type = error.description.find("'type'") != std::string::npos;
    if (!about_type || type == nullptr || !type->is_string() || found == nullptr) {
        return where + error.description;
    }
    return where + "expected " + std::string(type->get_string()) + ", found " +
           std::string(shape_name(JsonNode(*found).shape()));
}

}  // namespace

std::vector<std::string> check_json(std::string_view schema_text, std::string_view document_text,
                                    bool complete) {
    try {
        json::value schema = parse_json(schema_text, 512);
        if (!complete) drop_required(schema);
        const json::value document = parse_json(document_text, 512);
        valijson::Schema parsed;
        valijson::SchemaParser parser;
        parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema), parsed);
        valijson::Validator validator;
        valijson::ValidationResults results;
        if (validator.validate(parsed, valijson::adapters::BoostJsonAdapter(document), &results))
            return {};
        std::vector<std::string> findings;
        valijson::ValidationResults::Error error;
        while (results.popError(error)) {
            findings.push_back(finding_of(error, schema, document));
        }
        return findings;
    } catch (const std::exception& e) {
        return {std::string("cannot be checked: ") + e.what()};
    }
}

}  // namespace paperclip::pluginhost
