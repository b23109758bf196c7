#include "process_state.hpp"
#include "rules.hpp"

#include <algorithm>
#include <fstream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define PAPERCLIP_KIT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAPERCLIP_KIT_ASAN 1
#endif
#endif
#ifdef PAPERCLIP_KIT_ASAN
#include <sanitizer/lsan_interface.h>
#endif

// A run from its start to its end.
namespace paperclip::check::agent {
namespace {

constexpr int k_variants = 8;  // of the answers that a host gives
constexpr std::int64_t k_step_limit_us = 50'000;

/// Calls `body` for each type of the plugin.
template <class Body>
void for_each_type(const Context& context, Body body) {
    const Loaded loaded = load(context.manifest);
    for (const auto& type : context.manifest.adapter_types)
        body(loaded, context.request(loaded, type));
}

void must_be_open(const Play& play, const Request& request) {
    if (play.is_open()) return;
    throw Broken("open() refused the configuration " + request.config.substr(0, 200) + " of " +
                 request.adapter_type + ": " + play.error());
}

void check_opens(const Context& context) {
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        const Play play(*loaded.agent, request);
        must_be_open(play, request);
    });
}

void check_one_result(const Context& context) {
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        for (int variant = 0; variant < k_variants; ++variant) {
            Play play(*loaded.agent, request);
            if (!play.is_open()) return;
            play.run(variant);
            if (play.results() > 1) {
                throw Broken("expected one RESULT, found " + std::to_string(play.results()) +
                             ":\n" + play.transcript());
            }
        }
    });
}

void check_after_result(const Context& context) {
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        for (int variant = 0; variant < k_variants; ++variant) {
            Play play(*loaded.agent, request);
            if (!play.is_open()) return;
            play.run(variant);
            if (play.results() != 1) continue;
            std::size_t actions = 0;
            for (int kind = PC_IN_START; kind <= PC_IN_RECOVER; ++kind) {
                actions += play.give({.kind = kind, .id = 1, .child = 1, .text = "late"});
            }
            if (actions > 0) {
                throw Broken("expected no action after RESULT, found some:\n" + play.transcript());
            }
        }
    });
}

void check_actions(const Context& context) {
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        for (int variant = 0; variant < k_variants; ++variant) {
            Play play(*loaded.agent, request);
            if (!play.is_open()) return;
            play.run(variant);
            if (!play.malformed().empty()) throw Broken(play.malformed());
        }
    });
}

void check_declared(const Context& context) {
    const auto& declared = context.manifest.actions;
    for_each_type(context, [&](const Loaded& loaded, const Request& request) {
        for (int variant = 0; variant < k_variants; ++variant) {
            Play play(*loaded.agent, request);
            if (!play.is_open()) return;
            play.run(variant);
            for (const auto& name : play.used()) {
                if (std::find(declared.begin(), declared.end(), name) == declared.end()) {
                    throw Broken("expected \"" + name +
                                 "\" among the actions of plugin.json: it is used");
                }
            }
        }
    });
}

void check_cancelled(Play& play, const std::string& when) {
    if (play.results() == 0) {
        throw Broken("expected a RESULT after CANCEL " + when + ", found none:\n" +
                     play.transcript());
    }
    if (play.results() > 1) {
        throw Broken("expected one RESULT after CANCEL " + when + ", found several:\n" +
                     play.transcript());
    }
}

void check_cancel(const Context& context) {
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        for (int inputs = -1; inputs < 6; ++inputs) {
            Play play(*loaded.agent, request);
            if (!play.is_open()) return;
            if (inputs >= 0) play.run(0, inputs);
            if (play.results() != 0) continue;
            play.cancel();
            play.give({.kind = PC_IN_CANCEL, .code = PC_CANCEL_USER, .text = "again"});
            check_cancelled(
                play, inputs < 0 ? "before START" : "after " + std::to_string(inputs) + " answers");
        }
    });
}

void check_deterministic(const Context& context) {
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        for (int variant = 0; variant < k_variants; ++variant) {
            Play once(*loaded.agent, request);
            Play twice(*loaded.agent, request);
            if (!once.is_open() || !twice.is_open()) return;
            once.run(variant);
            twice.run(variant);
            if (once.transcript() != twice.transcript()) {
                throw Broken("expected the same actions of the same inputs, found:\n" +
                             once.transcript() + "and then:\n" + twice.transcript());
            }
        }
    });
}

