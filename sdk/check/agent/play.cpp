#include "play.hpp"

#include <array>
#include <ctime>

#include <paperclip/cpp/json.hpp>
#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check::agent {

using sdk::Json;
using sdk::str;
using sdk::view;

namespace {

std::int64_t thread_time_us() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1'000'000LL + time.tv_nsec / 1000;
}

bool is_json(std::string_view text) {
    return Json::parse(text).has_value();
}

}  // namespace

/// The functions of pc_actions.
struct Recorder {
    static Play& play(void* ctx) {
        auto& play = *static_cast<Play*>(ctx);
        ++play.actions_;
        return play;
    }
    static std::string list(const pc_str* texts, std::uint32_t count) {
        std::string all;
        for (std::uint32_t i = 0; i < count; ++i) all += " '" + std::string(view(texts[i])) + "'";
        return all;
    }
    static void spawn(void* ctx, const pc_spawn* spawn) {
        Play& p = play(ctx);
        p.note("spawn " + std::to_string(spawn->child) + list(spawn->argv, spawn->argc) +
               list(spawn->environment, spawn->environment_count) + " in " +
               std::string(view(spawn->cwd)) + " with " + std::string(view(spawn->input)));
        if (spawn->struct_size < sizeof(pc_spawn))
            p.complain("pc_spawn.struct_size is not its size");
        if (spawn->argc == 0 || view(spawn->argv[0]).empty()) p.complain("SPAWN without a program");
        if (spawn->environment_count % 2 != 0) p.complain("SPAWN: a variable has no value");
        if (!p.children_.insert(spawn->child).second)
            p.complain("SPAWN uses a child's number twice");
        p.live_.insert(spawn->child);
        p.pending_.push_back({.kind = PC_IN_EXIT, .child = spawn->child});
    }
    static void write_stdin(void* ctx, std::int32_t child, pc_str bytes, std::int32_t close) {
        Play& p = play(ctx);
        p.note("stdin " + std::to_string(child) + " " + std::string(view(bytes)) +
               std::to_string(close));
        if (!p.children_.contains(child)) p.complain("STDIN of a child that was never started");
    }
    static void signal(void* ctx, std::int32_t child, std::int32_t signal) {
        Play& p = play(ctx);
        p.note("signal " + std::to_string(child) + " " + std::to_string(signal));
        if (!p.children_.contains(child)) p.complain("SIGNAL to a child that was never started");
    }
    static void http(void* ctx, const pc_http* http) {
        Play& p = play(ctx);
        p.note("http " + std::to_string(http->id) + " " + std::string(view(http->method)) + " " +
               std::string(view(http->url)) + list(http->headers, http->header_count) + " " +
               std::string(view(http->body)));
        if (http->struct_size < sizeof(pc_http)) p.complain("pc_http.struct_size is not its size");
        if (view(http->method).empty() || view(http->url).empty())
            p.complain("HTTP without a method or URL");
        if (http->header_count % 2 != 0) p.complain("HTTP: a header has no value");
        for (std::uint32_t i = 0; i < http->header_count; ++i) {
            if (sdk::has_control(view(http->headers[i])))
                p.complain("HTTP: a header of several lines");
        }
        if (!p.requests_.insert(http->id).second) p.complain("HTTP uses a request's number twice");
        p.open_requests_.insert(http->id);
        p.pending_.push_back({.kind = PC_IN_HTTP_END, .id = http->id});
    }
    static void timer(void* ctx, std::uint64_t id, std::uint32_t milliseconds) {
        Play& p = play(ctx);
        p.note("timer " + std::to_string(id) + " " + std::to_string(milliseconds));
        p.pending_.push_back({.kind = PC_IN_TIMER, .id = id});
    }
    static void log(void* ctx, std::int32_t stream, pc_str text) {
        play(ctx).note("log " + std::to_string(stream) + " " + std::string(view(text)));
    }
    static void session(void* ctx, pc_str json, pc_str display_id) {
        Play& p = play(ctx);
        p.note("session " + std::string(view(json)) + " " + std::string(view(display_id)));
        if (!is_json(view(json))) p.complain("SESSION is no JSON");
    }
    static void usage(void* ctx, const pc_usage* usage) {
        Play& p = play(ctx);
        p.note("usage " + std::to_string(usage->input_tokens) + " " +
               std::to_string(usage->cached_input_tokens) + " " +
               std::to_string(usage->output_tokens) + " " + std::to_string(usage->cost_micros) +
               " " + std::string(view(usage->model)));
        if (usage->struct_size < sizeof(pc_usage))
            p.complain("pc_usage.struct_size is not its size");
        if (usage->input_tokens < 0 || usage->cached_input_tokens < 0 || usage->output_tokens < 0 ||
            usage->cost_micros < -1) {
            p.complain("USAGE is negative");
        }
    }
    static void handle(void* ctx, pc_str bytes) {
        play(ctx).note("handle " + std::string(view(bytes)));
    }
    static void result(void* ctx, const pc_result* result) {
        Play& p = play(ctx);
        ++p.results_;
        p.class_ = result->error_class;
        p.note("result " + std::to_string(result->error_class) + " " +
               std::string(view(result->error_code)) + " " + std::string(view(result->message)) +
               " " + std::string(view(result->summary)) + " " + std::string(view(result->data)));
        if (result->struct_size < sizeof(pc_result))
            p.complain("pc_result.struct_size is not its size");
        if (result->error_class < PC_CLASS_OK || result->error_class > PC_CLASS_INTERNAL) {
            p.complain("RESULT has class " + std::to_string(result->error_class) +
                       ", which there is not");
        }
        const auto data = view(result->data);
        const auto json = Json::parse(data);
        if (!data.empty() && (!json || !json->is_object()))
            p.complain("RESULT's data is no JSON object");
    }
};

