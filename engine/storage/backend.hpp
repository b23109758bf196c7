#pragma once

#include "engine/base/value.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::storage {

/// What became of a unit or a query; the kinds of paperclip.storage/1.
enum class Outcome {
    ok,
    conflict,    ///< a guard did not hold
    constraint,  ///< a constraint of the schema was violated
    retry,       ///< nothing was changed; the same unit may succeed now
    full,        ///< no space; nothing was changed
    read_only,
    io,
    corrupt,
    timeout,  ///< not begun before its deadline
    closed,
    invalid,  ///< a bug of ours: unknown statement, wrong number of parameters, bad SQL
};
std::string_view outcome_name(Outcome outcome) noexcept;

/// A statement in the dialect of the backend, parameters positional.
struct StatementText {
    std::uint32_t id;
    std::string_view name;
    std::string_view sql;
    std::uint32_t parameter_count;
    bool read;
};

constexpr std::int64_t k_any_rows = -1;

struct Step {
    std::uint32_t statement;
    std::int64_t expect;  ///< rows changed or returned, or k_any_rows
    std::span<const Value> values;
};

/// A unit on its way through a backend. Whoever submits it keeps it alive until done() is called.
class UnitRequest {
 public:
    virtual ~UnitRequest() = default;
    [[nodiscard]] virtual std::span<const Step> steps() const = 0;
    /// Empty, or the name under which it is applied at most once.
    [[nodiscard]] virtual std::string_view id() const = 0;
    /// A row that a step returned; on a thread of the backend, borrowed.
    virtual void row(std::uint32_t step, std::span<const Value> values) = 0;
    /// Called once, last, on a thread of the backend. `step` is the one that failed.
    virtual void done(Outcome outcome, std::uint32_t step, std::string_view message) = 0;
};

struct QueryRequest {
    std::uint32_t statement;
    std::span<const Value> values;
    std::int64_t timeout_us;
    /// Borrowed values; false ends the query.
    std::function<bool(std::span<const Value>)> row;
};

struct Failure {
    Outcome outcome = Outcome::ok;
    std::string message;
};

/// A storage as the engine sees it: paperclip.storage/1 without the C (the promises are written in
/// sdk/include/paperclip/draft/storage.h). A backend may wrap another one, to count, to delay or to
/// fail. Thread-safe.
class Backend {
 public:
    virtual ~Backend() = default;
    [[nodiscard]] virtual std::string_view dialect() const = 0;
    virtual Failure catalogue(std::span<const StatementText> statements) = 0;
    /// Returns at once; done() is always called, perhaps before this returns.
    virtual void submit(UnitRequest& unit) = 0;
    virtual Failure query(const QueryRequest& query) = 0;
    virtual Failure exec_script(std::string_view script) = 0;
    virtual Failure checkpoint() = 0;
    /// Sizes and counters as JSON.
    virtual Failure health(std::string& out) = 0;
    virtual Failure backup(const std::filesystem::path& path) = 0;
};

}  // namespace paperclip::storage
