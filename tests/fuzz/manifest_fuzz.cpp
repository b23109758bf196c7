#include "engine/base/error.hpp"
#include "engine/pluginhost/manifest.hpp"

#include <cstdint>
#include <cstdlib>

// A plugin.json: refused with a message, or a manifest that leads nowhere outside its folder.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace paperclip;
    try {
        const auto manifest =
            pluginhost::parse_manifest({reinterpret_cast<const char*>(data), size}, "plugin.json");
        const bool leads_out = manifest.library.find('/') != std::string::npos;
        if (leads_out || manifest.id.empty() || manifest.interfaces.empty()) std::abort();
    } catch (const Error& e) {
        if (e.message().empty()) std::abort();
    }
    return 0;
}
