#include "schema.hpp"
#include "script.hpp"

// An agent that follows a script. See README.md.
namespace paperclip::fake {
namespace {

constexpr std::size_t k_max_answer = 1 << 20;
constexpr std::uint32_t k_hang_ms = 3'600'000;
constexpr std::string_view k_token = "Bearer {\"$secret\":\"PAPERCLIP_API_KEY\"}";

constexpr sdk::AdapterType k_type{.type = "fake",
                                  .label = "Scripted agent",
                                  .capabilities = R"({"models":false,"sessions":true})",
                                  .config_schema = k_config_schema};

/// What the run works on.
struct Issue {
    std::string id;
    std::string identifier;
    std::string title;
};

Issue issue_of(const sdk::Json& json) {
    return {json["id"].text(), json["identifier"].text(), json["title"].text()};
}

/// May stand as one segment of a URL's path.
bool is_segment(std::string_view id) {
    for (const char c : id) {
        const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!fine) return false;
    }
    return !id.empty();
}

class Fake : public sdk::Agent {
 public:
    explicit Fake(const sdk::Request& request)
        : sdk::Agent(request), script_(read_script(request.config)) {}

    void step(const sdk::Input& input, sdk::Actions& run) override {
        now_us_ = input.now_us;
        switch (input.kind) {
            case PC_IN_START:
                return start(run);
            case PC_IN_TIMER:
                if (waiting_ == Waiting::timer && input.id == id_) go_on(run);
                if (waiting_ == Waiting::forever && input.id == id_) hang(run);
                return;
            case PC_IN_EXIT:
                if (waiting_ == Waiting::child && input.child == child_) take_exit(input, run);
                return;
            case PC_IN_HTTP_HEAD:
                if (is_answer(input)) status_ = input.code;
                return;
            case PC_IN_HTTP_BODY:
                if (is_answer(input))
                    answer_ += input.text.substr(0, k_max_answer - answer_.size());
                return;
            case PC_IN_HTTP_END:
                if (is_answer(input)) take_end(input, run);
                return;
            case PC_IN_CANCEL:
                return cancel(input, run);
            default:
                return;
        }
    }

 private:
    enum class Waiting { nothing, timer, child, http, forever };
    using Answered = void (Fake::*)(sdk::Actions& run);

    // Steps: each says what to do, and sets waiting_ when the next one has to wait for it.
    struct Run {
        Fake& fake;
        sdk::Actions& run;
        void operator()(const Say& s) const { fake.say(s, run); }
        void operator()(const Use& s) const { fake.use(s, run); }
        void operator()(const Sleep& s) const {
            fake.waiting_ = Waiting::timer;
            run.timer(++fake.id_, s.milliseconds);
        }
        void operator()(const Exec& s) const { fake.exec(s, run); }
        void operator()(const Checkout&) const { fake.find_issue(run); }
        void operator()(const Comment& s) const { fake.comment(s, run); }
        void operator()(const SetStatus& s) const { fake.set_status(s, run); }
        void operator()(const Create& s) const { fake.create(s, run); }
        void operator()(const KeepSession& s) const {
            const std::string id = fake.fill(s.id);
            sdk::JsonWriter w;
            run.session(w.begin_object().member("sessionId", id).end_object().take(), id);
        }
        void operator()(const Fail& s) const {
            auto result = s.result;
            if (s.retry_after_sec > 0) {
                result.retry_at_us = fake.now_us_ + s.retry_after_sec * 1'000'000;
            }
            run.result(result);
        }
        void operator()(const Hang&) const { fake.hang(run); }
    };

    void start(sdk::Actions& run) {
        if (request().kind != PC_START_RUN) {
            const bool models = request().kind == PC_START_MODELS;
            return run.result(
                sdk::Result::ok(models ? R"([{"id":"fake-1","label":"Scripted"}])" : "[]"));
        }
        const auto context = sdk::Json::parse(request().context);
        if (context) issue_ = issue_of((*context)["issue"]);
        if (!is_segment(issue_.id)) issue_ = {};
        go_on(run);
    }
    void go_on(sdk::Actions& run) {
        waiting_ = Waiting::nothing;
        while (waiting_ == Waiting::nothing && !run.ended()) {
            if (next_ == script_.steps.size()) return run.result(sdk::Result::ok(summary()));
            std::visit(Run{*this, run}, script_.steps[next_++]);
        }
    }
    [[nodiscard]] std::string summary() const {
        if (!note_.empty()) return note_;
        return issue_.id.empty() ? "Followed the script" : "Worked on " + name_of_issue();
    }
    [[nodiscard]] std::string name_of_issue() const {
        return (issue_.identifier.empty() ? issue_.id : issue_.identifier) +
               (issue_.title.empty() ? "" : ": " + issue_.title);
    }

    void say(const Say& step, sdk::Actions& run) {
        const bool of_issue = step.text.find("{{issue.") != std::string::npos;
        if (!of_issue || has_issue("a line", run)) run.log(fill(step.text), PC_STREAM_OUT);
    }

