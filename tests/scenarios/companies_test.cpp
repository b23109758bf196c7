#include "tests/scenarios/scenario.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

namespace fs = std::filesystem;

const fs::path k_companies = PAPERCLIP_COMPANIES;

void shell(const std::string& command) {
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
}

/// A git repository whose work the test does by hand.
class HandRepository {
 public:
    explicit HandRepository(fs::path folder) : folder_(std::move(folder)) {
        fs::create_directories(folder_);
        git("init --quiet --initial-branch=main");
    }

    [[nodiscard]] const fs::path& folder() const { return folder_; }

    void write(const std::string& path, const std::string& content) {
        fs::create_directories((folder_ / path).parent_path());
        std::ofstream(folder_ / path, std::ios::binary) << content;
    }
    [[nodiscard]] std::string read(const std::string& path) const {
        std::ifstream in(folder_ / path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void commit(const std::string& message) {
        git("add --all");
        git("-c user.name=Hand -c user.email=hand@example.invalid -c commit.gpgSign=false commit "
            "--quiet -m '" +
            message + "'");
    }
    /// What `git log` says of each commit: author and subject.
    std::string log() {
        const fs::path out = folder_.parent_path() / "log";
        git("log --format='%an: %s' > '" + out.string() + "'");
        std::ifstream in(out);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    [[nodiscard]] bool has_branches_of_worker() const {
        return fs::exists(folder_ / ".git/refs/heads/repo-care") &&
               !fs::is_empty(folder_ / ".git/refs/heads/repo-care");
    }

 private:
    void git(const std::string& arguments) {
        shell("git -C '" + folder_.string() + "' " + arguments);
    }

    fs::path folder_;
};

/// The company as `prepare` makes it for a repository, its scanner awake each second.
declaration::Files repo_care(const HandRepository& repository, const fs::path& out) {
    shell("'" + (k_companies / "repo-care/prepare").string() + "' --repo '" +
          repository.folder().string() + "' '" + out.string() + "'");
    auto files = declaration::read_folder(out);
    std::string& text = files.at("company.yaml");
    const std::string every = "every: 15s";
    text.replace(text.find(every), every.size(), "every: 1s");
    return files;
}

bool any_contains(const std::vector<std::string>& texts, const std::string& part) {
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
        return text.find(part) != std::string::npos;
    });
}

}  // namespace

TEST_CASE("repo-care finds, fixes, reviews and closes, and follows the repository") {
    Scenario scenario;
    HandRepository repository(scenario.folder() / "a \"small\" repository");
    repository.write("README.md", "# Read me\n\nSee [how](how.md).\n");
    repository.write("docs/how.md", "# How\n");
    repository.write("src/notes.txt", "one\ntwo  \nthree\n");
    repository.write("src/job.py",
                     "# A job.\n# FIX"
                     "ME: it does nothing\n");
    repository.commit("As found");
    CHECK(scenario.apply(repo_care(repository, scenario.folder() / "company")));

    const std::string link = "Broken link: README.md:3";
    const std::string blanks = "Trailing whitespace: src/notes.txt:2";
    const std::string left = "Left behind: src/job.py:2";
    scenario.wait_until("each finding is an issue", [&] {
        return scenario.issue(link) && scenario.issue(blanks) && scenario.issue(left);
    });
    scenario.wait_until("what a machine can fix is fixed", [&] {
        return scenario.status_of(link) == "done" && scenario.status_of(blanks) == "done";
    });
    CHECK(repository.read("README.md") == "# Read me\n\nSee [how](docs/how.md).\n");
    CHECK(repository.read("src/notes.txt") == "one\ntwo\nthree\n");
    CHECK(repository.log().find("Strip trailing whitespace in src/notes.txt") != std::string::npos);
    // The reviewer closes first: a branch that is left says less wrong than an issue that is.
    scenario.wait_until("the merged branches go",
                        [&] { return !repository.has_branches_of_worker(); });
    const auto said = scenario.comments_of(blanks);
    CHECK(any_contains(said, "-two  \n+two\n"));
    CHECK(any_contains(said, "Merged as `"));
    CHECK(scenario.status_of(left) == "todo");
    CHECK(scenario.issue(left)->at("assigneeAgentId").is_null());

    SECTION("the findings follow what people change") {
        repository.write("src/job.py", "# A job.\nprint('done')\n");
        repository.write("src/new.py", "def broken(:\n");
        repository.write("notes/blank.txt", "blank \n");
        const std::string syntax = "Python that does not compile: src/new.py:1";
        const std::string fresh = "Trailing whitespace: notes/blank.txt:1";
        scenario.wait_until("what was removed by hand is closed",
                            [&] { return scenario.status_of(left) == "done"; });
        CHECK(any_contains(scenario.comments_of(left), "finds this no more"));
        scenario.wait_until("what was added is filed",
                            [&] { return scenario.issue(syntax) && scenario.issue(fresh); });
        CHECK(repository.read("notes/blank.txt") == "blank \n");  // not committed: a person's

        repository.commit("Work by hand");
        scenario.wait_until("what is committed is worked on",
                            [&] { return scenario.status_of(fresh) == "done"; });
        CHECK(repository.read("notes/blank.txt") == "blank\n");
        CHECK(scenario.status_of(syntax) == "todo");
    }
    SECTION("a finding is filed once, and an idle repository costs no run") {
        const auto is_quiet = [&] {
            return scenario.list("live-runs").empty() && scenario.skipped_heartbeats("scanner") > 0;
        };
        scenario.wait_until("there is nothing to do", is_quiet);
        const auto skipped = scenario.skipped_heartbeats("scanner");
        scenario.wait_until("the scanner has stopped waking",
                            [&] { return scenario.skipped_heartbeats("scanner") > skipped + 1; });
        const auto runs = scenario.runs("scanner", "succeeded");
        const auto later = scenario.skipped_heartbeats("scanner");
        scenario.wait_until("more heartbeats were skipped",
                            [&] { return scenario.skipped_heartbeats("scanner") > later + 1; });
        CHECK(scenario.runs("scanner", "succeeded") == runs);
        CHECK(scenario.list("issues").size() == 3);
    }
    for (const char* agent : {"scanner", "worker", "reviewer"}) {
        INFO(agent);
        CHECK_FALSE(scenario.last_summary(agent).empty());
        CHECK(scenario.runs(agent, "succeeded") > 0);
        CHECK(scenario.runs(agent, "failed") == 0);
    }
}

TEST_CASE("acme-ai-startup works offline from its CEO down") {
    Scenario scenario;
    const auto files = declaration::read_folder(k_companies / "acme-ai-startup");
    CHECK(scenario.apply(files));
    CHECK_FALSE(scenario.apply(files));
    for (const char* title :
         {"Decide what the MVP is", "Design the API", "Add GET /health", "Add POST /reviews",
          "Load-test the API", "Compare five rivals' prices"}) {
        scenario.wait_until(title, [&] { return scenario.status_of(title) == "done"; });
    }
    for (const char* agent :
         {"ceo", "cto", "engineer-1", "engineer-2", "engineer-3", "marketing-analyst"}) {
        scenario.wait_until(agent, [&] { return scenario.runs(agent, "succeeded") > 0; });
        CHECK(scenario.runs(agent, "failed") == 0);
        const auto budget =
            scenario.get("/agents/" + scenario.agent_id(agent)).at("budgetMonthlyCents");
        CHECK(budget.to_number<std::int64_t>() == 5000);
    }
}

}  // namespace paperclip::test
