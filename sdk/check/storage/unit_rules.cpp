#include "rules.hpp"

#include <algorithm>
#include <random>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check {
namespace {

/// A store with one table of numbers and the statements that most rules need.
struct Items {
    Session session;
    std::uint32_t insert, add, remove, all, count, sum;

    explicit Items(const Context& context) : session(context) {
        session.script("create table kit_item (id {int} primary key, n {int} not null){strict}");
        insert = session.write("insert into kit_item (id, n) values (?1, ?2)");
        add = session.write("update kit_item set n = n + ?2 where id = ?1");
        remove = session.write("delete from kit_item where id >= ?1");
        all = session.read("select id, n from kit_item order by id");
        count = session.read("select count(*) from kit_item");
        sum = session.read("select cast(coalesce(sum(n), 0) as {int}) from kit_item");
    }
};

void atomic(const Context& context) {
    Items items(context);
    Session& session = items.session;
    session.apply({{{items.insert, {1, 10}}, {items.insert, {2, 20}}, {items.insert, {3, 30}}}});
    const std::vector<Row> before{{1, 10}, {2, 20}, {3, 30}};

    const auto undone = [&](const char* what, const Unit& unit) {
        const Answer answer = session.settle(unit);
        expect(answer.status != PC_OK, std::string(what) + ": expected a failure, found PC_OK");
        expect_rows(std::string("after ") + what, before, session.rows(items.all));
    };
    const Step fails{items.add, {99, 1}, 1};
    undone("inserts before a guard that fails",
           {{{items.insert, {4, 40}}, {items.insert, {5, 50}}, fails}});
    undone("updates before a guard that fails",
           {{{items.add, {1, 5}, 1}, {items.add, {2, 5}, 1}, fails}});
    undone("deletes before a guard that fails",
           {{{items.remove, {2}, 2}, {items.remove, {1}, 1}, fails}});
    undone("steps around a guard that fails",
           {{{items.insert, {4, 40}}, {items.add, {1, 5}, 1}, fails, {items.insert, {5, 50}}}});
    undone("a violated constraint after two steps",
           {{{items.insert, {4, 40}}, {items.add, {1, 5}, 1}, {items.insert, {2, 0}}}});
    undone("an unknown statement after two steps",
           {{{items.insert, {4, 40}}, {items.add, {1, 5}, 1}, {4711, {}}}});

    std::minstd_rand random(static_cast<std::uint32_t>(context.options.seed));
    const int rounds = context.scaled(200, 20);
    for (int i = 0; i < rounds; ++i) {
        Unit unit;
        const std::uint32_t steps = 3 + random() % 10;
        for (std::uint32_t s = 0; s < steps; ++s) unit.steps.push_back({items.add, {1 + s % 3, 7}});
        unit.steps.insert(
            unit.steps.begin() + static_cast<std::ptrdiff_t>(2 + random() % (steps - 1)), fails);
        undone("a unit of random length", unit);
    }
}

void guard(const Context& context) {
    Items items(context);
    Session& session = items.session;
    for (int i = 1; i <= 5; ++i) session.apply(items.insert, {i, i});
    const auto touch = session.write("update kit_item set n = n where id <= ?1");
    const auto read = session.write("select n from kit_item where id <= ?1");
    const auto give = session.write("update kit_item set n = n where id <= ?1 returning id");
    const auto copy = session.write(
        "insert into kit_item (id, n) select id + 100, n from kit_item where id <= ?1 on conflict "
        "do nothing");
    const auto drop = session.write("delete from kit_item where id > 100 and id <= 100 + ?1");

    const auto check = [&](const char* what, std::uint32_t statement, int rows) {
        for (const int expected : {rows - 1, rows, rows + 1}) {
            if (expected < 0) continue;
            const Answer answer = session.settle({{{statement, {rows}, expected}}});
            expect_status(std::string(what) + " of " + std::to_string(rows) + " rows, expect " +
                              std::to_string(expected),
                          expected == rows ? PC_OK : PC_CONFLICT, answer);
        }
        expect_status(std::string(what) + " of any number of rows", PC_OK,
                      session.settle({{{statement, {0}, PC_ANY_ROWS}}}));
    };
    for (const int rows : {0, 1, 4}) {
        check("an update", touch, rows);
        check("a select", read, rows);
        check("an update that returns rows", give, rows);
        check("an insert from a select", copy, rows);
        check("a delete", drop, rows);
    }
}

void guard_index(const Context& context) {
    Items items(context);
    Session& session = items.session;
    session.apply(items.insert, {1, 1});
    const Step holds{items.add, {1, 1}, 1};
    const Step fails{items.add, {99, 1}, 1};
    for (const std::uint32_t index : {0u, 1u, 2u, 7u}) {
        Unit unit;
        unit.steps.assign(index, holds);
        unit.steps.push_back(fails);
        unit.steps.push_back(fails);
        const Answer conflict = session.settle(unit);
        expect_status("a guard that fails", PC_CONFLICT, conflict);
        expect_equal("the index of the first step that fails", index, conflict.step);

        unit.steps[index] = {items.insert, {1, 1}};
        const Answer constraint = session.settle(unit);
        expect_status("a violated constraint", PC_CONSTRAINT, constraint);
        expect_equal("the index of the step that violates", index, constraint.step);
    }
}

void constraint(const Context& context) {
    Session session(context);
    session.script(
        "create table kit_parent (id {int} primary key, n {int} not null check (n >= 0)){strict};"
        "create table kit_child (id {int} primary key, parent {int} not null references kit_parent "
        "(id)){strict}");
    const auto insert = session.write("insert into kit_parent (id, n) values (?1, ?2)");
    const auto insert_child = session.write("insert into kit_child (id, parent) values (?1, ?2)");
    const auto add = session.write("update kit_parent set n = n + ?2 where id = ?1");
    const auto remove = session.write("delete from kit_parent where id = ?1");
    const auto rows = session.read("select id, n from kit_parent order by id");
    session.apply({{{insert, {1, 1}}, {insert_child, {1, 1}}}});
    const auto violates = [&](const char* what, const Step& step) {
        const Answer answer = session.settle({{step}});
        expect_status(what, PC_CONSTRAINT, answer);
        expect(!answer.message.empty(), std::string(what) + ": expected a message, found none");
    };
    violates("a key that is taken", {insert, {1, 5}});
    violates("a null that is not allowed", {insert, {2, Value{}}});
    violates("a check that does not hold", {add, {1, -2}});
    violates("a reference to nothing", {insert_child, {2, 99}});
    violates("a delete of what is referred to", {remove, {1}});
    expect_rows("after violated constraints", {{1, 1}}, session.rows(rows));
}

void returned_rows(const Context& context) {
    Items items(context);
    Session& session = items.session;
    const auto insert =
        session.write("insert into kit_item (id, n) values (?1, ?2) returning n, id");
    const auto select = session.write("select id from kit_item where id <= ?1 order by id");
    const Answer answer = session.apply({{{insert, {1, 10}, 1},
                                          {insert, {2, 20}, 1},
                                          {items.add, {1, 5}, 1},
                                          {select, {2}, 2},
                                          {insert, {3, 30}, 1}}});
    const std::vector<Row> expected{{0, 10, 1}, {1, 20, 2}, {3, 1}, {3, 2}, {4, 30, 3}};
    std::vector<Row> found;
    for (const auto& returned : answer.rows) {
        Row row{returned.step};
        row.insert(row.end(), returned.row.begin(), returned.row.end());
        found.push_back(std::move(row));
    }
    expect_rows("what the steps return, each row after its step's index", expected, found);
    session.each_pending([](const Pending& pending) {
        expect_equal("rows after the answer", 0, pending.late_rows());
    });
}

void order(const Context& context) {
    Items items(context);
    Session& session = items.session;
    // Each step needs what the one before it did.
    const auto from_before = session.write(
        "insert into kit_item (id, n) select id + 1, n * 2 from kit_item where id = ?1");
    Unit unit{{{items.insert, {1, 1}, 1}}};
    for (int i = 1; i <= 20; ++i) unit.steps.push_back({from_before, {i}, 1});
    session.apply(unit);
    expect_equal("the sum of 1, 2, 4 … 2^20", (1 << 21) - 1, session.integer(items.sum));
}

void empty(const Context& context) {
    Items items(context);
    expect_status("a unit without steps", PC_OK, items.session.settle({}));
    expect_status("a unit without steps, with an id", PC_OK, items.session.settle({{}, "empty"}));
    expect_status("the same again", PC_OK, items.session.settle({{}, "empty"}));
}

void large(const Context& context) {
    const auto max = static_cast<int>(context.storage.limits.max_steps);
    const int steps = std::min(20'000, max);
    Items items(context);
    Session& session = items.session;
    Unit unit;
    for (int i = 1; i <= steps; ++i) unit.steps.push_back({items.insert, {i, i}, 1});
    session.apply(unit);
    const auto sum = static_cast<std::int64_t>(steps) * (steps + 1) / 2;
    expect_equal("rows of a unit of " + std::to_string(steps) + " steps", steps,
                 session.integer(items.count));
    expect_equal("their sum", sum, session.integer(items.sum));

    for (Step& step : unit.steps) std::get<std::int64_t>(step.values[0]) += steps;
    unit.steps.back() = {items.add, {-1, 0}, 1};
    const Answer answer = session.settle(unit);
    expect_status("a large unit whose last guard fails", PC_CONFLICT, answer);
    expect_equal("rows after it", steps, session.integer(items.count));
}

void limits(const Context& context) {
    Items items(context);
    Session& session = items.session;
    const auto refused = [&](const char* what, const Unit& unit) {
        expect_status(what, PC_INVALID, session.settle(unit));
        expect_equal(std::string("rows after ") + what, 0, session.integer(items.count));
    };
    refused("a unit id of 65 bytes", {{{items.insert, {1, 1}}}, std::string(65, 'i')});
    // A storage without a limit of its own says so with the largest number.
    constexpr std::uint32_t k_countable = 1'000'000;
    if (context.storage.limits.max_steps < k_countable) {
        Unit unit;
        const auto steps = static_cast<int>(context.storage.limits.max_steps) + 1;
        for (int i = 0; i < steps; ++i) unit.steps.push_back({items.insert, {i, i}});
        refused("a unit of more than max_steps steps", unit);
    }
    session.apply({{{items.insert, {1, 1}}}, std::string(64, 'i')});
}

void bad_parameters(const Context& context) {
    Items items(context);
    Session& session = items.session;
    const auto broken = session.write("insert into kit_item (id, n) values (?1, nonsense(");
    const auto invalid = [&](const char* what, const Step& step) {
        expect_status(what, PC_INVALID, session.settle({{step}}));
        expect_equal(std::string("rows after ") + what, 0, session.integer(items.count));
    };
    invalid("a value too few", {items.insert, {1}});
    invalid("no values", {items.insert, {}});
    invalid("a value too many", {items.insert, {1, 2, 3}});
    invalid("an unknown statement", {4711, {}});
    invalid("a statement that cannot be prepared", {broken, {1}});

    invalid("a value of an unknown type", {items.insert, {1, Unknown{}}});

    session.apply(items.insert, {1, 1}, 1);
    expect_equal("rows after a good unit", 1, session.integer(items.count));
}

void same_id(const Context& context) {
    const std::string config = context.options.fresh();
    Session session(context, config);
    session.script("create table kit_item (id {int} primary key, n {int} not null){strict}");
    const auto add = session.write("update kit_item set n = n + 1 where id = ?1");
    const auto n = session.read("select n from kit_item where id = 1");
    session.apply(session.write("insert into kit_item (id, n) values (1, 0)"));
    const Unit once{{{add, {1}, 1}}, "once"};
    for (int i = 0; i < 3; ++i) session.apply(once);
    expect_equal("effects of a unit that came three times", 1, session.integer(n));
    session.apply({{{add, {1}, 1}}, "another"});
    expect_equal("effects with another id", 2, session.integer(n));

    // What failed has not been applied, so its id is still free.
    const Answer conflict = session.settle({{{add, {99}, 1}}, "failed"});
    expect_status("a guard that fails", PC_CONFLICT, conflict);
    session.apply({{{add, {1}, 1}}, "failed"});
    expect_equal("effects once the failed unit holds", 3, session.integer(n));

    for (const auto& answer : submit_together(session, {5, Unit{{{add, {1}, 1}}, "group"}})) {
        if (answer.status != PC_RETRY) expect_status("the same id in one group", PC_OK, answer);
    }
    session.apply({{{add, {1}, 1}}, "group"});
    expect_equal("effects of one id five times in a group", 4, session.integer(n));

    in_parallel(8, [&](int) { session.apply({{{add, {1}, 1}}, std::string(64, 'x')}); });
    expect_equal("effects of one id from eight threads", 5, session.integer(n));

    session.close();
    Session again(context, config);
    const auto add_again = again.write("update kit_item set n = n + 1 where id = ?1");
    again.apply({{{add_again, {1}, 1}}, "once"});
    expect_equal("effects of an id of before the store was closed", 5,
                 again.integer(again.read("select n from kit_item where id = 1")));
}

void done_once(const Context& context) {
    Items items(context);
    Session& session = items.session;
    session.apply(items.insert, {0, 0});
    const int rounds = context.scaled(500, 25);
    in_parallel(8, [&](int thread) {
        for (int i = 0; i < rounds; ++i) {
            const int id = 1 + thread * rounds + i;
            session.submit_async({{{items.insert, {id, 1}, 1}}});
            session.submit_async({{{items.add, {-id, 1}, 1}}});
            session.submit_async({{{items.insert, {0, 0}}}});
            session.submit_async({{{4711, {}}}});
            session.submit_async({{}, "id" + std::to_string(i)});
            session.submit_async({{{items.add, {0, 1}}}, {}, 1});
        }
    });
    session.apply(items.add, {0, 1}, 1);
    session.close();
    session.each_pending([](const Pending& pending) {
        const auto answer = pending.answer();
        const bool refused = answer && answer->refused;
        expect_equal(refused ? "calls of `done` for a unit that was refused"
                             : "calls of `done` for a unit that was taken",
                     refused ? 0 : 1, pending.answers());
    });
}

}  // namespace

std::vector<Rule> unit_rules() {
    return {
        {"unit.atomic", "a unit is applied whole or not at all", atomic},
        {"unit.guard", "a step that touches more or fewer rows than it expects is a conflict",
         guard},
        {"unit.guard_index", "a failure names the first step that failed", guard_index},
        {"unit.constraint", "a violated constraint of the schema is PC_CONSTRAINT", constraint},
        {"unit.rows", "rows that steps return come in order, with their step, before the answer",
         returned_rows},
        {"unit.order", "a step sees what the steps before it did", order},
        {"unit.empty", "a unit without steps is PC_OK", empty},
        {"unit.large", "a unit may have 20,000 steps", large},
        {"unit.limits", "what is over the limits is PC_INVALID and changes nothing", limits},
        {"unit.bad_parameters", "wrong parameters and statements are PC_INVALID and harm nobody",
         bad_parameters},
        {"unit.same_id", "a unit submitted again with its id has no further effect", same_id},
        {"unit.done_once", "every unit is answered exactly once", done_once},
    };
}

}  // namespace paperclip::check