    void use(const Use& step, sdk::Actions& run) {
        used_.input_tokens += step.usage.input_tokens;
        used_.cached_input_tokens += step.usage.cached_input_tokens;
        used_.output_tokens += step.usage.output_tokens;
        if (step.usage.cost_micros >= 0) {
            used_.cost_micros =
                (used_.cost_micros < 0 ? 0 : used_.cost_micros) + step.usage.cost_micros;
        }
        if (!step.usage.model.empty()) used_.model = step.usage.model;
        if (!step.usage.provider.empty()) used_.provider = step.usage.provider;
        run.usage(used_);
    }

    /// A run that waits for nothing is over, so it waits for a timer that is set again and again.
    void hang(sdk::Actions& run) {
        waiting_ = Waiting::forever;
        run.timer(++id_, k_hang_ms);
    }

    void exec(const Exec& step, sdk::Actions& run) {
        sdk::Spawn spawn;
        spawn.child = ++child_;
        for (const auto& text : step.argv) spawn.argv.push_back(fill(text));
        for (const auto text : request().environment) spawn.environment.emplace_back(text);
        spawn.cwd = std::string(request().cwd);
        may_fail_ = step.may_fail;
        command_ = spawn.argv.front();
        waiting_ = Waiting::child;
        run.spawn(spawn);
    }
    void take_exit(const sdk::Input& input, sdk::Actions& run) {
        if (stopped_) return run.result(*stopped_);
        if (input.code == 0 || may_fail_) return go_on(run);
        std::string how = "exited with code " + std::to_string(input.code);
        if (input.signal != 0) how = "was ended by signal " + std::to_string(input.signal);
        if (input.code < 0 && !input.text.empty())
            how = "did not start: " + std::string(input.text);
        run.result(
            sdk::Result::failed(PC_CLASS_AGENT_ERROR, "adapter_failed", command_ + " " + how));
    }

    // The engine's API.

    void ask(sdk::Actions& run, std::string method, const std::string& path, std::string body,
             Answered then) {
        sdk::Http http;
        http.id = ++id_;
        http.method = std::move(method);
        http.url = std::string(request().api_url) + "/api" + path;
        http.headers = {"Authorization", std::string(k_token), "X-Paperclip-Run-Id",
                        std::string(request().run_id)};
        if (!body.empty()) {
            http.headers.insert(http.headers.end(), {"Content-Type", "application/json"});
        }
        http.body = std::move(body);
        waiting_ = Waiting::http;
        status_ = 0;
        answer_.clear();
        then_ = then;
        run.http(http);
        asked_ = std::move(http);
    }
    [[nodiscard]] bool is_answer(const sdk::Input& input) const {
        return waiting_ == Waiting::http && input.id == id_;
    }
    void take_end(const sdk::Input& input, sdk::Actions& run) {
        if (input.code == PC_HTTP_OK) return (this->*then_)(run);
        if (input.code != PC_HTTP_LOST) {
            return run.result(sdk::Result::failed(
                PC_CLASS_AGENT_ERROR, "api_unreachable",
                asked_.method + " " + asked_.url + ": " + std::string(input.text)));
        }
        if (then_ == &Fake::take_created) {
            run.log("The engine was restarted while " + asked_.method + " " + asked_.url +
                    " was on its way; it is not sent twice");
            return go_on(run);
        }
        // To ask again changes nothing that the first request may have changed.
        asked_.id = ++id_;
        status_ = 0;
        answer_.clear();
        run.http(asked_);
    }
    void fail_with_answer(sdk::Actions& run) {
        const auto json = sdk::Json::parse(answer_);
        const std::string why = json ? (*json)["error"].text() : std::string();
        auto result = sdk::Result::failed(
            PC_CLASS_AGENT_ERROR, "api_error",
            asked_.method + " " + asked_.url + " was answered with " + std::to_string(status_) +
                (why.empty() ? "" : " (" + std::string(sdk::utf8_prefix(why, 500)) + ")"));
        if (status_ == 401) result.error_class = PC_CLASS_AUTH;
        run.result(result);
    }
    [[nodiscard]] bool fine() const { return status_ >= 200 && status_ < 300; }

