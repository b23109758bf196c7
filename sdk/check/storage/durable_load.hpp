#pragma once

#include "session.hpp"

#include <string>

namespace paperclip::check {

// What the two sides of the rules that kill a process share: the tables, and the lines in which the
// child says what was answered, written from within `done`:
//     l WORKER N    the N-th unit of a worker was applied
//     o KEY WORKER  the worker owns the key
//     c KEY         a conflict: somebody owns the key
//     m N           the N-th migration was run
//     b             a query was answered beside a migration
//     e TEXT        the child cannot go on

constexpr int k_load_workers = 12;
constexpr int k_migration_rows = 50;

inline constexpr const char* k_load_tables =
    "create table kit_count (worker {int} primary key, n {int} not null){strict};"
    "create table kit_log (worker {int} not null, n {int} not null, primary key (worker, "
    "n)){strict};"
    "create table kit_pair (worker {int} not null, n {int} not null, primary key (worker, "
    "n)){strict};"
    "create table kit_key (id {int} primary key, owner {int} not null){strict}";
inline constexpr const char* k_migration_tables =
    "create table kit_version (n {int} not null){strict};"
    "insert into kit_version (n) values (0)";

inline std::string migration_table(std::int64_t number) {
    return "kit_m" + std::to_string(number);
}

}  // namespace paperclip::check
