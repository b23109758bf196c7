#include "rules.hpp"

#include <chrono>
#include <limits>

namespace paperclip::check {
namespace {

void neighbour(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key, n {int} not null){strict}");
    const auto insert = session.write("insert into kit_item (id, n) values (?1, 0)");
    const auto add = session.write("update kit_item set n = n + 1 where id = ?1");
    const auto sum = session.read("select cast(coalesce(sum(n), 0) as {int}) from kit_item");
    constexpr int k_rows = 8;
    for (int i = 0; i < k_rows; ++i) session.apply(insert, {i});

    struct Failing {
        const char* what;
        Step step;
        pc_status status;
    };
    const std::vector<Failing> failing{
        {"a guard that fails", {add, {99}, 1}, PC_CONFLICT},
        {"a violated constraint", {insert, {1}}, PC_CONSTRAINT},
        {"an unknown statement", {4711, {}}, PC_INVALID},
        {"a value too many", {add, {1, 2}}, PC_INVALID},
    };
    int applied = 0;
    for (const auto& [what, step, status] : failing) {
        for (int place = 0; place < k_rows; place += 3) {
            std::vector<Unit> units;
            for (int i = 0; i < k_rows; ++i) {
                if (i == place) units.push_back({{step}});
                units.push_back({{{add, {i}, 1}}});
            }
            const auto answers = submit_together(session, units);
            for (std::size_t i = 0; i < answers.size(); ++i) {
                const bool fails = i == static_cast<std::size_t>(place);
                expect_status(fails ? std::string(what) : std::string("a neighbour of ") + what,
                              fails ? status : PC_OK, answers[i]);
            }
            applied += k_rows;
            expect_equal(std::string("effects of the neighbours of ") + what, applied,
                         session.integer(sum));
        }
    }
}

void deferred(const Context& context) {
    Session session(context);
    session.script(
        "create table kit_parent (id {int} primary key){strict};"
        "create table kit_child (id {int} primary key, parent {int} not null "
        "references kit_parent (id) deferrable initially deferred){strict}");
    const auto parent = session.write("insert into kit_parent (id) values (?1)");
    const auto child = session.write("insert into kit_child (id, parent) values (?1, ?2)");
    const auto children = session.read("select id from kit_child order by id");
    expect_status("a reference to nothing, checked at commit", PC_CONSTRAINT,
                  session.settle({{{child, {1, 99}}}}));
    session.apply({{{child, {2, 2}}, {parent, {2}}}});
    const auto answers = submit_together(
        session, {{{{child, {3, 2}}}}, {{{child, {4, 99}}}}, {{{child, {5, 5}}, {parent, {5}}}}});
    expect_status("the unit before it", PC_OK, answers[0]);
    expect_status("a reference to nothing in a group", PC_CONSTRAINT, answers[1]);
    expect_status("the unit after it", PC_OK, answers[2]);
    expect_rows("what was inserted", {{2}, {3}, {5}}, session.rows(children));
}

/// When a conflict is told, its cause must be there for everybody: a group that then failed to
/// commit would have told of something that never was.
void durable(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key){strict}");
    const auto insert = session.write("insert into kit_item (id) values (?1)");
    const auto guarded = session.write(
        "insert into kit_item (id) select ?1 where not exists (select 1 from kit_item where id = "
        "?1)");
    const auto count = session.read("select count(*) from kit_item where id = ?1");

    const int rounds = context.scaled(50, 5);
    for (int round = 0; round < rounds; ++round) {
        std::string wrong;  // written by the answers, which come before wait() returns
        // Read on a thread of its own, while the storage's stands in `done`.
        const auto must_be_there = [&](const char* what) {
            return [&, what, round](const Answer& answer) {
                if (answer.status != PC_OK && answer.status != PC_CONFLICT) return;
                std::thread([&] {
                    try {
                        expect_equal(what, 1, session.integer(count, {round}));
                    } catch (const std::exception& e) {
                        wrong = e.what();
                    }
                }).join();
            };
        };
        Pending* first = nullptr;
        Pending* second = nullptr;
        {
            Gate gate(session);
            first = &session.submit_async({{{insert, {round}, 1}}},
                                          must_be_there("rows of a unit when it is answered"));
            second =
                &session.submit_async({{{guarded, {round}, 1}}},
                                      must_be_there("rows behind a conflict when it is answered"));
        }
        const Answer inserted = session.wait(*first);
        const Answer conflict = session.wait(*second);
        expect(wrong.empty(), wrong);
        if (inserted.status == PC_RETRY || conflict.status == PC_RETRY) continue;
        expect_status("an insert", PC_OK, inserted);
        expect_status("an insert that must be the first", PC_CONFLICT, conflict);
    }
}

