#include "rules.hpp"

#include <atomic>
#include <limits>
#include <thread>

namespace paperclip::check {
namespace {

/// Rows that one statement changes all at once, so that any two of them that differ are of two
/// states of the store.
struct Equal {
    static constexpr int k_rows = 500;
    Session session;
    std::uint32_t bump, all;

    explicit Equal(const Context& context) : session(context) {
        session.script(
            "create table kit_equal (id {int} primary key, n {int} not null, pad text not "
            "null){strict}");
        const auto insert = session.write("insert into kit_equal (id, n, pad) values (?1, 0, ?2)");
        Unit unit;
        for (int i = 0; i < k_rows; ++i) unit.steps.push_back({insert, {i, std::string(200, 'p')}});
        session.apply(unit);
        bump = session.write("update kit_equal set n = n + 1");
        all = session.read("select n from kit_equal order by id");
    }
};

std::int64_t same_everywhere(const std::string& what, const std::vector<Row>& rows) {
    expect_equal(what + ": rows", Equal::k_rows, static_cast<std::int64_t>(rows.size()));
    for (const Row& row : rows)
        expect_value(what + ": a row of the same state", rows[0][0], row[0]);
    return std::get<std::int64_t>(rows[0][0]);
}

void read_your_writes(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key, n {int} not null){strict}");
    const auto insert = session.write("insert into kit_item (id, n) values (?1, 0)");
    const auto set = session.write("update kit_item set n = ?2 where id = ?1");
    const auto get = session.read("select n from kit_item where id = ?1");
    const int rounds = context.scaled(1'000, 100);
    in_parallel(8, [&](int id) {
        session.apply(insert, {id}, 1);
        for (int i = 1; i <= rounds; ++i) {
            session.apply(set, {id, i}, 1);
            expect_equal("what a query reads after the unit that wrote it", i,
                         session.integer(get, {id}));
        }
    });
}

void snapshot(const Context& context) {
    Equal equal(context);
    Session& session = equal.session;
    // A unit is applied in the middle of the query.
    for (const int middle : {1, 2, Equal::k_rows / 2, Equal::k_rows - 1}) {
        int row = 0;
        const auto result = session.query(equal.all, {}, 0, [&](const Row&) {
            if (++row == middle) session.apply(equal.bump, {}, Equal::k_rows);
            return true;
        });
        expect_status("a query", PC_OK, result);
        same_everywhere("a query while a unit is applied", result.rows);
    }
    const int rounds = context.scaled(200, 10);
    std::atomic<bool> stop{false};
    in_parallel(4, [&](int thread) {
        if (thread == 0) {
            while (!stop) session.apply(equal.bump, {}, Equal::k_rows);
            return;
        }
        try {
            std::int64_t last = 0;
            for (int i = 0; i < rounds; ++i) {
                const auto now = same_everywhere("a query under load", session.rows(equal.all));
                expect(now >= last, "expected a later query to see a later state");
                last = now;
            }
        } catch (...) {
            stop = true;
            throw;
        }
        if (thread == 1) stop = true;
    });
}

void stop(const Context& context) {
    Equal equal(context);
    for (const int wanted : {1, 2, Equal::k_rows - 1}) {
        int calls = 0;
        const auto result =
            equal.session.query(equal.all, {}, 0, [&](const Row&) { return ++calls < wanted; });
        expect_equal("rows of a query that was ended after " + std::to_string(wanted), wanted,
                     calls);
        expect_status("a query that its reader ends", PC_OK, result);
    }
}

void fresh(const Context& context) {
    Equal equal(context);
    Session& session = equal.session;
    // More often than a storage has connections: one that kept its snapshot would show up.
    const int rounds = context.scaled(300, 64);
    for (int i = 1; i <= rounds; ++i) {
        session.query(equal.all, {}, 0, [](const Row&) { return false; });
        session.apply(equal.bump, {}, Equal::k_rows);
        expect_equal("what a query sees after one that was ended early", i,
                     same_everywhere("a query", session.rows(equal.all)));
    }
}

void bad_statement(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key){strict}");
    const auto broken = session.read("select nonsense(");
    const auto missing = session.read("select n from kit_nothing");
    const auto one = session.read("select count(*) from kit_item where id = ?1");
    const auto two = session.read("select 1; select 2");
    const auto nothing = session.read(" ");
    const auto invalid = [&](const char* what, std::uint32_t statement, const Row& values) {
        const auto result = session.query(statement, values);
        expect_status(what, PC_INVALID, result);
        expect(!result.message.empty(), std::string(what) + ": expected a message, found none");
    };
    invalid("an unknown statement", 4711, {});
    invalid("a statement that cannot be parsed", broken, {});
    invalid("a table that does not exist", missing, {});
    invalid("a value too few", one, {});
    invalid("a value too many", one, {1, 2});
    invalid("a value of an unknown type", one, {Unknown{}});
    invalid("two statements in one", two, {});
    invalid("no statement at all", nothing, {});

