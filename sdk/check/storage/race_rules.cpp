#include "rules.hpp"

#include <algorithm>
#include <random>

namespace paperclip::check {
namespace {

void claims(const Context& context) {
    const int items = context.scaled(10'000, 200);
    constexpr int k_workers = 64;
    constexpr int k_rivals = 4;  // for each item
    Session session(context);
    session.script(
        "create table kit_claim (id {int} primary key, owner {int}, wins {int} not null){strict}");
    const auto insert =
        session.write("insert into kit_claim (id, owner, wins) values (?1, null, 0)");
    const auto claim = session.write(
        "update kit_claim set owner = ?2, wins = wins + 1 where id = ?1 and owner is null");
    const auto all = session.read("select id, owner, wins from kit_claim order by id");
    for (int first = 0; first < items; first += 5'000) {
        Unit unit;
        for (int i = first; i < std::min(items, first + 5'000); ++i)
            unit.steps.push_back({insert, {i}});
        session.apply(unit);
    }
    std::vector<std::atomic<int>> winners(static_cast<std::size_t>(items));
    std::vector<std::atomic<int>> owner(static_cast<std::size_t>(items));
    in_parallel(k_workers, [&](int worker) {
        // Workers of one class walk the same items in the same order, so they meet at each.
        constexpr int k_classes = k_workers / k_rivals;
        for (int i = worker % k_classes; i < items; i += k_classes) {
            const Answer answer = session.settle({{{claim, {i, worker}, 1}}});
            if (answer.status == PC_OK) {
                ++winners[static_cast<std::size_t>(i)];
                owner[static_cast<std::size_t>(i)] = worker;
            } else {
                expect_status("a claim that lost", PC_CONFLICT, answer);
            }
        }
    });
    const auto rows = session.rows(all);
    expect_equal("claimed items", items, static_cast<std::int64_t>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto item = "item " + std::to_string(i);
        expect_equal("workers that were told they have " + item, 1, winners[i]);
        expect_rows(item, {{static_cast<std::int64_t>(i), owner[i].load(), 1}}, {rows[i]});
    }
}

void budget(const Context& context) {
    const int attempts = context.scaled(200, 20);
    constexpr int k_workers = 32;
    const std::int64_t limit = std::int64_t{k_workers} * attempts * 2;  // half of what is wanted
    Session session(context);
    session.script(
        "create table kit_budget (id {int} primary key, spent {int} not null, hard_limit {int} not "
        "null){strict};"
        "create table kit_ledger (worker {int} not null, n {int} not null, cost {int} not null, "
        "primary key (worker, n)){strict}");
    session.apply(session.write("insert into kit_budget (id, spent, hard_limit) values (1, 0, ?1)"),
                  {limit});
    const auto spend = session.write(
        "update kit_budget set spent = spent + ?1 where id = 1 and spent + ?1 <= hard_limit");
    const auto note = session.write("insert into kit_ledger (worker, n, cost) values (?1, ?2, ?3)");
    const auto spent = session.read("select spent from kit_budget");
    const auto noted = session.read("select cast(coalesce(sum(cost), 0) as {int}) from kit_ledger");
    std::atomic<std::int64_t> told{0};
    std::atomic<std::int64_t> turned_down{0};
    in_parallel(k_workers, [&](int worker) {
        std::minstd_rand random(static_cast<std::uint32_t>(context.options.seed) +
                                static_cast<std::uint32_t>(worker));
        for (int i = 0; i < attempts; ++i) {
            const std::int64_t cost = static_cast<std::int64_t>(1 + random() % 7);
            const Answer answer =
                session.settle({{{spend, {cost}, 1}, {note, {worker, i, cost}, 1}}});
            if (answer.status == PC_OK) {
                told += cost;
            } else {
                expect_status("a cost over the limit", PC_CONFLICT, answer);
                ++turned_down;
            }
            const auto now = session.integer(spent);
            expect(now <= limit, "a budget of " + std::to_string(limit) +
                                     ": expected never more, found " + std::to_string(now));
        }
    });
    expect(turned_down > 0, "expected some costs to be turned down, found none");
    expect_equal("the sum of the ledger", session.integer(spent), session.integer(noted));
    expect_equal("what the workers were told they spent", session.integer(spent), told);
}

struct Lease {
    Session session;
    std::uint32_t take, give, write, value;

    explicit Lease(const Context& context) : session(context) {
        session.script(
            "create table kit_lease (id {int} primary key, owner {int} not null, until {int} not "
            "null, "
            "epoch {int} not null){strict};"
            "create table kit_work (id {int} primary key, epoch {int} not null, n {int} not "
            "null){strict}");
        session.apply(
            session.write("insert into kit_lease (id, owner, until, epoch) values (1, 0, 0, 0)"));
        session.apply(session.write("insert into kit_work (id, epoch, n) values (1, 0, 0)"));
        // ?1 owner, ?2 now, ?3 until
        take = session.write(
            "update kit_lease set owner = ?1, until = ?3, epoch = epoch + 1 "
            "where id = 1 and (owner = 0 or until < ?2) returning epoch");
        give = session.write(
            "update kit_lease set owner = 0 where id = 1 and owner = ?1 and epoch = ?2");
        write =
            session.write("update kit_work set n = n + 1, epoch = ?1 where id = 1 and epoch <= ?1");
        value = session.read("select n from kit_work where id = 1");
    }
    /// The epoch, or 0 when somebody else has it.
    std::int64_t acquire(int owner, int now, int until) {
        const Answer answer = session.settle({{{take, {owner, now, until}, 1}}});
        if (answer.status == PC_CONFLICT) return 0;
        expect_status("a lease", PC_OK, answer);
        expect_equal("rows that a lease returned", 1,
                     static_cast<std::int64_t>(answer.rows.size()));
        return std::get<std::int64_t>(answer.rows[0].row.at(0));
    }
};

void lease(const Context& context) {
    Lease lease(context);
    Session& session = lease.session;
    const auto first = lease.acquire(1, 10, 20);
    expect_equal("the first epoch", 1, first);
    expect_equal("a lease that somebody has", 0, lease.acquire(2, 15, 30));
    expect_equal("the epoch after the lease ran out", 2, lease.acquire(2, 25, 40));
    session.apply(lease.write, {2}, 1);
    expect_status("a write under the lease that ran out", PC_CONFLICT,
                  session.settle({{{lease.write, {first}, 1}}}));
    session.apply(lease.give, {2, 2}, 1);

    const int turns = context.scaled(100, 4);
    std::atomic<int> holders{0};
    std::atomic<std::int64_t> epoch{2};
    std::atomic<int> written{1};
    std::atomic<int> in_vain{0};  // since somebody last had it
    in_parallel(16, [&](int worker) {
        for (int done = 0; done < turns;) {
            const auto mine = lease.acquire(worker + 1, 100, 200);
            if (mine == 0) {
                expect(++in_vain < 100'000,
                       "a lease that is given back: expected it to be taken "
                       "again, found it held by nobody");
                continue;
            }
            in_vain = 0;
            const int others = holders.fetch_add(1);
            const auto before = epoch.exchange(mine);
            expect_equal("others that hold the lease", 0, others);
            expect(mine > before, "the epoch of a lease: expected more than " +
                                      std::to_string(before) + ", found " + std::to_string(mine));
            session.apply(lease.write, {mine}, 1);
            ++written;
            ++done;
            --holders;
            session.apply(lease.give, {worker + 1, mine}, 1);
        }
    });
    expect_equal("writes under the lease", written, session.integer(lease.value));
}

/// A guard that reads another row holds it ({share}), or two units each see the state before the
/// other: the classical write skew.
void write_skew(const Context& context) {
    Session session(context);
    session.script("create table kit_duty (id {int} primary key, on_duty {int} not null){strict}");
    session.apply(session.write("insert into kit_duty (id, on_duty) values (1, 1), (2, 1)"));
    const auto other_is_on =
        session.write("select id from kit_duty where id = ?1 and on_duty = 1{share}");
    const auto leave = session.write("update kit_duty set on_duty = 0 where id = ?1");
    const auto enter = session.write("update kit_duty set on_duty = 1 where id = ?1");
    const auto on_duty = session.read("select count(*) from kit_duty where on_duty = 1");
    const int rounds = context.scaled(300, 40);
    in_parallel(4, [&](int worker) {
        const int mine = 1 + worker % 2;
        for (int i = 0; i < rounds; ++i) {
            const Answer answer =
                session.settle({{{other_is_on, {3 - mine}, 1}, {leave, {mine}, 1}}});
            if (answer.status != PC_CONFLICT) expect_status("leaving", PC_OK, answer);
            expect(session.integer(on_duty) >= 1, "on duty: expected somebody, found nobody");
            if (answer.status == PC_OK) session.apply(enter, {mine}, 1);
        }
    });
}

/// A unit that reads before it writes cannot be overtaken between the two: no lost update, and no
/// failure because somebody else wrote meanwhile.
void read_then_write(const Context& context) {
    Session session(context);
    session.script(
        "create table kit_item (id {int} primary key, n {int} not null){strict};"
        "create table kit_copy (worker {int} not null, i {int} not null, n {int} not null, "
        "primary key (worker, i)){strict}");
    session.apply(session.write("insert into kit_item (id, n) values (1, 0)"));
    const auto copy = session.write(
        "insert into kit_copy (worker, i, n) select ?1, ?2, n from kit_item where id = 1{update}");
    const auto add = session.write("update kit_item set n = n + 1 where id = 1");
    const auto distinct = session.read("select count(distinct n) from kit_copy");
    const auto n = session.read("select n from kit_item where id = 1");
    const int rounds = context.scaled(200, 20);
    constexpr int k_workers = 16;
    in_parallel(k_workers, [&](int worker) {
        for (int i = 0; i < rounds; ++i) {
            session.apply({{{copy, {worker, i}, 1}, {add, {}, 1}}});
        }
    });
    expect_equal("a counter that every unit reads and adds to", k_workers * rounds,
                 session.integer(n));
    expect_equal("values that one unit alone has read", k_workers * rounds,
                 session.integer(distinct));
}

}  // namespace

std::vector<Rule> race_rules() {
    return {
        {"race.claims", "64 workers claim 10,000 items, each goes to exactly one", claims},
        {"race.budget", "32 workers spend against a hard limit, never over it", budget},
        {"race.lease", "a lease has one holder and its epoch grows", lease},
        {"race.write_skew", "a guard on another row holds until the unit commits", write_skew},
        {"race.read_then_write", "nothing comes between a unit's reads and its writes",
         read_then_write},
    };
}

}  // namespace paperclip::check
