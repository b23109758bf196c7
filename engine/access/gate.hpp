#pragma once

#include "engine/access/agent_keys.hpp"
#include "engine/access/run_tokens.hpp"
#include "engine/http/router.hpp"

#include <optional>

namespace paperclip::access {

/// Knows the process behind a loopback connection; implemented by runs/, which started the agents'
/// processes. Thread-safe.
class Peers {
 public:
    enum class Kind {
        outside,  ///< a process that no live run started
        run,      ///< a process in the tree of a live run
        unknown,  ///< could not be found out; nobody is trusted on such grounds
    };
    struct Answer {
        Kind kind = Kind::outside;
        Id run_id;
    };
    virtual ~Peers() = default;
    virtual Answer who_is(const http::Peer& peer) = 0;
};

/// Who calls, and whether they may: see http::Gate. Thread-safe.
///
/// In local_trusted mode a call without a credential is the board's, because only this machine can
/// reach the port. But agents run on this machine too: a connection from a live run's process tree
/// is that run's agent, whatever it sends or leaves out.
class Gate final : public http::Gate {
 public:
    Gate(Core core, AgentKeys& keys, const RunTokens& tokens, Peers& peers)
        : core_(core), keys_(keys), tokens_(tokens), peers_(peers) {}

    Actor authenticate(const http::Request& request) override;
    void authorize(const Actor& actor, http::Rule rule, http::Subject kind,
                   const std::optional<http::Resolved>& subject,
                   const http::Request& request) override;

 private:
    Actor by_bearer(std::string_view token, const http::Request& request);
    Actor by_connection(const http::Request& request);
    Actor confine_to_run(Actor actor, const http::Request& request);
    std::optional<Actor> agent_of_run(const Id& run, Actor::Source source);

    Core core_;
    AgentKeys& keys_;
    const RunTokens& tokens_;
    Peers& peers_;
};

}  // namespace paperclip::access
