#pragma once

#include "sdk/check/storage/session.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace paperclip::test {

/// A storage in memory that knows a handful of statements by what they mean, to compare a real one
/// with. Small enough to be right by reading it.
class ModelStore {
 public:
    /// The statements, by their place in statements().
    enum Statement : std::uint32_t {
        open_account,
        deposit,
        withdraw,
        overdraw,
        claim,
        release,
        close_account,
        note,
        interest,
        note_owned,
        rich,
        forget,
        merge,
        count
    };
    static const char* tables();
    static const std::vector<const char*>& statements();
    /// How many values a statement takes.
    static std::size_t parameters(std::uint32_t statement);

    check::Answer apply(const check::Unit& unit);
    [[nodiscard]] std::vector<check::Row> accounts() const;
    [[nodiscard]] std::vector<check::Row> entries() const;

 private:
    struct Account {
        std::int64_t balance;
        std::optional<std::int64_t> owner;
    };
    struct Entry {
        std::int64_t account;
        std::int64_t amount;
    };
    struct State {
        std::map<std::int64_t, Account> accounts;
        std::map<std::int64_t, Entry> entries;
    };
    /// A step of a unit: what it returns or changes; throws the status that it fails with.
    struct Run {
        State& state;
        const check::Row& values;
        std::vector<check::Row> rows = {};

        [[nodiscard]] std::int64_t value(std::size_t i) const;
        Account* account(std::int64_t id) const;
        void insert_entry(std::int64_t id, std::int64_t account, std::int64_t amount) const;
        std::int64_t change_balance(std::int64_t id, std::int64_t by) const;
        /// The number of rows that the statement returns or else changes.
        std::int64_t run(std::uint32_t statement);
        std::int64_t run_account(std::uint32_t statement);
        std::int64_t run_entry(std::uint32_t statement);
    };

    State state_;
    std::set<std::string> applied_;
};

}  // namespace paperclip::test
