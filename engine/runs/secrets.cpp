#include "engine/runs/secrets.hpp"

#include "engine/base/error.hpp"
#include "engine/base/files.hpp"
#include "engine/base/json.hpp"

#include <cstdlib>

#include <boost/json.hpp>

namespace paperclip::runs {

namespace {

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
    throw Error(ErrorKind::unprocessable, "secret " + std::string(name) + " " + why,
                "configuration_incomplete");
}

std::string read_variable(std::string_view name, const std::string& variable) {
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr) {
        refuse(name, "has no value; set " + variable + " in the engine's environment");
    }
    return value;
}

std::string read_secret_file(std::string_view name, const std::string& path) {
    std::string value;
    try {
        value = read_file(path, 1 << 20);
    } catch (const Error& e) {
        refuse(name, "has no value: " + e.message());
    }
    while (value.ends_with('\n')) value.pop_back();
    return value;
}

std::string read_value(std::string_view name, const std::string& source) {
    if (source.empty()) return read_variable(name, "PAPERCLIP_SECRET_" + std::string(name));
    if (source.starts_with("env:")) return read_variable(name, source.substr(4));
    if (source.starts_with("file:")) return read_secret_file(name, source.substr(5));
    refuse(name, "has the source " + source + "; expected env:NAME or file:/path");
}

}  // namespace

void SecretSource::declare(DeclaredSecrets declared) {
    const std::lock_guard lock(mutex_);
    declared_ = std::move(declared);
}

std::string SecretSource::find(const Id& company, std::string_view name) const {
    std::optional<std::string> source;
    {
        const std::lock_guard lock(mutex_);
        if (const auto own = declared_.find(company); own != declared_.end()) {
            if (const auto entry = own->second.find(name); entry != own->second.end()) {
                source = entry->second;
            }
        }
    }
    if (!source) refuse(name, "is not declared by the company; add it to secrets: in company.yaml");
    const std::string value = read_value(name, *source);
    redactor_.add(value);
    return value;
}

std::string SecretSource::resolve(const Id& company, const std::string& text) const {
    if (!text.starts_with("{\"$secret\"")) return text;
    const auto parsed = parse_json(text);
    const auto* name = parsed.get_object().if_contains("$secret");
    if (name == nullptr || !name->is_string()) return text;
    return find(company, std::string_view(name->get_string()));
}

}  // namespace paperclip::runs
