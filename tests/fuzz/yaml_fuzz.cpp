#include "engine/base/error.hpp"
#include "engine/declaration/check.hpp"
#include "engine/declaration/format.hpp"
#include "engine/pluginhost/json_schema.hpp"

#include <cstdint>
#include <cstdlib>
#include <iostream>

#include <boost/json.hpp>

// A company.yaml: refused with findings that say where, or a company that the formatter keeps.

namespace {

using namespace paperclip;
using declaration::YamlDocument;

class OneAdapter final : public agents::Adapters {
 public:
    [[nodiscard]] bool knows(std::string_view type) const override { return type == "process"; }
    [[nodiscard]] std::vector<std::string> types() const override { return {"process"}; }
    [[nodiscard]] std::vector<std::string> check_config(std::string_view, const Json& config,
                                                        bool) const override {
        if (config.parse().as_object().contains("command")) return {};
        return {"Missing required property 'command'."};
    }
};

void must(bool good) {
    if (!good) std::abort();
}

/// What tight limits let pass the usual ones do too.
void must_be_monotonic(std::string_view text, bool is_good) {
    constexpr declaration::YamlLimits k_tight{
        .bytes = 2000, .scalar_bytes = 100, .depth = 6, .nodes = 60, .expanded_bytes = 1500};
    Problems problems(Problems::Reading::strict);
    const bool passes = YamlDocument::parse(text, problems, k_tight).has_value();
    must(passes == problems.empty() && (is_good || !passes));
}

/// Either a tree that is JSON and knows its places, or one problem.
bool is_yaml(std::string_view text) {
    Problems problems(Problems::Reading::strict);
    const auto document = YamlDocument::parse(text, problems);
    must_be_monotonic(text, document.has_value());
    if (!document) {
        must(problems.list().size() == 1 && !problems.list().front().message.empty());
        return false;
    }
    must(problems.empty());
    must(!document->root().json().parse().is_null());
    document->root().each_member([&](std::string_view key, const Node& member) {
        const std::vector<std::string> path{std::string(key)};
        must(document->has(path) && document->mark_of(path).line == member.mark().line);
        must(document->key_mark_of(path).line == member.key_mark().line);
    });
    return true;
}

/// What is good, in the form that the formatter gives it, the JSON Schema takes too.
void must_fit_schema(const std::string& text) {
    static const std::string schema = declaration::json_schema();
    Problems problems(Problems::Reading::strict);
    const auto document = YamlDocument::parse(text, problems);
    must(document.has_value());
    for (const auto& finding : pluginhost::check_json(schema, document->root().json().text, true)) {
        std::cerr << finding << '\n' << text;
        std::abort();
    }
}

void must_format(const std::string& text, bool is_good) {
    std::string once;
    try {
        once = declaration::format_yaml(text);
    } catch (const Error& error) {
        must(!error.message().empty());
        return;
    }
    must(declaration::format_yaml(once) == once);
    if (is_good) must_fit_schema(once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    if (!is_yaml(text)) return 0;
    const declaration::Files files{{"company.yaml", text}, {"prompts/a.md", "You are Ada."}};
    const declaration::Source source = declaration::read_source(files);
    for (const auto& finding : source.findings) must(!finding.message.empty());
    if (has_errors(source.findings)) return 0;
    const bool is_good = !has_errors(check(source, files, OneAdapter()));
    if (is_good) {
        for (const auto& agent : effective_agents(source.document)) must(!agent.slug.empty());
    }
    must_format(text, is_good);
    return 0;
}
