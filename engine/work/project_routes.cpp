#include "engine/work/setup.hpp"

namespace paperclip::work {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;
using storage::operator""_sql;

namespace {

Id workspace_of(const Call& call) {
    if (const auto id = Id::parse(call.path_value("workspaceId"))) return *id;
    throw Error(ErrorKind::not_found, "Project workspace not found");
}

std::optional<http::Resolved> resolve(Core core, std::string_view text,
                                      const http::Request& request) {
    std::optional<http::Resolved> found;
    const auto take = [&](storage::Row row) {
        found = http::Resolved{Id::trusted(row[0].as_text()), Id::trusted(row[1].as_text())};
    };
    if (const auto id = Id::parse(text)) {
        core.store.each("project.resolve"_sql, {{"id", *id}}, take);
    } else if (const auto company = Id::parse(request.query_value("companyId").value_or(""))) {
        core.store.each("project.resolve_url_key"_sql,
                        {{"company_id", *company}, {"url_key", text}}, take);
    }
    return found;
}

}  // namespace

void add_project_routes(http::Router& router, Core core, Projects& projects) {
    router.resolve(Subject::project, [core](std::string_view text, const http::Request& request) {
        return resolve(core, text, request);
    });

    router.add<None, None, std::vector<ProjectView>>(
        {Method::get, "/companies/{companyId}/projects", Rule::member, Subject::company,
         "List the projects"},
        [&](Call& call) { return projects.list(call.company_id); });

    router.add<None, ProjectInput, ProjectView>(
        {Method::post, "/companies/{companyId}/projects", Rule::member, Subject::company,
         "Create a project", 201},
        [&](Call& call, Patch<ProjectInput>& input) {
            // A workspace names a folder of this machine: for people to choose.
            if (call.actor.is_agent() && input.value.workspace) {
                throw Error(ErrorKind::forbidden, "Board access required");
            }
            return projects.create(call.actor, call.company_id, input);
        });

    router.add<None, None, ProjectView>(
        {Method::get, "/projects/{id}", Rule::member, Subject::project, "Get a project"},
        [&](Call& call) { return projects.get(call.subject_id); });

    router.add<None, ProjectInput, ProjectView>(
        {Method::patch, "/projects/{id}", Rule::member, Subject::project, "Change a project"},
        [&](Call& call, Patch<ProjectInput>& input) {
            return projects.patch(call.actor, call.subject_id, input);
        });

    router.add<None, None, ProjectView>(
        {Method::delete_, "/projects/{id}", Rule::board_of_company, Subject::project,
         "Delete a project without issues"},
        [&](Call& call) { return projects.remove(call.actor, call.subject_id); });

    router.add<None, None, std::vector<Workspace>>(
        {Method::get, "/projects/{id}/workspaces", Rule::member, Subject::project,
         "List a project's workspaces"},
        [&](Call& call) { return projects.workspaces(call.subject_id); });

    router.add<None, Workspace, Workspace>(
        {Method::post, "/projects/{id}/workspaces", Rule::board_of_company, Subject::project,
         "Add a workspace", 201},
        [&](Call& call, Patch<Workspace>& input) {
            return projects.create_workspace(call.actor, call.subject_id, input);
        });

    router.add<None, Workspace, Workspace>(
        {Method::patch, "/projects/{id}/workspaces/{workspaceId}", Rule::board_of_company,
         Subject::project, "Change a workspace"},
        [&](Call& call, Patch<Workspace>& input) {
            return projects.patch_workspace(call.actor, call.subject_id, workspace_of(call), input);
        });

    router.add<None, None, Workspace>(
        {Method::delete_, "/projects/{id}/workspaces/{workspaceId}", Rule::board_of_company,
         Subject::project, "Remove a workspace"},
        [&](Call& call) {
            return projects.remove_workspace(call.actor, call.subject_id, workspace_of(call));
        });
}

}  // namespace paperclip::work
