#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>

namespace paperclip::declaration {

/// An entry of `secrets:`, a name, or a name with where its value comes from:
///
///     secrets: [GITHUB_TOKEN, { SLACK_WEBHOOK: file:/run/secrets/slack }, { NPM: env:NPM_TOKEN }]
///
/// Without a source the value is what `paperclipai secrets set` or PAPERCLIP_SECRET_<NAME> gave.
struct SecretEntry {
    std::string name;
    std::string source;  ///< "env:NAME", "file:/path" or empty

    friend bool operator==(const SecretEntry&, const SecretEntry&) = default;
};

/// The value of an environment variable: a text, or `{ secret: NAME }`.
struct EnvValue {
    std::string text;
    std::string secret;  ///< the name of a secret; then `text` is empty

    friend bool operator==(const EnvValue&, const EnvValue&) = default;
};

}  // namespace paperclip::declaration

template <>
struct paperclip::OwnType<paperclip::declaration::SecretEntry> {
    static const Type& get();
};
template <>
struct paperclip::OwnType<paperclip::declaration::EnvValue> {
    static const Type& get();
};