    const auto writes = session.read("insert into kit_item (id) values (1) returning id");
    expect(session.query(writes).status != PC_OK,
           "a statement that writes, run as a query: expected a failure, found PC_OK");
    expect_equal("rows after all these", 0, session.integer(one, {1}));
    session.script("create table kit_nothing (n {int}){strict}");
    expect_rows("the missing table, once it is there", {}, session.rows(missing));
}

void query_deadline(const Context& context) {
    Session session(context);
    const auto endless = session.read(
        "with recursive n (x) as (select 1 union all select x % 1000 + 1 from n) select count(*) "
        "from n");
    const auto one = session.read("select 1");
    const int rounds = context.scaled(20, 4);
    for (int i = 0; i < rounds; ++i) {
        expect_status("an endless query with a limit", PC_TIMEOUT,
                      session.query(endless, {}, 1 + i * 500));
        expect_equal("a query after it", 1, session.integer(one));
    }
    expect_status("a short query with an hour", PC_OK, session.query(one, {}, 3'600'000'000));
    expect_status("a short query with the largest limit", PC_OK,
                  session.query(one, {}, std::numeric_limits<std::int64_t>::max()));
}

void literal(const Context& context) {
    // What looks like a parameter inside of a literal is none. The session spells ?1 for the
    // dialect, in the literals too, so each is found as the dialect would misread it.
    Session session(context);
    const auto text = session.read("select 'a ?5 b', 'it''s ?2', ?1 /* ?3 */ -- ?4");
    const std::string sigil = context.postgresql() ? "$" : "?";
    const auto result = session.query(text, {std::string("value")});
    expect_status("a statement with literals", PC_OK, result);
    expect_rows("its row", {{"a " + sigil + "5 b", "it's " + sigil + "2", std::string("value")}},
                result.rows);
}

void many(const Context& context) {
    constexpr int k_threads = 64;
    Equal equal(context);
    const int rounds = context.scaled(20, 3);
    std::atomic<int> asking{0};
    in_parallel(k_threads, [&](int) {
        ++asking;
        for (int i = 0; i < rounds; ++i) {
            // Who has a connection keeps it until everybody asks.
            const auto result = equal.session.query(equal.all, {}, 0, [&](const Row&) {
                while (asking < k_threads) std::this_thread::yield();
                return true;
            });
            expect_status("one of many queries at once", PC_OK, result);
            same_everywhere("one of many queries at once", result.rows);
        }
    });
}

}  // namespace

std::vector<Rule> query_rules() {
    return {
        {"order.read_your_writes", "a query sees every unit answered before it began",
         read_your_writes},
        {"order.snapshot", "a query sees one state while units go on", snapshot},
        {"query.stop", "the reader of a query may end it at any row", stop},
        {"query.fresh", "a query that was ended early leaves no old state behind", fresh},
        {"query.bad_statement", "a query that cannot run is PC_INVALID and harms nobody",
         bad_statement},
        {"query.deadline", "a query ends at its deadline", query_deadline},
        {"query.literal", "what looks like a parameter inside a literal is none", literal},
        {"query.many", "more queries at once than connections wait their turn", many},
    };
}

}  // namespace paperclip::check
