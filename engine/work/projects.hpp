#pragma once

#include "engine/work/goals.hpp"
#include "engine/work/project.hpp"

#include <filesystem>
#include <vector>

namespace paperclip::work {

/// Projects and their workspaces. Thread-safe.
class Projects {
 public:
    /// Folders of projects that name none are made below `managed_root`.
    Projects(Core core, std::filesystem::path managed_root)
        : core_(core), managed_root_(std::move(managed_root)) {}

    ProjectView create(const Actor& actor, const Id& company, const Patch<ProjectInput>& input);
    /// Adds the steps that create `project` (its id and times are set here, its key when it has
    /// none); whoever calls has checked its lead.
    void add_create(storage::Unit& unit, const Actor& actor, Project& project,
                    const std::vector<Id>& goals);
    ProjectView get(const Id& id);
    std::vector<ProjectView> list(const Id& company);
    ProjectView patch(const Actor& actor, const Id& id, const Patch<ProjectInput>& input);
    /// Adds the steps that change `project`, and its goals if given; whoever calls has checked its
    /// lead.
    void add_patch(storage::Unit& unit, const Actor& actor, const Project& project,
                   Patch<Project> change, const std::optional<std::vector<Id>>& goals);
    /// Throws Error{conflict} while issues belong to it.
    ProjectView remove(const Actor& actor, const Id& id);

    std::vector<Workspace> workspaces(const Id& project);
    Workspace create_workspace(const Actor& actor, const Id& project,
                               const Patch<Workspace>& input);
    void add_workspace(storage::Unit& unit, const Actor& actor, Workspace& workspace);
    Workspace patch_workspace(const Actor& actor, const Id& project, const Id& workspace,
                              const Patch<Workspace>& input);
    /// Adds the steps that change `workspace`, and changes it alike.
    void add_patch_workspace(storage::Unit& unit, const Actor& actor, Workspace& workspace,
                             const Patch<Workspace>& input);
    Workspace remove_workspace(const Actor& actor, const Id& project, const Id& workspace);

 private:
    ProjectView view(Project project);
    void add_goals(storage::Unit& unit, const Project& project, const std::vector<Id>& goals);
    void log_activity(storage::Unit& unit, const Actor& actor, std::string_view action,
                      const Project& project, const std::string& details = "{}");

    Core core_;
    std::filesystem::path managed_root_;
};

}  // namespace paperclip::work
