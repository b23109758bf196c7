#include "engine/cli/own_engine.hpp"

#include "engine/base/error.hpp"
#include "engine/base/json.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>

namespace paperclip::cli {
namespace {

struct Pipe {
    UniqueFd out;
    UniqueFd in;

    Pipe() {
        int fds[2];
        if (::pipe2(fds, O_CLOEXEC) != 0) {
            throw system_error(ErrorKind::unavailable, "cannot make a pipe", errno);
        }
        out.reset(fds[0]);
        in.reset(fds[1]);
    }
};

std::string read_to_end(const UniqueFd& fd) {
    std::string text;
    char buffer[4096];
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return text;
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

void say_failure(const UniqueFd& to, const Error& error) {
    std::string text;
    JsonWriter out(text);
    out.begin_object().member("kind", static_cast<std::int64_t>(error.kind()));
    out.member("error", error.message()).member("code", error.code()).end_object();
    write_all(to.get(), text, "the failure of an engine");
}

/// Says its port, works until `life` ends.
void serve(app::EngineOptions options, LogLevel level, const UniqueFd& life, UniqueFd& to) {
    // A terminal sends these to both processes; the other one decides.
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    static Redactor redactor;  // until the last line of the log
    configure_log(LogFormat::text, level, redactor);
    options.port = 0;
    app::Engine engine(std::move(options), redactor);
    engine.start();
    std::string text;
    JsonWriter(text).begin_object().member("port", std::int64_t{engine.port()}).end_object();
    write_all(to.get(), text, "the port of an engine");
    to.reset();
    read_to_end(life);
    engine.stop(false);
}

/// The engine's process. Nothing of the one that it comes from is its own to tidy up.
[[noreturn]] void be_engine(const app::EngineOptions& options, LogLevel level, const UniqueFd& life,
                            UniqueFd& to) {
    try {
        serve(options, level, life, to);
        ::_exit(0);
    } catch (const Error& e) {
        if (to) say_failure(to, e);
    } catch (const std::exception& e) {
        if (to) say_failure(to, Error(ErrorKind::internal, e.what()));
    }
    ::_exit(1);
}

/// The port that the engine's process told us, or the failure.
std::int64_t port_in(const std::string& answer) {
    if (answer.empty()) throw Error(ErrorKind::internal, "the engine ended before it began");
    const auto parsed = parse_json(answer);
    const auto& fields = parsed.as_object();
    if (const auto* port = fields.if_contains("port")) return port->as_int64();
    throw Error(static_cast<ErrorKind>(fields.at("kind").as_int64()),
                std::string(fields.at("error").as_string()),
                std::string(fields.at("code").as_string()));
}

void await_end(pid_t process) {
    while (::waitpid(process, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

OwnEngine::OwnEngine(const app::EngineOptions& options, LogLevel level) {
    Pipe life;
    Pipe answer;
    std::fflush(stdout);
    process_ = ::fork();
    if (process_ < 0) throw system_error(ErrorKind::unavailable, "cannot fork", errno);
    if (process_ == 0) {
        life.in.reset();
        answer.out.reset();
        be_engine(options, level, life.out, answer.in);
    }
    life.out.reset();
    answer.in.reset();
    try {
        api_url_ = "http://127.0.0.1:" + std::to_string(port_in(read_to_end(answer.out)));
    } catch (...) {
        life.in.reset();
        await_end(process_);
        throw;
    }
    life_ = std::move(life.in);
}

OwnEngine::~OwnEngine() {
    life_.reset();
    await_end(process_);
}

Client OwnEngine::client() const {
    return Client(api_url_, "");
}

}  // namespace paperclip::cli
