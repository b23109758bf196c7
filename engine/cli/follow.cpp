#include "engine/cli/follow.hpp"

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"

#include <chrono>
#include <cstdio>
#include <thread>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds k_look_again{200};

bool is_final(const std::string& status) {
    return status != "queued" && status != "running" && status != "scheduled_retry";
}

std::string text_of(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

/// Prints the whole lines of `content`; returns how many bytes those were.
std::size_t print_lines(std::string_view content) {
    std::size_t done = 0;
    for (auto end = content.find('\n'); end != std::string_view::npos;
         end = content.find('\n', done)) {
        const auto entry = parse_json(content.substr(done, end - done));
        const std::string chunk = text_of(entry.as_object(), "chunk");
        const bool is_error = text_of(entry.as_object(), "stream") == "stderr";
        std::fputs(chunk.c_str(), is_error ? stderr : stdout);
        if (!chunk.ends_with('\n')) std::fputc('\n', is_error ? stderr : stdout);
        done = end + 1;
    }
    std::fflush(stdout);
    return done;
}

}  // namespace

bool follow_run(Client& client, const std::string& run, bool as_json) {
    std::size_t offset = 0;
    for (;;) {
        const json::value state = client.get("/heartbeat-runs/" + run);
        const std::string status = text_of(state.as_object(), "status");
        if (!as_json && state.as_object().at("logRef").is_string()) {
            const json::value log =
                client.get("/heartbeat-runs/" + run + "/log?offset=" + std::to_string(offset) +
                           "&limitBytes=262144");
            const std::size_t printed = print_lines(log.as_object().at("content").as_string());
            offset += printed;
            if (printed > 0) continue;  // there may be more
        }
        if (is_final(status)) {
            const std::string error = text_of(state.as_object(), "error");
            if (as_json)
                std::printf("%s\n", json::serialize(state).c_str());
            else
                std::printf("run %s%s%s\n", status.c_str(), error.empty() ? "" : ": ",
                            error.c_str());
            return status == "succeeded";
        }
        std::this_thread::sleep_for(k_look_again);
    }
}

}  // namespace paperclip::cli
