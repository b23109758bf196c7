#include "elf_symbols.hpp"
#include "process_state.hpp"
#include "rules.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <dlfcn.h>

#include <paperclip/cpp/json.hpp>
#include <paperclip/cpp/plugin.hpp>

// What a plugin is, and what loading it does.
namespace paperclip::check::agent {
namespace {

constexpr std::string_view k_symbol = "paperclip_plugin_v1";

/// What a plugin may be linked with: the runtime of C and of C++.
constexpr std::array<const char*, 6> k_libraries{"libc.so.6",       "libm.so.6",
                                                 "libstdc++.so.6",  "libgcc_s.so.1",
                                                 "libpthread.so.0", "ld-linux-x86-64.so.2"};
constexpr std::array<std::string_view, 5> k_sanitizers{"__asan_", "__ubsan_", "__lsan_", "__tsan_",
                                                       "__sanitizer_"};

ElfSymbols symbols_of(const Context& context) {
    try {
        return read_symbols(context.manifest.library);
    } catch (const std::runtime_error& e) {
        throw Broken(context.manifest.library.string() + ": " + e.what());
    }
}

void check_exported(const Context& context) {
    std::string others;
    bool found = false;
    for (const auto& name : symbols_of(context).exported) {
        // The linker's own marks of where sections end.
        if (name == "_init" || name == "_fini" || name == "_edata" || name == "_end" ||
            name == "__bss_start") {
            continue;
        }
        if (name == k_symbol) {
            found = true;
        } else {
            others += " " + name;
        }
    }
    if (!found)
        throw Broken("expected the exported symbol paperclip_plugin_v1, found none of that name");
    if (!others.empty())
        throw Broken("expected paperclip_plugin_v1 alone, found as well:" + others);
}

void check_undefined(const Context& context) {
    std::vector<void*> libraries;
    for (const char* name : k_libraries) {
        if (void* library = ::dlopen(name, RTLD_LAZY | RTLD_LOCAL)) libraries.push_back(library);
    }
    std::string unknown;
    for (const auto& name : symbols_of(context).undefined) {
        const bool fine =
            std::any_of(k_sanitizers.begin(), k_sanitizers.end(),
                        [&](std::string_view prefix) { return name.starts_with(prefix); }) ||
            std::any_of(libraries.begin(), libraries.end(),
                        [&](void* library) { return ::dlsym(library, name.c_str()) != nullptr; });
        if (!fine) unknown += " " + name;
    }
    if (!unknown.empty()) {
        throw Broken("expected nothing beyond the C and C++ runtime, found undefined:" + unknown);
    }
}

void check_loads(const Context& context) {
    load(context.manifest);
}

void check_identity(const Context& context) {
    const Manifest& manifest = context.manifest;
    const Loaded loaded = load(manifest);
    const auto compare = [](const char* what, const std::string& in_json,
                            std::string_view in_code) {
        if (in_json != in_code) {
            throw Broken(std::string(what) + ": plugin.json says " + in_json + ", the code says " +
                         std::string(in_code));
        }
    };
    compare("id", manifest.id, sdk::view(loaded.plugin->id));
    compare("version", manifest.version, sdk::view(loaded.plugin->version));
    compare(
        "abi", manifest.abi,
        std::to_string(loaded.plugin->abi_major) + "." + std::to_string(loaded.plugin->abi_minor));
    auto in_code = loaded.adapter_types();
    auto in_json = manifest.adapter_types;
    std::sort(in_code.begin(), in_code.end());
    std::sort(in_json.begin(), in_json.end());
    if (in_code != in_json)
        throw Broken("adapterTypes: plugin.json and describe() name different ones");
}

void check_pure(const Context& context) {
    std::setlocale(LC_ALL, "C");
    const ProcessState before;
    load(context.manifest);
    if (const auto changes = before.changes(); !changes.empty()) {
        throw Broken("expected that loading and init() change nothing of the process, changed: " +
                     changes);
    }
}

void check_unknown_interface(const Context& context) {
    const Loaded loaded = load(context.manifest);
    const std::array<std::string, 6> ids{
        "",         "paperclip.agent/999",    "paperclip.nothing/1", PC_AGENT_INTERFACE " ",
        "\xFF\xFE", std::string(1 << 20, 'a')};
    for (const auto& id : ids) {
        if (loaded.plugin->interface_of(sdk::str(id)) != nullptr) {
            throw Broken("expected NULL for an unknown interface, \"" + id.substr(0, 40) +
                         "\", found a table");
        }
    }
    if (loaded.plugin->interface_of({nullptr, 0}) != nullptr) {
        throw Broken("expected NULL for an empty id, found a table");
    }
}

void check_describe(const Context& context) {
    const Loaded loaded = load(context.manifest);
    (void)loaded.adapter_types();  // throws
    if (loaded.describe() != loaded.describe())
        throw Broken("describe() says another thing each time");
}

void check_schema(const Context& context) {
    const Loaded loaded = load(context.manifest);
    for (const auto& type : context.manifest.adapter_types) {
        const std::string schema = loaded.config_schema(type);
        const auto json = sdk::Json::parse(schema);
        if (!json || !json->is_object())
            throw Broken("the schema of " + type + " is no JSON object");
        if ((*json)["type"].text() != "object") {
            throw Broken("the schema of " + type + ": expected \"type\":\"object\"");
        }
    }
    pc_error error{};
    error.struct_size = sizeof error;
    const pc_writer out{sizeof out, 0, nullptr, [](void*, pc_str) {}};
    if (loaded.agent->config_schema(sdk::str("no such type"), &out, &error) == PC_OK) {
        throw Broken("config_schema() said PC_OK for a type that there is not");
    }
}

}  // namespace

std::vector<Rule> load_rules() {
    return {
        {{"plugin.exported", "The library exports paperclip_plugin_v1 and nothing else"},
         false,
         check_exported},
        {{"plugin.undefined", "The library needs nothing beyond the C and C++ runtime"},
         false,
         check_undefined},
        {{"plugin.loads", "It can be loaded, its tables are complete, init() succeeds"},
         true,
         check_loads},
        {{"agent.describe", "describe() writes JSON that names its adapter types"},
         true,
         check_describe},
        {{"plugin.identity", "Its code and its plugin.json say the same"}, true, check_identity},
        {{"plugin.pure_load", "Loading it changes nothing of the process"}, true, check_pure},
        {{"plugin.unknown_interface", "An unknown interface is NULL"},
         true,
         check_unknown_interface},
        {{"agent.config_schema", "Each type has a JSON Schema of an object; others have none"},
         true,
         check_schema},
    };
}

}  // namespace paperclip::check::agent
