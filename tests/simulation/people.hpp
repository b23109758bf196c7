#pragma once

#include "engine/http/message.hpp"
#include "tests/simulation/auditor.hpp"
#include "tests/simulation/dice.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace paperclip::simulation {

/// The people of a simulated company: they set it up, then give and change work at random, through
/// the API. They remember what the engine has acknowledged. For one thread.
class People {
 public:
    using Answered = std::function<void(const http::Response&)>;
    /// Sends a request some time; the answer may never come.
    using Send = std::function<void(std::string method, std::string path, std::string body,
                                    Answered answered)>;

    People(Dice& dice, Send send) : dice_(dice), send_(std::move(send)) {}

    struct Agent {
        std::string id;
        std::string key;
        bool works = false;  ///< ends what it is given
    };
    /// Creates the company and its agents; the engine works on the requests at once.
    void found(int agents);
    /// Does something.
    void act();
    /// Makes everything able to run: nobody paused, budgets raised.
    void make_room();

    /// What was acknowledged and is not there (any more).
    std::optional<Violation> check(Auditor& auditor) const;

    [[nodiscard]] const std::vector<Agent>& agents() const { return agents_; }
    [[nodiscard]] const std::string& company() const { return company_; }
    [[nodiscard]] std::size_t acknowledged() const { return there_.size(); }

 private:
    void hire(int number);
    void create_issue();
    void create_issue(const std::optional<std::string>& whom);
    void comment();
    void change_issue();
    void change_goal();
    void pause_somebody();
    void resume_everybody();
    void wake_somebody();
    void raise_budgets();
    void acknowledge(const std::string& table, const http::Response& response,
                     std::vector<std::string>* ids = nullptr);
    const Agent& anybody() { return agents_[dice_.below(agents_.size())]; }

    Dice& dice_;
    Send send_;
    std::string company_;
    std::vector<Agent> agents_;
    std::vector<std::string> issues_;
    std::vector<std::string> goals_;
    std::map<std::string, std::string> titles_;               // of goals, as acknowledged
    std::vector<std::pair<std::string, std::string>> there_;  // table, id
    std::int64_t company_budget_cents_ = 3'000;
    int count_ = 0;
};

}  // namespace paperclip::simulation
