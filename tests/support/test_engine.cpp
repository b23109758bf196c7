#include "tests/support/test_engine.hpp"

#include "engine/pluginhost/shim_children.hpp"

#include <cstdlib>
#include <stdexcept>

namespace paperclip::test {

namespace json = boost::json;

namespace {

/// Mon 2026-03-02 09:00 UTC.
constexpr Time k_start{std::chrono::seconds(1'772'442'000)};
constexpr std::size_t k_threads = 4;

/// No program is ever started.
class NoChildren final : public pluginhost::Children {
 public:
    pluginhost::ProcessIdentity prepare(const std::filesystem::path&, const shim::Spec&) override {
        throw Error(ErrorKind::unavailable, "there are no programs in this test");
    }
    void go(const std::filesystem::path&) override {}
    void abandon(const std::filesystem::path&) override {}
    State state(const std::filesystem::path&, const pluginhost::ProcessIdentity&) override {
        return State::never_started;
    }
    void settle(const std::filesystem::path&, const pluginhost::ProcessIdentity&) override {}
    std::optional<shim::Exit> exit(const std::filesystem::path&) override { return std::nullopt; }
    void order(const std::filesystem::path&, const pluginhost::ProcessIdentity&,
               shim::Order) override {}
    int end_strays(std::string_view) override { return 0; }
    void watch(const std::filesystem::path&, const pluginhost::ProcessIdentity&,
               std::function<void()>) override {}
    void unwatch(const std::filesystem::path&) override {}
    std::int64_t read_output(const std::filesystem::path&, std::int64_t offset, std::int64_t,
                             const std::function<void(const Output&)>&) override {
        return offset;
    }
    void write_input(const std::filesystem::path&, std::string_view, bool) override {}
    std::int64_t input_size(const std::filesystem::path&) override { return 0; }
};

std::unique_ptr<pluginhost::Children> make_children(const std::filesystem::path& shim) {
    if (shim.empty()) return std::make_unique<NoChildren>();
    return std::make_unique<pluginhost::ShimChildren>(shim);
}

/// An agent's requests reach the router of the same engine, as background work.
class Loopback final : public pluginhost::HttpClient {
 public:
    Loopback(Executor& executor, std::function<http::Response(http::Request)> answer)
        : executor_(executor), answer_(std::move(answer)) {}

    std::shared_ptr<void> send(pluginhost::HttpRequest request,
                               pluginhost::HttpEvents events) override {
        auto wanted = std::make_shared<Wanted>();
        executor_.post([this, wanted, request = std::move(request), events = std::move(events)] {
            const auto path = request.url.find("/api/");
            http::Request in = request_for(http::parse_method(request.method),
                                           request.url.substr(path + 4), request.body);
            for (const auto& header : request.headers) in.headers.push_back(header);
            const http::Response out = answer_(std::move(in));
            const std::lock_guard lock(wanted->mutex);
            if (!wanted->yes) return;
            events.head(out.status, "{}");
            events.body(out.body);
            events.end(PC_HTTP_OK, "");
        });
        return {wanted.get(), [wanted](void*) {
                    const std::lock_guard lock(wanted->mutex);
                    wanted->yes = false;
                }};
    }

 private:
    struct Wanted {
        std::recursive_mutex mutex;  // an event may be the reason to give the request up
        bool yes = true;
    };
    Executor& executor_;
    std::function<http::Response(http::Request)> answer_;
};

const pluginhost::AdapterTypes& adapter_types() {
    static std::vector<std::string> problems;
    static const pluginhost::AdapterTypes types(
        pluginhost::find_plugins({PAPERCLIP_TEST_PLUGINS}, problems), problems);
    return types;
}

/// The route of the request that this thread has just made.
thread_local const http::Route* t_route = nullptr;

}  // namespace

http::Request request_for(http::Method method, const std::string& target, const std::string& body,
                          const std::string& token) {
    http::Request request;
    request.method = method;
    http::read_target("/api" + target, request);
    request.headers.emplace_back("Host", "localhost");
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
    request.body = body;
    request.peer = {"127.0.0.1", 50'000, 3100, 0};
    return request;
}

std::string Answer::at(const char* member) const {
    const auto& value = body.at(member);
    return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

std::string Answer::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

struct TestEngine::Parts {
    TempFolder temp;
    std::filesystem::path folder;
    pluginhost::StoragePlugin plugin;
    storage::Catalogue catalogue{"sqlite"};
    storage::Store store{plugin, catalogue};
    ManualClock clock{k_start};
    Ids ids{clock};
    ManualExecutor manual;
    std::unique_ptr<WorkerPool> pool;
    TimerQueue timers;
    std::unique_ptr<pluginhost::Children> children;
    Redactor redactor;
    FakePeers peers;
    Loopback loopback;
    std::unique_ptr<app::Services> services;
    std::unique_ptr<access::Gate> gate;
    std::unique_ptr<http::Router> router;
    std::unique_ptr<ApiChecker> checker;

    Parts(Work work, const std::filesystem::path& of, const std::filesystem::path& shim)
        : folder(of.empty() ? temp.path() : of),
          plugin(sqlite_library(), sqlite_config(folder / "paperclip.db")),
          pool(work == Work::threads ? std::make_unique<WorkerPool>("test", k_threads) : nullptr),
          children(make_children(shim)),
          loopback(executor(), [this](const http::Request& r) { return router->handle(r); }) {
        app::Services::add_sql(catalogue);
        storage::migrate(plugin, catalogue, {});
        catalogue.publish(plugin);
        services = std::make_unique<app::Services>(
            app::Machine{.store = store,
                         .clock = clock,
                         .ids = ids,
                         .executor = executor(),
                         .timers = timers,
                         .children = *children,
                         .http = loopback,
                         .adapters = adapter_types(),
                         .redactor = redactor,
                         .places = {folder},
                         .api_url = "http://127.0.0.1:3100",
                         .token_secret = "a secret of tests",
                         .base_environment = {std::string("PATH=") + std::getenv("PATH")},
                         .run_options = {}});
        gate =
            std::make_unique<access::Gate>(services->core, services->keys, services->tokens, peers);
        router = std::make_unique<http::Router>(*gate);
        services->add_routes(*router);
        router->observe = [](const http::Route* route, int, std::int64_t) { t_route = route; };
        checker = std::make_unique<ApiChecker>(*router);
    }

    Executor& executor() {
        if (pool) return *pool;
        return manual;
    }
};

TestEngine::TestEngine(Work work, const std::filesystem::path& folder,
                       const std::filesystem::path& shim)
    : parts_(std::make_unique<Parts>(work, folder, shim)) {}

TestEngine::~TestEngine() {
    if (parts_->pool) parts_->pool->stop();
    run();
}

Answer TestEngine::call(http::Request request) {
    const http::Response response = parts_->router->handle(request);
    Answer answer{response.status, {}, response.body, response.headers};
    if (!response.body.empty() && response.content_type.starts_with("application/json")) {
        answer.body = parse_json(response.body, 512);
    }
    const std::string problem = parts_->checker->problem(t_route, response);
    if (!problem.empty()) {
        throw std::logic_error(std::string(http::method_name(request.method)) + " " + request.path +
                               " " + request.body + "\n→ " + std::to_string(response.status) + " " +
                               response.body + "\n" + problem);
    }
    return answer;
}

Answer TestEngine::call(http::Method method, const std::string& target, const std::string& body,
                        const std::string& token) {
    return call(request_for(method, target, body, token));
}
Answer TestEngine::get(const std::string& target, const std::string& token) {
    return call(http::Method::get, target, {}, token);
}
Answer TestEngine::post(const std::string& target, const std::string& body,
                        const std::string& token) {
    return call(http::Method::post, target, body, token);
}
Answer TestEngine::patch(const std::string& target, const std::string& body,
                         const std::string& token) {
    return call(http::Method::patch, target, body, token);
}
Answer TestEngine::remove(const std::string& target, const std::string& token) {
    return call(http::Method::delete_, target, {}, token);
}

namespace {

std::string id_of_new(const Answer& answer) {
    if (answer.status != 201) throw std::logic_error("not created: " + answer.text);
    return answer.id();
}

}  // namespace

std::string TestEngine::new_company(const std::string& body) {
    return id_of_new(post("/companies", body));
}

std::string TestEngine::new_agent(const std::string& company, const std::string& name,
                                  const std::string& more) {
    return id_of_new(post("/companies/" + company + "/agents",
                          R"({"adapterType":"fake","name":")" + name + '"' + more + '}'));
}

std::string TestEngine::new_key(const std::string& agent) {
    const Answer answer = post("/agents/" + agent + "/keys", "{}");
    id_of_new(answer);
    return answer.at("token");
}

std::string TestEngine::new_issue(const std::string& company, const std::string& more) {
    return id_of_new(post("/companies/" + company + "/issues",
                          R"({"title":"Do it","allowDuplicate":true)" + more + '}'));
}

void TestEngine::start() {
    parts_->services->start();
}
void TestEngine::run() {
    parts_->manual.run_all();
}
void TestEngine::advance(Duration by) {
    parts_->clock.advance(by);
    parts_->timers.run_due(parts_->clock.now());
    run();
}

const std::filesystem::path& TestEngine::folder() const {
    return parts_->folder;
}
app::Services& TestEngine::services() {
    return *parts_->services;
}
http::Router& TestEngine::router() {
    return *parts_->router;
}
ManualClock& TestEngine::clock() {
    return parts_->clock;
}
FakePeers& TestEngine::peers() {
    return parts_->peers;
}
ApiChecker& TestEngine::checker() {
    return *parts_->checker;
}
Executor& TestEngine::executor() {
    return parts_->executor();
}
TimerQueue& TestEngine::timers() {
    return parts_->timers;
}

}  // namespace paperclip::test
