#include "tests/faults/storage/model_store.hpp"

namespace paperclip::test {

using check::Row;
using check::Value;

const char* ModelStore::tables() {
    return "create table kit_account (id {int} primary key, balance {int} not null "
           "check (balance >= 0), owner {int}){strict};"
           "create table kit_entry (id {int} primary key, account {int} not null "
           "references kit_account (id), amount {int} not null){strict}";
}

const std::vector<const char*>& ModelStore::statements() {
    static const std::vector<const char*> texts{
        "insert into kit_account (id, balance) values (?1, ?2)",
        "update kit_account set balance = balance + ?2 where id = ?1",
        "update kit_account set balance = balance - ?2 where id = ?1 and balance >= ?2 "
        "returning balance",
        "update kit_account set balance = balance - ?2 where id = ?1",
        "update kit_account set owner = ?2 where id = ?1 and owner is null returning id, balance",
        "update kit_account set owner = null where owner = ?1",
        "delete from kit_account where id = ?1",
        "insert into kit_entry (id, account, amount) values (?1, ?2, ?3)",
        "update kit_account set balance = balance + balance / 10 where balance >= ?1",
        "insert into kit_entry (id, account, amount) "
        "select ?1 + id, id, balance from kit_account where owner = ?2",
        "select id, balance from kit_account where balance >= ?1 order by id",
        "delete from kit_entry where account = ?1",
        "insert into kit_account (id, balance) values (?1, ?2) on conflict (id) do update "
        "set balance = kit_account.balance + excluded.balance returning balance",
    };
    return texts;
}

std::size_t ModelStore::parameters(std::uint32_t statement) {
    static const std::vector<std::size_t> counts{2, 2, 2, 2, 2, 1, 1, 3, 1, 2, 1, 1, 2};
    return counts.at(statement);
}

std::int64_t ModelStore::Run::value(std::size_t i) const {
    return std::get<std::int64_t>(values.at(i));
}

ModelStore::Account* ModelStore::Run::account(std::int64_t id) const {
    const auto at = state.accounts.find(id);
    return at == state.accounts.end() ? nullptr : &at->second;
}

void ModelStore::Run::insert_entry(std::int64_t id, std::int64_t to, std::int64_t amount) const {
    if (account(to) == nullptr || !state.entries.emplace(id, Entry{to, amount}).second) {
        throw pc_status{PC_CONSTRAINT};
    }
}

std::int64_t ModelStore::Run::change_balance(std::int64_t id, std::int64_t by) const {
    Account* found = account(id);
    if (found == nullptr) return 0;
    found->balance += by;
    if (found->balance < 0) throw pc_status{PC_CONSTRAINT};
    return 1;
}

std::int64_t ModelStore::Run::run(std::uint32_t statement) {
    if (statement >= count || values.size() != parameters(statement)) throw pc_status{PC_INVALID};
    switch (statement) {
        case note:
        case note_owned:
        case forget:
            return run_entry(statement);
        default:
            return run_account(statement);
    }
}

std::int64_t ModelStore::Run::run_account(std::uint32_t statement) {
    Account* const one = account(value(0));
    std::int64_t changed = 0;
    switch (statement) {
        case open_account:
            if (one != nullptr || value(1) < 0) throw pc_status{PC_CONSTRAINT};
            state.accounts[value(0)] = {value(1), std::nullopt};
            return 1;
        case deposit:
            return change_balance(value(0), value(1));
        case overdraw:
            return change_balance(value(0), -value(1));
        case withdraw:
            if (one == nullptr || one->balance < value(1)) return 0;
            one->balance -= value(1);
            rows.push_back({one->balance});
            return 1;
        case claim:
            if (one == nullptr || one->owner) return 0;
            one->owner = value(1);
            rows.push_back({value(0), one->balance});
            return 1;
        case release:
            for (auto& [id, each] : state.accounts) {
                if (each.owner != value(0)) continue;
                each.owner.reset();
                ++changed;
            }
            return changed;
        case close_account:
            for (const auto& [id, entry] : state.entries) {
                if (one != nullptr && entry.account == value(0)) throw pc_status{PC_CONSTRAINT};
            }
            return static_cast<std::int64_t>(state.accounts.erase(value(0)));
        case interest:
            for (auto& [id, each] : state.accounts) {
                if (each.balance < value(0)) continue;
                each.balance += each.balance / 10;
                ++changed;
            }
            return changed;
        case rich:
            for (const auto& [id, each] : state.accounts) {
                if (each.balance >= value(0)) rows.push_back({id, each.balance});
            }
            return static_cast<std::int64_t>(rows.size());
        default: {  // merge; the check is made of the row that would be inserted, too
            if (value(1) < 0) throw pc_status{PC_CONSTRAINT};
            auto& merged =
                state.accounts.try_emplace(value(0), Account{0, std::nullopt}).first->second;
            merged.balance += value(1);
            rows.push_back({merged.balance});
            return 1;
        }
    }
}

std::int64_t ModelStore::Run::run_entry(std::uint32_t statement) {
    std::int64_t changed = 0;
    switch (statement) {
        case note:
            insert_entry(value(0), value(1), value(2));
            return 1;
        case note_owned:
            for (const auto& [id, each] : state.accounts) {
                if (each.owner != value(1)) continue;
                insert_entry(value(0) + id, id, each.balance);
                ++changed;
            }
            return changed;
        default:  // forget
            return static_cast<std::int64_t>(std::erase_if(
                state.entries, [&](const auto& each) { return each.second.account == value(0); }));
    }
}

check::Answer ModelStore::apply(const check::Unit& unit) {
    check::Answer answer;
    if (!unit.id.empty() && applied_.contains(unit.id)) return answer;
    State changed = state_;
    for (std::uint32_t i = 0; i < unit.steps.size(); ++i) {
        const check::Step& step = unit.steps[i];
        Run run{changed, step.values};
        try {
            const std::int64_t found = run.run(step.statement);
            if (step.expect != PC_ANY_ROWS && step.expect != found) throw pc_status{PC_CONFLICT};
        } catch (pc_status status) {
            return {status, i, {}, {}};
        }
        for (auto& row : run.rows) answer.rows.push_back({i, std::move(row)});
    }
    state_ = std::move(changed);
    if (!unit.id.empty()) applied_.insert(unit.id);
    return answer;
}

std::vector<Row> ModelStore::accounts() const {
    std::vector<Row> rows;
    for (const auto& [id, account] : state_.accounts) {
        rows.push_back({id, account.balance, account.owner ? Value(*account.owner) : Value{}});
    }
    return rows;
}

std::vector<Row> ModelStore::entries() const {
    std::vector<Row> rows;
    for (const auto& [id, entry] : state_.entries)
        rows.push_back({id, entry.account, entry.amount});
    return rows;
}

}  // namespace paperclip::test
