#pragma once

#include "engine/base/error.hpp"
#include "engine/storage/unit.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace paperclip::storage {

/// A failure of the storage itself, not of what was asked of it. `outcome` says which; the message
/// says what an operator can do.
class StorageError : public Error {
 public:
    StorageError(Outcome outcome, const std::string& message);
    [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }

 private:
    Outcome outcome_;
};

/// A guard did not hold and nobody said what that means: the state changed since it was read.
class Conflict : public Error {
 public:
    Conflict(std::size_t step, const std::string& statement)
        : Error(ErrorKind::conflict, "the state changed meanwhile (" + statement + ")", "conflict"),
          step_(step) {}
    [[nodiscard]] std::size_t step() const noexcept { return step_; }

 private:
    std::size_t step_;
};

/// The engine's state: reads and units by name. Thread-safe; every call may block for the disk, so
/// none is made on an I/O thread. Lives as long as the engine.
class Store {
 public:
    Store(Backend& backend, Catalogue& catalogue) : backend_(backend), catalogue_(catalogue) {}

    [[nodiscard]] Unit unit() const { return Unit(catalogue_); }

    /// Applies the unit; returns when it is durable. Throws what a failed step's otherwise() or
    /// taken() throws, else Conflict; StorageError when the storage cannot.
    void submit(Unit& unit);

    /// Calls `visit` for each row; it must not call the store.
    void each(const StatementPtr& statement, std::span<const Arg> args,
              const std::function<void(Row)>& visit);
    void each(const StatementName& name, Args args, const std::function<void(Row)>& visit) {
        each(catalogue_.find(name), {args.begin(), args.size()}, visit);
    }

    template <class T>
    std::vector<T> all(const StatementName& name, Args args) {
        std::vector<T> rows;
        each(name, args, [&](Row row) { rows.push_back(row_as<T>(row)); });
        return rows;
    }
    template <class T>
    std::vector<T> all(const StatementPtr& statement, std::span<const Arg> args) {
        std::vector<T> rows;
        each(statement, args, [&](Row row) { rows.push_back(row_as<T>(row)); });
        return rows;
    }
    template <class T>
    std::optional<T> one(const StatementName& name, Args args) {
        std::optional<T> found;
        each(name, args, [&](Row row) { found = row_as<T>(row); });
        return found;
    }
    /// The first column of the first row.
    std::optional<std::int64_t> integer(const StatementName& name, Args args);
    std::optional<std::string> text(const StatementName& name, Args args);

    StatementPtr compose(const StatementName& name, const Composition& composition) {
        return catalogue_.compose(name, composition);
    }
    [[nodiscard]] Backend& backend() const { return backend_; }
    [[nodiscard]] Catalogue& catalogue() const { return catalogue_; }

 private:
    Backend& backend_;
    Catalogue& catalogue_;
};

/// The version of the schema in a store; 0 when it is empty. Throws StorageError when the store is
/// newer than this engine.
int known_version(Backend& backend, const Catalogue& catalogue);

/// Brings the schema to the newest version, each migration in its own transaction, forward only.
/// `snapshot` is called once before the first change of a store that has data. Throws
/// StorageError when the store is newer than this engine. Returns the version before.
int migrate(Backend& backend, Catalogue& catalogue, const std::function<void(int from)>& snapshot);

}  // namespace paperclip::storage
