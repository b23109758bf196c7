#include <algorithm>

#include <paperclip/cpp/metering.hpp>

// Hands a run to a service by one HTTP request. See README.md.
namespace paperclip::http_agent {
namespace {

constexpr std::size_t k_max_body = 256 << 10;
constexpr std::size_t k_max_kept = 64 << 10;

constexpr sdk::AdapterType k_type{.type = "http",
                                  .label = "HTTP",
                                  .capabilities = R"({"models":false,"sessions":true})",
                                  .config_schema = R"({
  "type": "object",
  "required": ["url"],
  "properties": {
    "url": {"type": "string", "pattern": "^https?://", "title": "URL",
            "examples": ["http://127.0.0.1:9/agent"]},
    "method": {"type": "string", "pattern": "^[A-Za-z]+$", "title": "Method", "default": "POST"},
    "headers": {"type": "object", "title": "Headers"},
    "payloadTemplate": {"type": "object", "title": "What the body has beside the run"},
    "timeoutSec": {"type": "number", "minimum": 0, "title": "Timeout in seconds, 0 for none"},
    "timeoutMs": {"type": "number", "minimum": 0, "title": "Timeout in milliseconds"}
  }
})"};

[[noreturn]] void refuse(const std::string& field, const std::string& why) {
    throw sdk::Failure(PC_INVALID, "adapterConfig." + field + ": " + why);
}

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c > 0x20 && c < 0x7F &&
               std::string_view("()<>@,;:\\\"/[]?={}").find(c) == std::string_view::npos;
    });
}

/// A header's value: a string, or {"$secret":"NAME","prefix":"Bearer "}.
std::string header_value(const std::string& field, const sdk::Json& value) {
    std::string text = value.text();
    if (value["$secret"].is_string()) {
        sdk::JsonWriter w;
        w.begin_object().member("$secret", value["$secret"].text()).end_object();
        text = value["prefix"].text() + w.take();
    } else if (!value.is_string()) {
        refuse(field, R"(expected a string or {"$secret":"NAME","prefix":"Bearer "})");
    } else if (text.find("{\"$secret\"") != std::string::npos) {
        refuse(field, "a secret is an object, not a string");
    }
    if (sdk::has_control(text)) refuse(field, "must not hold control characters");
    return text;
}

std::vector<std::string> headers(const sdk::Json& config) {
    std::vector<std::string> list{"content-type", "application/json"};
    for (const auto& [name, value] : config.members()) {
        if (!is_token(name)) refuse("headers." + name, "expected the name of a header");
        std::string lower = name;
        for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
        if (lower == "content-type") list.erase(list.begin(), list.begin() + 2);
        list.push_back(name);
        list.push_back(header_value("headers." + name, value));
    }
    return list;
}

/// A member that the run itself has wins over the template's.
std::string body_of(const sdk::Request& request, const sdk::Json& payload) {
    sdk::JsonWriter w;
    w.begin_object();
    for (const auto& [name, value] : payload.members()) {
        if (name != "agentId" && name != "runId" && name != "context") w.member(name, value);
    }
    w.member("agentId", request.agent_id).member("runId", request.run_id);
    const auto context = sdk::Json::parse(request.context);
    return w.member("context", context.value_or(sdk::Json())).end_object().take();
}

sdk::Http read_config(const sdk::Request& request) {
    const auto parsed = sdk::Json::parse(request.config);
    if (!parsed || !parsed->is_object()) {
        throw sdk::Failure(PC_INVALID, "adapterConfig: expected a JSON object");
    }
    const sdk::Json& config = *parsed;
    sdk::Http http;
    http.url = config["url"].text();
    if (!http.url.starts_with("http://") && !http.url.starts_with("https://")) {
        refuse("url", "expected an address that begins with http:// or https://");
    }
    if (sdk::has_control(http.url)) refuse("url", "must not hold control characters");
    http.method = config["method"].text("POST");
    if (!is_token(http.method)) refuse("method", "expected a word such as POST");
    for (char& c : http.method) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    if (config["payloadTemplate"] && !config["payloadTemplate"].is_object() &&
        !config["payloadTemplate"].is_null()) {
        refuse("payloadTemplate", "expected an object");
    }
    http.headers = headers(config["headers"]);
    // A GET has no body that anybody would read.
    if (http.method != "GET" && http.method != "HEAD")
        http.body = body_of(request, config["payloadTemplate"]);
    const std::int64_t limit = std::min<std::int64_t>(
        config["timeoutMs"].fixed(0).value_or(0) > 0 ? *config["timeoutMs"].fixed(0)
                                                     : std::int64_t{request.timeout_sec} * 1000,
        INT32_MAX);
    http.timeout_ms = static_cast<std::uint32_t>(std::max<std::int64_t>(0, limit));
    return http;
}

/// An address as it may be shown: no user, password, query or fragment.
std::string shown(std::string_view url) {
    url = url.substr(0, url.find_first_of("?#"));
    const auto host = url.find("://") + 3;
    const auto user = url.substr(host, url.find('/', host) - host).rfind('@');
    return std::string(url.substr(0, host)) +
           std::string(url.substr(user == std::string_view::npos ? host : host + user + 1));
}

/// The value of a header in lines of `Name: value`.
std::string_view header_in(std::string_view lines, std::string_view wanted) {
    while (!lines.empty()) {
        std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        const auto colon = line.find(':');
        if (colon != wanted.size()) continue;
        const bool same =
            std::equal(wanted.begin(), wanted.end(), line.begin(), [](char a, char b) {
                return a == static_cast<char>(b >= 'A' && b <= 'Z' ? b + 32 : b);
            });
        if (!same) continue;
        line.remove_prefix(colon + 1);
        while (line.starts_with(' ')) line.remove_prefix(1);
        while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
        return line;
    }
    return {};
}

