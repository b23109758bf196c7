#include "session.hpp"

namespace paperclip::check {
namespace {

double per_second(int count, const std::function<void()>& work) {
    const auto started = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    return count / took.count();
}

/// An account, its ledger, and callers who spend: the shape of most units of the engine.
struct Spending {
    Session session;
    std::uint32_t spend, note, balance, ledger;
    std::atomic<int> noted{0};

    explicit Spending(const Context& context) : session(context) {
        session.script(
            "create table kit_account (id {int} primary key, spent {int} not null){strict};"
            "create table kit_ledger (id {int} primary key, cost {int} not null, note text not "
            "null){strict}");
        const auto open = session.write("insert into kit_account (id, spent) values (?1, 0)");
        for (int id = 0; id < 32; ++id) session.apply(open, {id}, 1);
        spend = session.write("update kit_account set spent = spent + ?2 where id = ?1");
        note = session.write("insert into kit_ledger (id, cost, note) values (?1, ?2, ?3)");
        balance = session.read("select spent from kit_account where id = ?1");
        ledger = session.read("select id, cost, note from kit_ledger");
    }
    double units(int callers, int each) {
        return per_second(callers * each, [&] {
            in_parallel(callers, [&](int id) {
                for (int i = 0; i < each; ++i) {
                    session.apply(
                        {{{spend, {id, 7}, 1}, {note, {noted++, 7, std::string(100, 'n')}, 1}}});
                }
            });
        });
    }
    double queries(int callers, int each) {
        return per_second(callers * each, [&] {
            in_parallel(callers, [&](int id) {
                for (int i = 0; i < each; ++i) session.integer(balance, {id});
            });
        });
    }
    double rows() {
        return per_second(noted, [&] { session.rows(ledger); });
    }
};

}  // namespace

std::vector<Measure> measure(const pc_storage& storage, const Options& options) {
    const Context context{storage, options};
    Spending spending(context);
    const int some = context.scaled(500, 20);
    std::vector<Measure> found;
    found.push_back({"units of two steps, 1 caller", spending.units(1, some)});
    found.push_back({"units of two steps, 8 callers", spending.units(8, some)});
    found.push_back({"units of two steps, 32 callers", spending.units(32, some)});
    found.push_back({"queries of one row, 1 caller", spending.queries(1, some * 10)});
    found.push_back({"queries of one row, 8 callers", spending.queries(8, some * 10)});
    found.push_back({"rows of one long query", spending.rows()});
    return found;
}

}  // namespace paperclip::check
