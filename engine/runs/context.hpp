#pragma once

#include "engine/runs/runs.hpp"
#include "engine/work/projects.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace paperclip::runs {

/// Everything that a run is told: built once, when it starts.
struct Briefing {
    std::string wake;    ///< JSON: why it was woken and for what
    std::string prompt;  ///< the same for a model: who it is, what it works on, what is untrusted
    std::vector<std::string> environment;  ///< PAPERCLIP_… names and values
    std::filesystem::path cwd;
};

/// Builds briefings from what the store says at that moment. Thread-safe.
class Briefer {
 public:
    struct Places {
        std::string api_url;                      ///< without /api
        std::filesystem::path workspaces;         ///< each agent's home is a folder in it
        std::filesystem::path instructions_root;  ///< agents' instructions, by agent id
    };
    Briefer(Core core, Runs& runs, agents::Agents& agents, work::Issues& issues, work::Goals& goals,
            work::Projects& projects, company::Companies& companies, governance::Budgets& budgets,
            Places places)
        : core_(core),
          runs_(runs),
          agents_(agents),
          issues_(issues),
          goals_(goals),
          projects_(projects),
          companies_(companies),
          budgets_(budgets),
          places_(std::move(places)) {}

    Briefing brief(const Run& run, const agents::Agent& agent);

 private:
    struct Facts;
    Facts gather(const Run& run, const agents::Agent& agent);
    [[nodiscard]] std::string write_wake(const Facts& facts) const;
    [[nodiscard]] std::string write_prompt(const Facts& facts) const;
    [[nodiscard]] std::vector<std::string> write_environment(const Facts& facts,
                                                             const std::string& wake) const;

    Core core_;
    Runs& runs_;
    agents::Agents& agents_;
    work::Issues& issues_;
    work::Goals& goals_;
    work::Projects& projects_;
    company::Companies& companies_;
    governance::Budgets& budgets_;
    Places places_;
};

}  // namespace paperclip::runs
