#include "engine/access/run_tokens.hpp"

#include "engine/access/agent_keys.hpp"
#include "engine/base/files.hpp"

#include <Poco/JWT/Signer.h>
#include <Poco/JWT/Token.h>
#include <sodium.h>

namespace paperclip::access {
namespace {

constexpr const char* k_issuer = "paperclip";
constexpr const char* k_audience = "paperclip-api";

Poco::Timestamp to_poco(Time time) {
    return {time.time_since_epoch().count()};
}

std::string claim(const Poco::JWT::Token& token, const std::string& name) {
    return token.payload().optValue<std::string>(name, "");
}

}  // namespace

RunTokens::RunTokens(const Clock& clock, std::string secret, std::string instance_id, Duration ttl)
    : clock_(clock), secret_(std::move(secret)), instance_id_(std::move(instance_id)), ttl_(ttl) {}

std::string RunTokens::load_secret(const std::filesystem::path& file) {
    if (std::filesystem::exists(file)) {
        std::string secret = read_file(file, 4096);
        if (secret.size() >= 32) return secret;
        throw Error(ErrorKind::unavailable, file.string() +
                                                ": expected at least 32 bytes; delete the file to "
                                                "get a new key");
    }
    make_private_folder(file.parent_path());
    std::string secret = random_hex(32);
    write_file_durably(file, secret);
    return secret;
}

std::string RunTokens::company_key(std::string_view company) const {
    const std::string message = "jwt:" + instance_id_ + ":" + std::string(company);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret_.data()),
                                secret_.size());
    crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(message.data()),
                                  message.size());
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_final(&state, mac);
    std::string hex(sizeof mac * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), mac, sizeof mac);
    hex.pop_back();
    return hex;
}

std::string RunTokens::issue(const RunClaims& claims) const {
    Poco::JWT::Token token;
    token.setType("JWT");
    token.setSubject(claims.agent_id.str());
    token.setIssuer(k_issuer);
    token.setAudience(k_audience);
    token.setIssuedAt(to_poco(clock_.now()));
    token.setExpiration(to_poco(clock_.now() + ttl_));
    token.payload().set("company_id", claims.company_id.str());
    token.payload().set("run_id", claims.run_id.str());
    token.payload().set("adapter_type", claims.adapter_type);
    token.payload().set("responsible_user_id", claims.responsible_user_id);
    token.payload().set("instance_id", instance_id_);
    Poco::JWT::Signer signer(company_key(claims.company_id.view()));
    return signer.sign(token, Poco::JWT::Signer::ALGO_HS256);
}

std::optional<RunClaims> RunTokens::verify(std::string_view text) const {
    try {
        const std::string jwt(text);
        // Read before it is verified, only to learn whose key to verify with.
        const std::string company = claim(Poco::JWT::Token(jwt), "company_id");
        Poco::JWT::Signer signer(company_key(company));
        signer.addAlgorithm(Poco::JWT::Signer::ALGO_HS256);
        Poco::JWT::Token token;
        if (!signer.tryVerify(jwt, token)) return std::nullopt;
        const bool ours = token.getIssuer() == k_issuer &&
                          token.getAudience() == std::vector<std::string>{k_audience} &&
                          claim(token, "instance_id") == instance_id_ &&
                          token.getExpiration() > to_poco(clock_.now());
        const auto agent_id = Id::parse(token.getSubject());
        const auto company_id = Id::parse(company);
        const auto run_id = Id::parse(claim(token, "run_id"));
        if (!ours || !agent_id || !company_id || !run_id) return std::nullopt;
        return RunClaims{*agent_id, *company_id, *run_id, claim(token, "adapter_type"),
                         claim(token, "responsible_user_id")};
    } catch (const Poco::Exception&) {
        return std::nullopt;
    }
}

}  // namespace paperclip::access
