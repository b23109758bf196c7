#include "engine/work/setup.hpp"

namespace paperclip::work {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;

void add_goal_routes(http::Router& router, Goals& goals) {
    router.resolve(Subject::goal, [&](std::string_view text, const http::Request&) {
        std::optional<http::Resolved> found;
        if (const auto id = Id::parse(text)) {
            const auto chain = goals.chain(*id);
            if (!chain.empty()) found = http::Resolved{*id, chain.front().company_id};
        }
        return found;
    });

    router.add<None, None, std::vector<Goal>>(
        {Method::get, "/companies/{companyId}/goals", Rule::member, Subject::company,
         "List the goals"},
        [&](Call& call) { return goals.list(call.company_id); });

    router.add<None, Goal, Goal>({Method::post, "/companies/{companyId}/goals", Rule::member,
                                  Subject::company, "Create a goal", 201},
                                 [&](Call& call, Patch<Goal>& input) {
                                     return goals.create(call.actor, call.company_id, input);
                                 });

    router.add<None, None, Goal>(
        {Method::get, "/goals/{id}", Rule::member, Subject::goal, "Get a goal"},
        [&](Call& call) { return goals.get(call.subject_id); });

    router.add<None, Goal, Goal>(
        {Method::patch, "/goals/{id}", Rule::member, Subject::goal, "Change a goal"},
        [&](Call& call, Patch<Goal>& input) {
            return goals.patch(call.actor, call.subject_id, input);
        });

    router.add<None, None, Goal>(
        {Method::delete_, "/goals/{id}", Rule::member, Subject::goal, "Delete a goal"},
        [&](Call& call) { return goals.remove(call.actor, call.subject_id); });
}

}  // namespace paperclip::work
