#include "tests/support/test_engine.hpp"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

/// Remembers what it was given, and can fail.
class Notebook final : public journal::Consumer {
 public:
    [[nodiscard]] std::string name() const override { return "notebook"; }
    void consume(std::span<const journal::Record> records) override {
        const std::lock_guard lock(mutex);
        if (fail) throw Error(ErrorKind::unavailable, "not now");
        for (const auto& record : records) seen[record.company_id].push_back(record.seq);
    }
    std::mutex mutex;
    bool fail = false;
    std::map<Id, std::vector<std::int64_t>> seen;
};

void append(TestEngine& engine, const Id& company) {
    auto& core = engine.services().core;
    storage::Unit unit = core.store.unit();
    core.journal.event(unit, company, "test.event", "company", company.str(), "{}");
    core.store.submit(unit);
}

Id company_of(TestEngine& engine) {
    return *Id::parse(engine.new_company());
}

bool counts_up(const std::vector<std::int64_t>& numbers, std::int64_t from) {
    for (const std::int64_t number : numbers) {
        if (number != from++) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("each company's records are numbered 1, 2, 3, … whoever appends them") {
    Notebook notebook;
    TestEngine engine(TestEngine::Work::threads);
    engine.services().relay.add_consumer(notebook);
    engine.services().relay.start();
    const std::vector<Id> companies{company_of(engine), company_of(engine), company_of(engine)};
    constexpr int k_writers = 4;
    constexpr int k_each = 25;
    std::vector<std::thread> writers;
    for (int i = 0; i < k_writers; ++i) {
        writers.emplace_back([&] {
            for (int n = 0; n < k_each; ++n)
                append(engine, companies[static_cast<std::size_t>(n) % 3]);
        });
    }
    for (auto& writer : writers) writer.join();
    static_cast<WorkerPool&>(engine.executor()).stop();
    for (const Id& company : companies) {
        const auto records = journal::records_after(engine.services().store, company, 0, 1000);
        std::vector<std::int64_t> numbers;
        for (const auto& record : records) numbers.push_back(record.seq);
        REQUIRE(numbers.size() >= k_writers * k_each / 3);
        CHECK(counts_up(numbers, 1));
        CHECK(notebook.seen[company] == numbers);
        CHECK(journal::span_of(engine.services().store, company) ==
              std::pair<std::int64_t, std::int64_t>(1, numbers.back()));
    }
}

TEST_CASE("a consumer goes on where it was when the engine went away") {
    TempFolder folder;
    Id company;
    std::int64_t before = 0;
    {
        Notebook notebook;
        TestEngine engine(TestEngine::Work::threads, folder.path());
        engine.services().relay.add_consumer(notebook);
        engine.services().relay.start();
        company = company_of(engine);
        for (int i = 0; i < 3; ++i) append(engine, company);
        const auto records = [&] {
            return journal::span_of(engine.services().store, company).second;
        };
        while (records() < 4) std::this_thread::yield();
        engine.services().relay.flush();
        const std::lock_guard lock(notebook.mutex);
        REQUIRE_FALSE(notebook.seen[company].empty());
        before = notebook.seen[company].back();
    }
    {
        // This engine dies before it numbers anything.
        TestEngine engine(TestEngine::Work::manual, folder.path());
        for (int i = 0; i < 3; ++i) append(engine, company);
    }
    Notebook notebook;
    TestEngine engine(TestEngine::Work::manual, folder.path());
    engine.services().relay.add_consumer(notebook);
    engine.services().relay.start();
    engine.run();
    CHECK(counts_up(notebook.seen[company], before + 1));
    CHECK(notebook.seen[company].back() == 7);
}

// The relay used to pass records on while it was still reading where the consumers stood.
TEST_CASE("what an earlier engine left unnumbered is consumed once, in order") {
    TempFolder folder;
    std::vector<Id> companies;
    {
        TestEngine engine(TestEngine::Work::manual, folder.path());
        for (int i = 0; i < 20; ++i) companies.push_back(company_of(engine));
    }
    Notebook notebook;
    TestEngine engine(TestEngine::Work::threads, folder.path());
    engine.services().relay.add_consumer(notebook);
    for (const Id& company : companies) append(engine, company);  // as recovery does
    engine.services().relay.start();
    static_cast<WorkerPool&>(engine.executor()).stop();
    for (const Id& company : companies) {
        CHECK(notebook.seen[company] == std::vector<std::int64_t>{1, 2});
    }
}

TEST_CASE("records that linger are numbered together, and none is left at the end") {
    constexpr std::chrono::milliseconds k_linger{5};
    Notebook notebook;
    TestEngine engine;
    const Id company = company_of(engine);
    engine.run();  // the engine's own relay numbers that
    auto& services = engine.services();
    journal::Relay relay(services.store, engine.executor(), engine.timers(), engine.clock(),
                         k_linger);
    relay.add_consumer(notebook);
    services.journal.announce_to(relay);
    relay.start();
    append(engine, company);
    engine.run();
    CHECK(journal::span_of(services.store, company).second == 1);
    append(engine, company);
    engine.advance(k_linger);
    CHECK(notebook.seen[company] == std::vector<std::int64_t>{1, 2, 3});

    append(engine, company);
    std::thread flush([&] { relay.flush(); });
    std::atomic<bool> flushed{false};
    std::thread work([&] {
        while (!flushed) engine.run();
    });
    flush.join();
    flushed = true;
    work.join();
    CHECK(notebook.seen[company].back() == 4);
}

TEST_CASE("a consumer that fails gets the same records again") {
    Notebook notebook;
    TestEngine engine;
    notebook.fail = true;
    engine.services().relay.add_consumer(notebook);
    engine.services().relay.start();
    const Id company = company_of(engine);
    engine.run();
    append(engine, company);
    engine.run();
    CHECK(notebook.seen.empty());
    notebook.fail = false;
    engine.advance(std::chrono::seconds(2));
    CHECK(notebook.seen[company] == std::vector<std::int64_t>{1, 2});
}

}  // namespace paperclip::test