    void find_issue(sdk::Actions& run) {
        if (!issue_.id.empty()) return check_out(run);
        ask(run, "GET", "/agents/me/inbox-lite", {}, &Fake::take_inbox);
    }
    void take_inbox(sdk::Actions& run) {
        if (!fine()) return fail_with_answer(run);
        const auto inbox = sdk::Json::parse(answer_);
        for (const auto& item : inbox.value_or(sdk::Json()).items()) {
            if (item["dependencyReady"].boolean() == false || !is_segment(item["id"].text()))
                continue;
            issue_ = issue_of(item);
            return check_out(run);
        }
        leave_issue(run, "Nothing to do: no issue is waiting for this agent");
    }
    void check_out(sdk::Actions& run) {
        sdk::JsonWriter w;
        w.begin_object()
            .member("agentId", request().agent_id)
            .key("expectedStatuses")
            .begin_array();
        for (const char* status : {"todo", "backlog", "blocked", "in_progress"}) w.value(status);
        ask(run, "POST", "/issues/" + issue_.id + "/checkout", w.end_array().end_object().take(),
            &Fake::take_checkout);
    }
    void take_checkout(sdk::Actions& run) {
        if (status_ == 409) {
            return leave_issue(run, "Nothing to do: somebody else has " + name_of_issue());
        }
        if (status_ == 422)
            return leave_issue(run, "Nothing to do: " + name_of_issue() + " has to wait");
        if (!fine()) return fail_with_answer(run);
        if (const auto json = sdk::Json::parse(answer_)) {
            const Issue found = issue_of(*json);
            if (!found.identifier.empty()) issue_.identifier = found.identifier;
            if (!found.title.empty()) issue_.title = found.title;
        }
        go_on(run);
    }
    void leave_issue(sdk::Actions& run, std::string why) {
        issue_ = {};
        run.log(why);
        note_ = std::move(why);
        if (script_.needs_issue) next_ = script_.steps.size();
        go_on(run);
    }
    bool has_issue(const char* step, sdk::Actions& run) {
        if (!issue_.id.empty()) return true;
        run.log("Skipped " + std::string(step) + ": there is no issue to work on");
        return false;
    }
    void comment(const Comment& step, sdk::Actions& run) {
        if (!has_issue("a comment", run)) return;
        sdk::JsonWriter w;
        ask(run, "POST", "/issues/" + issue_.id + "/comments",
            w.begin_object().member("body", fill(step.text)).end_object().take(),
            &Fake::take_created);
    }
    void set_status(const SetStatus& step, sdk::Actions& run) {
        if (!has_issue("a change of status", run)) return;
        sdk::JsonWriter w;
        ask(run, "PATCH", "/issues/" + issue_.id,
            w.begin_object().member("status", fill(step.status)).end_object().take(),
            &Fake::take_changed);
    }
    void create(const Create& step, sdk::Actions& run) {
        sdk::JsonWriter w;
        w.begin_object();
        for (const auto& [name, value] : sdk::Json::parse(step.fields)->members()) {
            w.member(name, fill(value.text()));
        }
        if (!issue_.id.empty()) w.member("parentId", issue_.id);
        ask(run, "POST", "/companies/" + std::string(request().company_id) + "/issues",
            w.end_object().take(), &Fake::take_created);
    }
    /// The answer to what must not be sent twice.
    void take_created(sdk::Actions& run) { take_changed(run); }
    void take_changed(sdk::Actions& run) { fine() ? go_on(run) : fail_with_answer(run); }

    void cancel(const sdk::Input& input, sdk::Actions& run) {
        if (!stopped_) {
            const bool late = input.code == PC_CANCEL_TIMEOUT;
            stopped_ = sdk::Result::failed(late ? PC_CLASS_TIMEOUT : PC_CLASS_CANCELLED,
                                           late ? "timeout" : "cancelled", std::string(input.text));
        }
        // A child's end is waited for; the host brings it about.
        if (waiting_ != Waiting::child) run.result(*stopped_);
    }

    /// `text` with what its {{…}} stand for; what is not known stays.
    [[nodiscard]] std::string fill(std::string_view text) const {
        std::string out;
        for (auto at = text.find("{{"); at != std::string_view::npos; at = text.find("{{")) {
            const auto end = text.find("}}", at);
            if (end == std::string_view::npos) break;
            out += text.substr(0, at);
            out += value_of(text.substr(at, end + 2 - at));
            text.remove_prefix(end + 2);
        }
        return out + std::string(text);
    }
    [[nodiscard]] std::string_view value_of(std::string_view placeholder) const {
        if (placeholder == "{{run.id}}") return request().run_id;
        if (placeholder == "{{agent.id}}") return request().agent_id;
        if (placeholder == "{{issue.identifier}}") return issue_.identifier;
        if (placeholder == "{{issue.title}}") return issue_.title;
        return placeholder;
    }

    const Script script_;
    std::size_t next_ = 0;
    Waiting waiting_ = Waiting::nothing;
    std::int64_t now_us_ = 0;
    std::uint64_t id_ = 0;  ///< of the last timer or request
    std::int32_t child_ = 0;
    bool may_fail_ = false;
    std::string command_;
    sdk::Http asked_;
    Answered then_ = nullptr;
    std::int32_t status_ = 0;
    std::string answer_;
    Issue issue_;
    std::string note_;  ///< why there was nothing to do
    sdk::Usage used_;
    std::optional<sdk::Result> stopped_;
};

}  // namespace
}  // namespace paperclip::fake

PAPERCLIP_AGENT(paperclip::fake::Fake, "agent-fake", "0.1.0", paperclip::fake::k_type)
