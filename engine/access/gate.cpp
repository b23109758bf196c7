#include "engine/access/gate.hpp"

#include "engine/http/streams.hpp"

namespace paperclip::access {

using http::Rule;
using http::Subject;
using storage::operator""_sql;

namespace {

Error unverified() {
    return Error(ErrorKind::unauthenticated,
                 "Agent token did not verify; obtain fresh credentials and retry");
}

std::optional<Id> run_header(const http::Request& request) {
    const auto text = request.header("X-Paperclip-Run-Id");
    if (text.empty()) return std::nullopt;
    if (const auto id = Id::parse(text)) return id;
    throw Error(ErrorKind::invalid, "X-Paperclip-Run-Id: expected a UUID", "invalid_run_id");
}

Error subject_hidden(Subject kind) {
    if (kind == Subject::company) {
        return Error(ErrorKind::forbidden, "Agent key cannot access another company");
    }
    std::string name(http::subject_name(kind));
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return Error(ErrorKind::not_found, name + " not found");
}

}  // namespace

Actor Gate::authenticate(const http::Request& request) {
    const auto authorization = request.header("Authorization");
    if (authorization.starts_with("Bearer ")) return by_bearer(authorization.substr(7), request);
    // A browser cannot give a WebSocket a header.
    if (const auto token = request.query_value("token");
        token && http::Streams::is_upgrade(request)) {
        return by_bearer(*token, request);
    }
    return by_connection(request);
}

std::optional<Actor> Gate::agent_of_run(const Id& run, Actor::Source source) {
    std::optional<Actor> actor;
    core_.store.each("access.live_run"_sql, {{"id", run}}, [&](storage::Row row) {
        actor.emplace();
        actor->type = ActorType::agent;
        actor->source = source;
        actor->agent_id = Id::trusted(row[0].as_text());
        actor->company_id = Id::trusted(row[1].as_text());
        actor->user_id = std::string(row[2].as_text());
        actor->run_id = run;
    });
    return actor;
}

Actor Gate::by_bearer(std::string_view token, const http::Request& request) {
    const auto run = run_header(request);
    if (const auto key = keys_.find(token)) {
        Actor actor;
        actor.type = ActorType::agent;
        actor.source = Actor::Source::agent_key;
        actor.agent_id = key->agent_id;
        actor.company_id = key->company_id;
        actor.user_id = key->responsible_user_id;
        actor.run_id = run;
        return confine_to_run(std::move(actor), request);
    }
    const auto claims = tokens_.verify(token);
    const auto actor =
        claims ? agent_of_run(claims->run_id, Actor::Source::run_token) : std::nullopt;
    if (!actor || actor->agent_id != claims->agent_id) throw unverified();
    if (run && run != actor->run_id) {
        throw Error(ErrorKind::unprocessable, "X-Paperclip-Run-Id is not the run of the token",
                    "agent_jwt_run_id_mismatch");
    }
    return confine_to_run(*actor, request);
}

/// A token from inside a live run's process tree must be that agent's own: who finds or is handed
/// another's does not become the other.
Actor Gate::confine_to_run(Actor actor, const http::Request& request) {
    if (!request.peer.is_loopback()) return actor;
    const Peers::Answer peer = peers_.who_is(request.peer);
    if (peer.kind != Peers::Kind::run) return actor;
    const auto owner = agent_of_run(peer.run_id, Actor::Source::process_tree);
    if (!owner || owner->agent_id != actor.agent_id) {
        throw Error(ErrorKind::forbidden, "The token belongs to another agent than this run",
                    "foreign_agent_token");
    }
    if (!actor.run_id) actor.run_id = peer.run_id;
    return actor;
}

Actor Gate::by_connection(const http::Request& request) {
    if (!request.peer.is_loopback()) return {};
    const Peers::Answer peer = peers_.who_is(request.peer);
    switch (peer.kind) {
        case Peers::Kind::outside:
            return Actor::local_board();
        case Peers::Kind::run:
            if (auto actor = agent_of_run(peer.run_id, Actor::Source::process_tree)) return *actor;
            break;
        case Peers::Kind::unknown:
            break;
    }
    throw Error(ErrorKind::unauthenticated,
                "The process behind this connection could not be told from an agent's; send a "
                "token, or call again");
}

void Gate::authorize(const Actor& actor, Rule rule, Subject kind,
                     const std::optional<http::Resolved>& subject, const http::Request&) {
    if (rule == Rule::anyone) return;
    if (rule == Rule::agent && !actor.is_agent()) {
        throw Error(ErrorKind::unauthenticated, "Agent authentication required");
    }
    if (!actor.is_known()) throw Error(ErrorKind::unauthenticated, "Authentication required");
    const bool for_board = rule == Rule::board || rule == Rule::board_of_company;
    if (for_board && !actor.is_board()) {
        throw Error(ErrorKind::forbidden, "Board access required");
    }
    if (actor.is_agent() && subject && subject->company_id != actor.company_id) {
        throw subject_hidden(kind);
    }
}

}  // namespace paperclip::access