Play::Play(const pc_agent& agent, const Request& request) : agent_(agent) {
    const std::array<std::string_view, 4> environment{"PATH", "/usr/bin:/bin", "PAPERCLIP_RUN_ID",
                                                      request.run_id};
    std::array<pc_str, 4> variables{};
    for (std::size_t i = 0; i < variables.size(); ++i) variables[i] = str(environment[i]);
    pc_request c{};
    c.kind = request.kind;
    c.adapter_type = str(request.adapter_type);
    c.run_id = str(request.run_id);
    c.agent_id = str("agent-1");
    c.company_id = str("company-1");
    c.config = str(request.config);
    c.context = str(request.context);
    c.prompt = str(request.prompt);
    c.cwd = str("/tmp");
    c.session = str(request.session);
    c.api_url = str("http://127.0.0.1:3100");
    c.environment = variables.data();
    c.environment_count = variables.size();
    c.timeout_sec = 60;
    c.grace_sec = 5;
    c.budget_micros = 1'000'000;
    // What lies beyond its size is not there: a plugin that looks anyway gets nonsense.
    std::array<unsigned char, sizeof(pc_request) + 64> bytes{};
    bytes.fill(0xA5);
    std::memcpy(bytes.data(), &c, std::min<std::size_t>(sizeof c, request.struct_size));
    std::memcpy(bytes.data(), &request.struct_size, sizeof request.struct_size);
    alignas(pc_request) std::array<unsigned char, sizeof(pc_request) + 64> aligned = bytes;
    pc_error error{};
    error.struct_size = sizeof error;
    const pc_status status =
        agent_.open(reinterpret_cast<const pc_request*>(aligned.data()), &run_, &error);
    if (status == PC_OK && run_ == nullptr) throw Broken("open() said PC_OK and gave no run");
    if (status == PC_OK) return;
    run_ = nullptr;
    const std::string_view message(error.message, ::strnlen(error.message, sizeof error.message));
    if (message.size() == sizeof error.message)
        throw Broken("open() left an error without its final NUL");
    error_ = message.empty() ? "no reason given" : std::string(message);
}

