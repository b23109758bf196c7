#pragma once

#include "engine/base/id.hpp"

#include <optional>
#include <string>

#include <boost/describe/enum.hpp>

namespace paperclip {

enum class ActorType { user, agent, system, plugin };
BOOST_DESCRIBE_ENUM(ActorType, user, agent, system, plugin)

/// Who does something, as established by the token or the connection of a call, never by a body.
struct Actor {
    /// How we know: a call without any credential in local_trusted mode, an agent's API key, the
    /// token of a live run, the process tree of a live run, or the engine itself.
    enum class Source { none, local_implicit, agent_key, run_token, process_tree, engine };

    ActorType type = ActorType::system;
    Source source = Source::none;
    std::string user_id;           ///< of a user; of an agent, who answers for it
    std::optional<Id> agent_id;    ///< of an agent
    std::optional<Id> company_id;  ///< the one company that an agent belongs to
    std::optional<Id> run_id;      ///< the run on whose behalf the call is made

    [[nodiscard]] bool is_agent() const noexcept { return type == ActorType::agent; }
    [[nodiscard]] bool is_board() const noexcept { return type == ActorType::user; }
    [[nodiscard]] bool is_known() const noexcept { return source != Source::none; }

    /// What the journal and the API call the actor's id.
    [[nodiscard]] std::string id() const {
        if (is_agent()) return agent_id->str();
        return is_board() ? user_id : "system";
    }

    static Actor local_board() {
        Actor actor;
        actor.type = ActorType::user;
        actor.source = Source::local_implicit;
        actor.user_id = "local-board";
        return actor;
    }
    static Actor engine() {
        Actor actor;
        actor.source = Source::engine;
        return actor;
    }
};

}  // namespace paperclip
