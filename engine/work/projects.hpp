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
    void add_create(storage::Unit& unit, const Actor& actor, Project& project,
                    const std::vector<Id>& goals);
    ProjectView get(const Id& id);
    std::vector<ProjectView> list(const Id& company);
    ProjectView patch(const Actor& actor, const Id& id, const Patch<ProjectInput>& input);
    /// Throws Error{conflict} while issues belong to it.
    ProjectView remove(const Actor& actor, const Id& id);

    std::vector<Workspace> workspaces(const Id& project);
    Workspace create_workspace(const Actor& actor, const Id& project,
                               const Patch<Workspace>& input);
    void add_workspace(storage::Unit& unit, const Actor& actor, Workspace& workspace);
    Workspace patch_workspace(const Actor& actor, const Id& project, const Id& workspace,
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
