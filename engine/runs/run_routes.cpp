#include "engine/runs/setup.hpp"

#include <algorithm>

namespace paperclip::runs {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;
using storage::operator""_sql;

namespace {

struct RunQuery {
    std::optional<Id> agent_id;
    std::int64_t limit = 200;
    bool summary = false;
};
BOOST_DESCRIBE_STRUCT(RunQuery, (), (agent_id, limit, summary))

struct LiveQuery {
    std::int64_t min_count = 0;
    std::int64_t limit = 50;
};
BOOST_DESCRIBE_STRUCT(LiveQuery, (), (min_count, limit))

struct EventQuery {
    std::int64_t after_seq = 0;
    std::int64_t limit = 200;
};
BOOST_DESCRIBE_STRUCT(EventQuery, (), (after_seq, limit))

struct LogQuery {
    std::int64_t offset = 0;
    std::int64_t limit_bytes = 256'000;
};
BOOST_DESCRIBE_STRUCT(LogQuery, (), (offset, limit_bytes))

/// A piece of a run's log: lines of JSON, `{"ts","stream","seq","chunk"}`.
struct LogPiece {
    Id run_id;
    std::optional<std::string> store;
    std::optional<std::string> log_ref;
    std::string content;
    std::optional<std::int64_t> next_offset;  ///< absent at the present end
};
BOOST_DESCRIBE_STRUCT(LogPiece, (), (run_id, store, log_ref, content, next_offset))

}  // namespace
}  // namespace paperclip::runs

template <>
struct paperclip::Rules<paperclip::runs::LogPiece> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"next_offset", {.sparse = true}},
    });
};
template <>
struct paperclip::Rules<paperclip::runs::LogQuery> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"offset", {.min = 0}},
        {"limit_bytes", {.min = 1, .max = 4'000'000}},
    });
};

namespace paperclip::runs {
namespace {

LogPiece read_log(const RouteWorld& world, const Id& id, const LogQuery& query) {
    const Run run = world.runs.get(id);
    LogPiece piece{.run_id = run.id, .store = run.log_store, .log_ref = run.log_ref};
    std::optional<RunLog::Slice> slice;
    if (run.log_ref) {
        slice = RunLog::read(world.log_root / *run.log_ref, query.offset, query.limit_bytes);
    }
    if (!slice) {
        if (is_terminal(run.status)) throw Error(ErrorKind::not_found, "Run log not found");
        return piece;
    }
    piece.content = std::move(slice->content);
    piece.next_offset = slice->next_offset;
    return piece;
}

void add_company_routes(http::Router& router, const RouteWorld& world) {
    router.add<RunQuery, None, std::vector<RunView>>(
        {Method::get, "/companies/{companyId}/heartbeat-runs", Rule::member, Subject::company,
         "List the runs, newest first"},
        [world](Call& call, const RunQuery& query) {
            return world.views.view(world.runs.list(
                call.company_id, {.agent_id = query.agent_id,
                                  .limit = std::clamp<std::int64_t>(query.limit, 1, 1000)}));
        });

    router.add<LiveQuery, None, std::vector<LiveRun>>(
        {Method::get, "/companies/{companyId}/live-runs", Rule::member, Subject::company,
         "What is queued and running"},
        [world](Call& call, const LiveQuery& query) {
            return world.views.live(call.company_id,
                                    std::clamp<std::int64_t>(query.min_count, 0, 50),
                                    std::clamp<std::int64_t>(query.limit, 1, 50));
        });
}

void add_issue_routes(http::Router& router, const RouteWorld& world) {
    router.add<None, None, std::vector<IssueRun>>(
        {Method::get, "/issues/{id}/runs", Rule::member, Subject::issue,
         "The runs that were about an issue, newest first"},
        [world](Call& call) { return world.views.of_issue(call.subject_id); });

    router.add<None, None, std::vector<LiveRun>>(
        {Method::get, "/issues/{id}/live-runs", Rule::member, Subject::issue,
         "The queued and running runs of an issue"},
        [world](Call& call) { return world.views.live_of_issue(call.subject_id); });

    router.add<None, None, std::optional<LiveRun>>(
        {Method::get, "/issues/{id}/active-run", Rule::member, Subject::issue,
         "The run that works on an issue now, or null"},
        [world](Call& call) -> std::optional<LiveRun> {
            const auto runs = world.views.live_of_issue(call.subject_id);
            const auto found = std::find_if(runs.begin(), runs.end(), [](const LiveRun& run) {
                return run.status == RunStatus::running;
            });
            if (found != runs.end()) return *found;
            return runs.empty() ? std::nullopt : std::optional(runs.front());
        });
}

}  // namespace

void add_run_routes(http::Router& router, const RouteWorld& world) {
    router.resolve(Subject::run, [core = world.core](std::string_view text, const http::Request&) {
        std::optional<http::Resolved> found;
        if (const auto id = Id::parse(text)) {
            core.store.each("run.resolve"_sql, {{"id", *id}}, [&](storage::Row row) {
                found = {Id::trusted(row[0].as_text()), Id::trusted(row[1].as_text())};
            });
        }
        return found;
    });

    router.add<None, None, RunView>(
        {Method::get, "/heartbeat-runs/{runId}", Rule::member, Subject::run, "Get a run"},
        [world](Call& call) { return world.views.view(world.runs.get(call.subject_id)); });

    router.add<None, None, RunView>(
        {Method::post, "/heartbeat-runs/{runId}/cancel", Rule::board_of_company, Subject::run,
         "Cancel a run; answers when it has ended, or after a few seconds"},
        [world](Call& call) {
            return world.views.view(world.engine.cancel(call.subject_id, call.actor));
        });

    router.add<EventQuery, None, std::vector<RunEvent>>(
        {Method::get, "/heartbeat-runs/{runId}/events", Rule::member, Subject::run,
         "What happened in a run"},
        [world](Call& call, const EventQuery& query) {
            return world.runs.events(call.subject_id, query.after_seq,
                                     std::clamp<std::int64_t>(query.limit, 1, 1000));
        });

    router.add<LogQuery, None, LogPiece>({Method::get, "/heartbeat-runs/{runId}/log", Rule::member,
                                          Subject::run, "Read a run's log from an offset on"},
                                         [world](Call& call, const LogQuery& query) {
                                             return read_log(world, call.subject_id, query);
                                         });

    router.add<None, None, std::vector<work::Issue>>(
        {Method::get, "/heartbeat-runs/{runId}/issues", Rule::member, Subject::run,
         "The issues that a run was for, or did something to"},
        [world](Call& call) {
            return world.core.store.all<work::Issue>("run.issues"_sql, {{"id", call.subject_id}});
        });

    add_company_routes(router, world);
    add_issue_routes(router, world);
}

}  // namespace paperclip::runs