void unit_deadline(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key){strict}");
    const auto insert = session.write("insert into kit_item (id) values (?1)");
    const auto count = session.read("select count(*) from kit_item where id = ?1");
    constexpr std::int64_t k_hour = 3'600'000'000;
    struct Case {
        Pending* pending;
        std::int64_t timeout;
    };
    std::vector<Case> cases;
    const auto passed = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    {
        Gate gate(session);
        for (const std::int64_t timeout : {std::int64_t{1}, std::int64_t{0}, std::int64_t{1'000},
                                           k_hour, std::numeric_limits<std::int64_t>::max()}) {
            const auto id = static_cast<std::int64_t>(cases.size());
            cases.push_back({&session.submit_async({{{insert, {id}, 1}}, {}, timeout}), timeout});
        }
        while (std::chrono::steady_clock::now() < passed) std::this_thread::yield();
    }
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const Answer answer = session.wait(*cases[i].pending);
        const auto what = "a unit with a limit of " + std::to_string(cases[i].timeout) + " us";
        const bool may_be_late = cases[i].timeout > 0 && cases[i].timeout < k_hour;
        if (!may_be_late || answer.status != PC_TIMEOUT) expect_status(what, PC_OK, answer);
        expect_equal("effects of " + what + ", answered " + status_name(answer.status),
                     answer.status == PC_OK ? 1 : 0,
                     session.integer(count, {static_cast<std::int64_t>(i)}));
    }
}

void close_answers(const Context& context) {
    const int rounds = context.scaled(20, 4);
    constexpr int k_units = 100;
    for (int round = 0; round < rounds; ++round) {
        const std::string config = context.options.fresh();
        std::vector<const Pending*> pending;
        std::atomic<int> from_done{0};
        Session session(context, config);
        session.script("create table kit_item (id {int} primary key){strict}");
        const auto insert = session.write("insert into kit_item (id) values (?1)");
        {
            Gate gate(session);
            for (int i = 0; i < k_units; ++i) {
                pending.push_back(
                    &session.submit_async({{{insert, {i}, 1}}}, [&, i](const Answer&) {
                        // A chain of units goes on while the store closes: refused or answered.
                        if (i % 10 == 0) session.submit_async({{{insert, {k_units + i}, 1}}});
                        ++from_done;
                    }));
            }
            std::thread closing([&] { session.close(); });
            gate.open();
            closing.join();
        }
        session.each_pending([](const Pending& each) {
            const auto answer = each.answer();
            const bool refused = answer && answer->refused;
            expect(
                refused || each.answers() > 0,
                "a unit that was queued when the store was closed: expected an answer, found none");
        });
        Session again(context, config);
        const auto there = again.read("select count(*) from kit_item where id = ?1");
        for (int i = 0; i < k_units; ++i) {
            const auto status = pending[static_cast<std::size_t>(i)]->answer()->status;
            expect_equal("effects of a unit that close answered " + status_name(status),
                         status == PC_OK ? 1 : 0, again.integer(there, {i}));
        }
    }
}

}  // namespace

std::vector<Rule> group_rules() {
    return {
        {"unit.neighbour", "a unit that fails does not sink those that wait with it", neighbour},
        {"unit.deferred", "a constraint that is checked at commit fails its own unit alone",
         deferred},
        {"unit.durable", "no answer, not even a conflict, before the commit", durable},
        {"unit.deadline", "a unit is withdrawn only after its deadline, and then without effect",
         unit_deadline},
        {"close.answers", "what is queued when the store closes is answered, and kept",
         close_answers},
    };
}

}  // namespace paperclip::check
