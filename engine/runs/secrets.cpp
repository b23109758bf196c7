#include "engine/runs/secrets.hpp"

#include "engine/base/error.hpp"
#include "engine/base/files.hpp"
#include "engine/base/json.hpp"

#include <cstdlib>

#include <boost/json.hpp>

namespace paperclip::runs {

namespace {

std::string read_secret_file(std::string_view name, const std::string& path) {
    try {
        return read_file(path, 1 << 20);
    } catch (const Error& e) {
        throw Error(ErrorKind::unprocessable, "secret " + std::string(name) + ": " + e.message(),
                    "configuration_incomplete");
    }
}

}  // namespace

void SecretSource::declare(std::string name, std::string source) {
    const std::lock_guard lock(mutex_);
    sources_[std::move(name)] = std::move(source);
}

std::optional<std::string> SecretSource::find(std::string_view name) const {
    std::string source = "env:PAPERCLIP_SECRET_" + std::string(name);
    {
        const std::lock_guard lock(mutex_);
        if (const auto declared = sources_.find(name); declared != sources_.end()) {
            source = declared->second;
        }
    }
    std::optional<std::string> value;
    if (source.starts_with("env:")) {
        if (const char* text = std::getenv(source.c_str() + 4)) value = text;
    } else if (source.starts_with("file:")) {
        value = read_secret_file(name, source.substr(5));
        while (value->ends_with('\n')) value->pop_back();
    }
    if (value) redactor_.add(*value);
    return value;
}

std::string SecretSource::resolve(const std::string& text) const {
    if (!text.starts_with("{\"$secret\"")) return text;
    const auto parsed = parse_json(text);
    const auto* name = parsed.get_object().if_contains("$secret");
    if (name == nullptr || !name->is_string()) return text;
    if (const auto value = find(std::string_view(name->get_string()))) return *value;
    throw Error(ErrorKind::unprocessable,
                "secret " + std::string(name->get_string()) +
                    " has no value; set PAPERCLIP_SECRET_" + std::string(name->get_string()) +
                    " in the engine's environment, or give it a file: source",
                "configuration_incomplete");
}

}  // namespace paperclip::runs