void check_step_time(const Context& context) {
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        Request large = request;
        large.prompt = std::string(1 << 20, 'p');
        for (int variant = 0; variant < k_variants; ++variant) {
            std::int64_t least = INT64_MAX;
            // A step that is slow by accident (a page fault, a cold cache) is not slow again.
            for (int attempt = 0; attempt < 3 && least > k_step_limit_us; ++attempt) {
                Play play(*loaded.agent, variant == 0 ? large : request);
                if (!play.is_open()) return;
                play.run(variant);
                least = std::min(least, play.slowest_us());
            }
            if (least > k_step_limit_us) {
                throw Broken("expected that a step takes at most 50 ms, found " +
                             std::to_string(least / 1000) + " ms of processor time");
            }
        }
    });
}

/// Bytes of memory that are this process's own.
std::int64_t memory() {
    std::ifstream in("/proc/self/statm");
    std::int64_t total = 0;
    std::int64_t resident = 0;
    in >> total >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

void check_no_residue(const Context& context) {
    const Loaded loaded = load(context.manifest);
    const std::string type = context.manifest.adapter_types.front();
    const Request request = context.request(loaded, type);
    const auto round = [&] {
        for (int variant = 0; variant < 2; ++variant) {
            Play play(*loaded.agent, request);
            if (play.is_open()) play.run(variant);
        }
    };
    const ProcessState before;
    for (int i = 0; i < 20; ++i) round();
    const std::int64_t start = memory();
    for (int i = 0; i < context.options.rounds; ++i) round();
    if (const auto changes = before.changes(); !changes.empty()) {
        throw Broken("expected that runs leave nothing behind, found: " + changes);
    }
#ifdef PAPERCLIP_KIT_ASAN
    (void)start;  // what ASan keeps of freed memory is no growth
    if (__lsan_do_recoverable_leak_check() != 0)
        throw Broken("memory of closed runs was not released");
#else
    // A tenth of a kilobyte a run, and room for what malloc keeps.
    const std::int64_t growth = memory() - start;
    const std::int64_t allowed = (1 << 20) + std::int64_t{context.options.rounds} * 200;
    if (growth > allowed) {
        throw Broken("expected that closed runs keep no memory, found " + std::to_string(growth) +
                     " bytes more after " + std::to_string(2 * context.options.rounds) + " runs");
    }
#endif
}

void check_quiet(const Context& context) {
    const int file = ::memfd_create("output", MFD_CLOEXEC);
    if (file < 0) throw std::runtime_error("cannot make a file in memory");
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    for_each_type(context, [](const Loaded& loaded, const Request& request) {
        for (int variant = 0; variant < k_variants; ++variant) {
            Play play(*loaded.agent, request);
            if (!play.is_open()) return;
            play.run(variant);
        }
    });
    std::fflush(nullptr);
    char text[100];
    const ssize_t size = ::pread(file, text, sizeof text, 0);
    if (size > 0) {
        throw Broken("expected nothing on stdout and stderr, found: " +
                     std::string(text, static_cast<std::size_t>(size)));
    }
}

}  // namespace

std::vector<Rule> run_rules() {
    return {
        {{"agent.opens", "A configuration that its schema accepts can be opened"},
         true,
         check_opens},
        {{"agent.one_result", "A run has one RESULT"}, true, check_one_result},
        {{"agent.after_result", "After RESULT nothing is asked for"}, true, check_after_result},
        {{"agent.actions", "Every action is one that a host can execute"}, true, check_actions},
        {{"agent.declared", "plugin.json lists every action that is asked for"},
         true,
         check_declared},
        {{"agent.cancel", "CANCEL leads to one RESULT, whenever it comes"}, true, check_cancel},
        {{"agent.deterministic", "The same inputs give the same actions"},
         true,
         check_deterministic},
        {{"agent.step_time", "A step takes at most 50 ms"}, true, check_step_time},
        {{"agent.no_residue", "Closed runs leave nothing behind"}, true, check_no_residue},
        {{"agent.quiet", "Nothing is written to stdout and stderr"}, true, check_quiet},
    };
}

}  // namespace paperclip::check::agent
