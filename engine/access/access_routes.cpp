#include "engine/access/setup.hpp"

namespace paperclip::access {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;

void add_routes(http::Router& router, AgentKeys& keys) {
    router.add<None, None, std::vector<AgentKey>>(
        {Method::get, "/agents/{id}/keys", Rule::board_of_company, Subject::agent,
         "List an agent's API keys"},
        [&](Call& call) { return keys.list(call.subject_id); });

    router.add<None, AgentKey, NewAgentKey>(
        {Method::post, "/agents/{id}/keys", Rule::board_of_company, Subject::agent,
         "Make an API key; its token is in this answer and never again", 201},
        [&](Call& call, Patch<AgentKey>& input) {
            return keys.create(call.actor, call.company_id, call.subject_id, input);
        });

    router.add<None, None, http::Ok>({Method::delete_, "/agents/{id}/keys/{keyId}",
                                      Rule::board_of_company, Subject::agent, "Revoke an API key"},
                                     [&](Call& call) {
                                         const auto key = Id::parse(call.path_value("keyId"));
                                         if (!key)
                                             throw Error(ErrorKind::not_found, "Key not found");
                                         keys.revoke(call.actor, call.company_id, call.subject_id,
                                                     *key);
                                         return http::Ok{};
                                     });
}

}  // namespace paperclip::access