class HttpAgent : public sdk::Agent {
 public:
    explicit HttpAgent(const sdk::Request& request)
        : sdk::Agent(request), http_(read_config(request)) {}

    void step(const sdk::Input& input, sdk::Actions& run) override {
        if (input.kind == PC_IN_START) return start(run);
        if (input.kind == PC_IN_CANCEL) return cancel(input, run);
        if (!sent_ || input.id != http_.id) return;
        if (input.kind == PC_IN_HTTP_HEAD) {
            status_ = input.code;
            retry_at_us_ =
                sdk::parse_retry_after(header_in(input.text, "retry-after"), input.now_us)
                    .value_or(0);
        } else if (input.kind == PC_IN_HTTP_BODY) {
            cut_ = cut_ || input.text.size() > k_max_body - body_.size();
            body_ += input.text.substr(0, k_max_body - body_.size());
        } else if (input.kind == PC_IN_HTTP_END) {
            finish(run, input.code == PC_HTTP_OK ? answered(run) : failed(input));
        }
    }

 private:
    void start(sdk::Actions& run) {
        if (request().kind == PC_START_MODELS) return run.result(sdk::Result::ok("[]"));
        if (request().kind == PC_START_PROBE) {
            http_.method = "HEAD";
            http_.body.clear();
            http_.timeout_ms = 3000;
        }
        sent_ = true;
        run.http(http_);
    }
    /// The host gives the request up with the run.
    void cancel(const sdk::Input& input, sdk::Actions& run) {
        if (input.code == PC_CANCEL_TIMEOUT) {
            return finish(
                run, sdk::Result::failed(PC_CLASS_TIMEOUT, "timeout", std::string(input.text)));
        }
        finish(run, sdk::Result::failed(PC_CLASS_CANCELLED, "cancelled", std::string(input.text)));
    }
    sdk::Result failed(const sdk::Input& end) const {
        const std::string what = http_.method + " " + shown(http_.url);
        const std::string why(end.text);
        switch (end.code) {
            case PC_HTTP_TIMEOUT:
                return sdk::Result::failed(PC_CLASS_TIMEOUT, "timeout",
                                           "Timed out: no whole answer to " + what);
            case PC_HTTP_REFUSED:
                return sdk::Result::failed(PC_CLASS_CONFIG, "http_refused",
                                           "HTTP invoke refused: " + what + ": " + why);
            case PC_HTTP_LOST:
                return sdk::Result::failed(
                    PC_CLASS_LOST, "process_lost",
                    "The engine was restarted while " + what +
                        " was on its way; it was not sent again, and nobody knows how it ended");
            default:
                return sdk::Result::failed(PC_CLASS_AGENT_ERROR, "adapter_failed",
                                           "HTTP invoke failed: " + what + ": " + why);
        }
    }
    sdk::Result answered(sdk::Actions& run) {
        if (request().kind == PC_START_PROBE) return probed();
        if (const auto json = sdk::Json::parse(body_); json && !cut_) {
            if (const auto report = (*json)["paperclip"]) meter_.take(report, run);
        }
        return meter_.outcome(by_status());
    }
    sdk::Result by_status() const {
        if (status_ >= 200 && status_ < 300) {
            return sdk::Result::ok("HTTP " + http_.method + " " + shown(http_.url));
        }
        const std::string message = "HTTP invoke failed with status " + std::to_string(status_);
        if ((status_ == 429 || status_ == 503) && retry_at_us_ > 0) {
            auto result = sdk::Result::failed(PC_CLASS_RATE_LIMIT, "rate_limited", message);
            result.retry_at_us = retry_at_us_;
            return result;
        }
        return sdk::Result::failed(PC_CLASS_AGENT_ERROR, "adapter_failed", message);
    }
    /// Any answer shows that somebody is there; 405 and 501 mean no more than that HEAD is unknown.
    sdk::Result probed() const {
        const bool fine = status_ < 400 || status_ == 405 || status_ == 501;
        sdk::JsonWriter w;
        w.begin_array().begin_object();
        w.member("code", fine ? "http_endpoint_probe_ok" : "http_endpoint_probe_unexpected_status");
        w.member("level", fine ? "info" : "warn");
        w.member("message", shown(http_.url) + " answered HEAD with " + std::to_string(status_));
        return sdk::Result::ok(w.end_object().end_array().take());
    }
    void finish(sdk::Actions& run, sdk::Result result) const {
        if (request().kind != PC_START_PROBE && status_ != 0) {
            sdk::JsonWriter w;
            w.begin_object().member("status", status_);
            const auto kept = sdk::utf8_prefix(body_, k_max_kept);
            w.member("body", kept).member("bodyTruncated", cut_ || kept.size() < body_.size());
            if (!result.data.empty()) w.key("data").raw(result.data);
            result.data = w.end_object().take();
        }
        run.result(result);
    }

    sdk::Http http_;
    bool sent_ = false;
    std::int32_t status_ = 0;
    std::int64_t retry_at_us_ = 0;
    std::string body_;
    bool cut_ = false;  ///< the answer was longer than we keep
    sdk::Meter meter_;
};

}  // namespace
}  // namespace paperclip::http_agent

PAPERCLIP_AGENT(paperclip::http_agent::HttpAgent, "agent-http", "0.1.0",
                paperclip::http_agent::k_type)
