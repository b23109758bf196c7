#include "plugin_under_check.hpp"

#include "play.hpp"

#include <dlfcn.h>
#include <fstream>
#include <iterator>

#include <paperclip/cpp/json.hpp>
#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check::agent {

using sdk::Json;

namespace {

std::string text_of(const Json& manifest, const char* name) {
    const Json value = manifest[name];
    if (!value.is_string() || value.text().empty()) {
        throw Broken("plugin.json: " + std::string(name) + ": expected a string that is not empty");
    }
    return value.text();
}

std::vector<std::string> list_of(const Json& manifest, const char* name) {
    std::vector<std::string> list;
    for (const auto& item : manifest[name].items()) list.push_back(item.text());
    return list;
}

pc_writer writer_into(std::string& text) {
    return {sizeof(pc_writer), 0, &text, [](void* ctx, pc_str bytes) {
                static_cast<std::string*>(ctx)->append(sdk::view(bytes));
            }};
}

std::string least_value(const Json& schema) {
    if (const auto examples = schema["examples"].items(); !examples.empty()) {
        return std::string(examples.front().raw());
    }
    if (schema["default"]) return std::string(schema["default"].raw());
    if (const auto choices = schema["enum"].items(); !choices.empty()) {
        return std::string(choices.front().raw());
    }
    const std::string type = schema["type"].text();
    if (type == "object") return least_config(std::string(schema.raw()));
    if (type == "array") return "[]";
    if (type == "boolean") return "false";
    if (type == "integer" || type == "number") {
        return schema["minimum"] ? std::string(schema["minimum"].raw()) : "0";
    }
    return R"("x")";
}

}  // namespace

Manifest read_manifest(const std::filesystem::path& folder) {
    std::ifstream in(folder / "plugin.json", std::ios::binary);
    if (!in) throw Broken("there is no plugin.json in " + folder.string());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto json = Json::parse(text);
    if (!json || !json->is_object()) throw Broken("plugin.json: expected a JSON object");
    Manifest manifest;
    manifest.id = text_of(*json, "id");
    manifest.version = text_of(*json, "version");
    manifest.abi = text_of(*json, "abi");
    manifest.interfaces = list_of(*json, "interfaces");
    manifest.adapter_types = list_of(*json, "adapterTypes");
    manifest.actions = list_of(*json, "actions");
    const std::filesystem::path library = text_of(*json, "library");
    if (library != library.filename()) {
        throw Broken(
            "plugin.json: library: expected the name of a file in the plugin's own folder");
    }
    manifest.library = folder / library;
    if (!std::filesystem::exists(manifest.library)) {
        throw Broken("plugin.json: library: there is no " + manifest.library.string());
    }
    const auto file = std::filesystem::absolute(folder / "plugin.json").lexically_normal();
    const auto name = file.parent_path().filename();
    if (manifest.id != name) {
        throw Broken("plugin.json: id: expected the folder's name " + name.string() + ", found " +
                     manifest.id);
    }
    bool listed = false;
    for (const auto& id : manifest.interfaces) listed = listed || id == PC_AGENT_INTERFACE;
    if (!listed)
        throw Broken("plugin.json: interfaces: expected " PC_AGENT_INTERFACE " among them");
    if (manifest.adapter_types.empty()) {
        throw Broken("plugin.json: adapterTypes: expected a list of at least one");
    }
    return manifest;
}

Loaded load(const Manifest& manifest) {
    void* const library = ::dlopen(manifest.library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw Broken(std::string("it cannot be loaded: ") + ::dlerror());
    using Entry = const pc_plugin* (*)();
    const auto entry = reinterpret_cast<Entry>(::dlsym(library, "paperclip_plugin_v1"));
    if (entry == nullptr) throw Broken("it has no paperclip_plugin_v1");
    Loaded loaded;
    loaded.plugin = entry();
    const pc_plugin* plugin = loaded.plugin;
    if (!PC_HAS(plugin, pc_plugin, interface_of) || plugin->init == nullptr ||
        plugin->deinit == nullptr || plugin->interface_of == nullptr) {
        throw Broken(
            "its plugin table is incomplete: is struct_size set, and every function there?");
    }
    if (plugin->abi_major != PC_ABI_MAJOR) {
        throw Broken("it was built for ABI " + std::to_string(plugin->abi_major) +
                     ", this kit checks " + std::to_string(PC_ABI_MAJOR));
    }
    static const pc_host host = {sizeof(pc_host),
                                 PC_ABI_MAJOR,
                                 PC_ABI_MINOR,
                                 nullptr,
                                 [](void*, std::int32_t, pc_str) {},
                                 [](void*, pc_str) -> const void* { return nullptr; }};
    pc_error error{};
    error.struct_size = sizeof error;
    if (plugin->init(&host, &error) != PC_OK)
        throw Broken(std::string("init failed: ") + error.message);
    loaded.agent = static_cast<const pc_agent*>(plugin->interface_of(sdk::str(PC_AGENT_INTERFACE)));
    const pc_agent* agent = loaded.agent;
    if (!PC_HAS(agent, pc_agent, step) || agent->describe == nullptr ||
        agent->config_schema == nullptr || agent->open == nullptr || agent->close == nullptr ||
        agent->step == nullptr) {
        throw Broken("its " PC_AGENT_INTERFACE
                     " is incomplete: is struct_size set, and every function there?");
    }
    return loaded;
}

std::string Loaded::describe() const {
    std::string text;
    pc_error error{};
    error.struct_size = sizeof error;
    const pc_writer out = writer_into(text);
    if (agent->describe(&out, &error) != PC_OK)
        throw Broken(std::string("describe() failed: ") + error.message);
    return text;
}

std::vector<std::string> Loaded::adapter_types() const {
    const std::string text = describe();
    const auto json = Json::parse(text);
    if (!json) throw Broken("describe() wrote no JSON: " + text.substr(0, 80));
    std::vector<std::string> types;
    for (const auto& entry : (*json)["adapterTypes"].items()) {
        types.push_back(entry["type"].text());
        if (types.back().empty())
            throw Broken("describe(): adapterTypes[].type: expected a string");
        if (entry["capabilities"] && !entry["capabilities"].is_object()) {
            throw Broken("describe(): adapterTypes[].capabilities: expected an object");
        }
    }
    if (types.empty()) throw Broken("describe(): adapterTypes: expected a list of at least one");
    return types;
}

std::string Loaded::config_schema(const std::string& type) const {
    std::string text;
    pc_error error{};
    error.struct_size = sizeof error;
    const pc_writer out = writer_into(text);
    if (agent->config_schema(sdk::str(type), &out, &error) != PC_OK) {
        throw Broken("there is no schema of " + type + ": " + error.message);
    }
    return text;
}

std::string least_config(const std::string& schema) {
    const auto json = Json::parse(schema);
    sdk::JsonWriter w;
    w.begin_object();
    for (const auto& name : json.value_or(Json())["required"].items()) {
        w.key(name.text()).raw(least_value((*json)["properties"][name.text()]));
    }
    return w.end_object().take();
}

}  // namespace paperclip::check::agent
