#include "engine/pluginhost/manifest.hpp"

#include "engine/base/error.hpp"

#include <algorithm>

#include <boost/json.hpp>

namespace paperclip::pluginhost {

namespace {

void check(const Manifest& manifest, const std::string& file) {
    const auto fail = [&](const std::string& what) {
        throw Error(ErrorKind::invalid, file + ": " + what);
    };
    if (!is_plugin_id(manifest.id)) {
        fail("id: expected lower-case letters, digits and dashes, found \"" + manifest.id + "\"");
    }
    const std::filesystem::path library(manifest.library);
    if (library != library.filename() || manifest.library.starts_with('.')) {
        fail("library: expected the name of a file in the plugin's own folder, found \"" +
             manifest.library + "\"");
    }
    if (manifest.isolation != "process" && manifest.isolation != "in-process") {
        fail("isolation: expected \"process\" or \"in-process\", found \"" + manifest.isolation +
             "\"");
    }
}

}  // namespace

bool is_plugin_id(std::string_view id) {
    return !id.empty() && id.front() != '-' && id.size() <= 64 &&
           std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

Manifest parse_manifest(std::string_view text, const std::string& file) {
    Problems problems;
    Manifest manifest;
    try {
        const auto value = parse_json(text);
        FieldSet present;
        FieldSet null;
        struct_of<Manifest>().read_members(JsonNode(value), &manifest, StructType::Purpose::create,
                                           false, present, null, problems);
    } catch (const Error& e) {
        throw Error(ErrorKind::invalid, file + ": " + e.message());
    }
    if (!problems.empty()) {
        const Problem& first = problems.list().front();
        std::string at;
        for (const auto& step : first.path) at += (at.empty() ? "" : ".") + step;
        throw Error(ErrorKind::invalid, file + ": " + at + ": " + first.message);
    }
    check(manifest, file);
    return manifest;
}

}  // namespace paperclip::pluginhost
