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

/// Takes the whole lines of `content`; returns how many bytes those were.
std::size_t take_lines(std::string_view content, const Following& following) {
    std::size_t done = 0;
    for (auto end = content.find('\n'); end != std::string_view::npos;
         end = content.find('\n', done)) {
        following.entry(parse_json(content.substr(done, end - done)).as_object());
        done = end + 1;
    }
    return done;
}

}  // namespace

json::object follow_run(Client& client, const std::string& run, const Following& following) {
    std::size_t offset = 0;
    for (;;) {
        json::value state = client.get("/heartbeat-runs/" + run);
        if (following.entry && state.as_object().at("logRef").is_string()) {
            const json::value log =
                client.get("/heartbeat-runs/" + run + "/log?offset=" + std::to_string(offset) +
                           "&limitBytes=262144");
            const std::size_t taken =
                take_lines(log.as_object().at("content").as_string(), following);
            offset += taken;
            if (taken > 0) continue;  // there may be more
        }
        if (is_final(text_of(state.as_object(), "status"))) return std::move(state.as_object());
        following.wait();
    }
}

bool follow_run(Client& client, const std::string& run, bool as_json) {
    Following following{.wait = [] { std::this_thread::sleep_for(k_look_again); }};
    if (!as_json) following.entry = print_entry;
    const json::object state = follow_run(client, run, following);
    as_json ? static_cast<void>(std::printf("%s\n", json::serialize(state).c_str()))
            : print_end(state);
    return has_succeeded(state);
}

void print_entry(const json::object& entry) {
    const std::string chunk = text_of(entry, "chunk");
    std::FILE* const out = text_of(entry, "stream") == "stderr" ? stderr : stdout;
    std::fputs(chunk.c_str(), out);
    if (!chunk.ends_with('\n')) std::fputc('\n', out);
    std::fflush(out);
}

void print_end(const json::object& run) {
    const std::string error = text_of(run, "error");
    std::printf("run %s%s%s\n", text_of(run, "status").c_str(), error.empty() ? "" : ": ",
                error.c_str());
}

bool has_succeeded(const json::object& run) {
    return text_of(run, "status") == "succeeded";
}

}  // namespace paperclip::cli
