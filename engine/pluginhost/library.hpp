#pragma once

#include "engine/pluginhost/manifest.hpp"

#include <filesystem>
#include <paperclip/abi.h>
#include <string>

namespace paperclip::pluginhost {

/// A loaded plugin: its code stays mapped until the process ends, whatever happens to this object
/// (why: see sdk/CONVENTIONS.md). Made by load().
class Library {
 public:
    [[nodiscard]] const FoundPlugin& found() const { return found_; }
    [[nodiscard]] const pc_plugin& plugin() const { return *plugin_; }

    /// The table of an interface, or nullptr.
    template <class Table>
    [[nodiscard]] const Table* interface_of(std::string_view id) const {
        return static_cast<const Table*>(plugin_->interface_of({id.data(), id.size()}));
    }

 private:
    friend const Library& load(const FoundPlugin& found);
    Library(FoundPlugin found, const pc_plugin* plugin)
        : found_(std::move(found)), plugin_(plugin) {}

    FoundPlugin found_;
    const pc_plugin* plugin_;
};

/// Loads a plugin and calls its init(); the same folder is loaded once. Throws Error{unavailable}
/// whose message says what to do: no symbol, another ABI, an identity other than the manifest's.
const Library& load(const FoundPlugin& found);

/// Does this engine speak the ABI "MAJOR.MINOR" of a manifest? Otherwise what to do about it.
std::string abi_mismatch(const Manifest& manifest);

}  // namespace paperclip::pluginhost