Play::~Play() {
    if (run_ != nullptr) agent_.close(run_);
}

void Play::note(std::string line) {
    used_.insert(line.substr(0, line.find(' ')));
    transcript_ += std::move(line) + "\n";
}

void Play::complain(const std::string& what) {
    if (malformed_.empty()) malformed_ = what;
}

std::size_t Play::give(const Input& input) {
    if (input.kind == PC_IN_EXIT) live_.erase(input.child);
    if (input.kind == PC_IN_HTTP_END) open_requests_.erase(input.id);
    const pc_actions actions = {sizeof(pc_actions),
                                0,
                                this,
                                Recorder::spawn,
                                Recorder::write_stdin,
                                Recorder::signal,
                                Recorder::http,
                                Recorder::timer,
                                Recorder::log,
                                Recorder::session,
                                Recorder::usage,
                                Recorder::handle,
                                Recorder::result};
    now_us_ += 1'000'000;
    const pc_input c = {input.struct_size, input.kind, now_us_,      input.id,       input.child,
                        input.stream,      input.code, input.signal, str(input.text)};
    const std::size_t before = actions_;
    const std::int64_t started = thread_time_us();
    const pc_status status = agent_.step(run_, &c, &actions);
    slowest_us_ = std::max(slowest_us_, thread_time_us() - started);
    if (status != PC_OK) transcript_ += "status " + std::to_string(status) + "\n";
    return actions_ - before;
}

/// What becomes of the oldest thing that was asked for.
void Play::answer(int variant) {
    const Input next = pending_.front();
    pending_.pop_front();
    if (next.kind == PC_IN_EXIT) {
        for (const char* line : {"hello", "", "{\"type\":\"result\",\"ok\":true}", "{\"broken"}) {
            give({.kind = PC_IN_LINE, .child = next.child, .stream = PC_STREAM_OUT, .text = line});
        }
        give({.kind = PC_IN_LINE,
              .child = next.child,
              .stream = PC_STREAM_ERR,
              .text = "a warning"});
        static const std::array<Input, 4> ends{
            {{.kind = PC_IN_EXIT},
             {.kind = PC_IN_EXIT, .code = 1},
             {.kind = PC_IN_EXIT, .code = -1, .signal = 11},
             {.kind = PC_IN_EXIT, .code = -1, .text = "no such file"}}};
        Input end = ends[static_cast<std::size_t>(variant) % ends.size()];
        end.child = next.child;
        give(end);
    } else if (next.kind == PC_IN_HTTP_END) {
        static constexpr std::array<int, 4> statuses{200, 409, 500, 200};
        const auto chosen = static_cast<std::size_t>(variant) % statuses.size();
        if (chosen < 3) {
            give({.kind = PC_IN_HTTP_HEAD,
                  .id = next.id,
                  .code = statuses[chosen],
                  .text = "A: b\r\n"});
            give({.kind = PC_IN_HTTP_BODY, .id = next.id, .text = variant < 4 ? "{}" : "\xFF{["});
            give({.kind = PC_IN_HTTP_END, .id = next.id});
        } else {
            give(
                {.kind = PC_IN_HTTP_END, .id = next.id, .code = PC_HTTP_FAILED, .text = "refused"});
        }
    } else {
        give(next);
    }
}

void Play::run(int variant, int most) {
    give({.kind = PC_IN_START});
    while (results_ == 0 && !pending_.empty() && most-- > 0) answer(variant);
}

void Play::cancel() {
    give({.kind = PC_IN_CANCEL, .code = PC_CANCEL_USER, .text = "enough"});
    const auto live = live_;
    for (const auto child : live)
        give({.kind = PC_IN_EXIT, .child = child, .code = -1, .signal = 15});
    const auto open = open_requests_;
    for (const auto id : open) {
        if (results_ == 0)
            give({.kind = PC_IN_HTTP_END, .id = id, .code = PC_HTTP_FAILED, .text = "given up"});
    }
}

}  // namespace paperclip::check::agent
