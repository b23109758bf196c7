#include "tests/faults/storage/decorator.hpp"
#include "tests/faults/storage/wrong_storages.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::test {
namespace {

using RowFunction = std::function<std::int32_t(const pc_value*, std::uint32_t)>;

/// A query whose rows come through here.
class Filtered : public Decorator {
 public:
    using Decorator::Decorator;

 protected:
    pc_status run(const pc_query& query, const RowFunction& row, pc_error* error) {
        pc_query copy = query;
        copy.ctx = const_cast<RowFunction*>(&row);
        copy.row = [](void* ctx, const pc_value* values, std::uint32_t count) {
            return (*static_cast<const RowFunction*>(ctx))(values, count);
        };
        return inner().query(store_, &copy, error);
    }
};

/// Changes each value that a query reads.
template <void (*Change)(pc_value&)>
class Changed : public Filtered {
 public:
    using Filtered::Filtered;
    pc_status query(const pc_query& query, pc_error* error) override {
        std::vector<pc_value> row;
        return run(
            query,
            [&](const pc_value* values, std::uint32_t count) {
                row.assign(values, values + count);
                for (auto& value : row) Change(value);
                return query.row(query.ctx, row.data(), count);
            },
            error);
    }
};

void through_double(pc_value& value) {
    if (value.type != PC_VALUE_INTEGER) return;
    // Not quite to the end of the range, where the way back is undefined.
    const double real = static_cast<double>(value.integer);
    if (real < 9.2e18 && real > -9.2e18) value.integer = static_cast<std::int64_t>(real);
}
void through_float(pc_value& value) {
    if (value.real < 1e38 && value.real > -1e38) value.real = static_cast<float>(value.real);
}
void cut_text(pc_value& value) {
    if (value.type == PC_VALUE_TEXT && value.bytes.size > 65'535) value.bytes.size = 65'535;
}
void cut_blob(pc_value& value) {
    if (value.type != PC_VALUE_BLOB) return;
    value.bytes.size = std::min<std::uint64_t>(value.bytes.size, sdk::view(value.bytes).find('\0'));
}
void null_is_empty(pc_value& value) {
    if (value.type == PC_VALUE_NULL) value.type = PC_VALUE_TEXT;
}

/// Answers every 500th query from a cache.
class Stale : public Filtered {
 public:
    using Filtered::Filtered;
    pc_status query(const pc_query& query, pc_error* error) override {
        std::vector<std::int64_t> key{query.statement};
        for (std::uint32_t i = 0; i < query.value_count; ++i) {
            key.push_back(query.values[i].integer);
        }
        if (++queries_ % 500 == 0) {
            const std::lock_guard lock(mutex_);
            if (const auto found = known_.find(key); found != known_.end()) {
                pc_value value{};
                value.type = PC_VALUE_INTEGER;
                value.integer = found->second;
                query.row(query.ctx, &value, 1);
                return PC_OK;
            }
        }
        return run(
            query,
            [&](const pc_value* values, std::uint32_t count) {
                if (count == 1 && values[0].type == PC_VALUE_INTEGER) {
                    const std::lock_guard lock(mutex_);
                    known_[key] = values[0].integer;
                }
                return query.row(query.ctx, values, count);
            },
            error);
    }

 private:
    std::atomic<int> queries_{0};
    std::mutex mutex_;
    std::map<std::vector<std::int64_t>, std::int64_t> known_;
};

/// Reads a long result in two goes.
class TwoHalves : public Filtered {
 public:
    using Filtered::Filtered;
    pc_status query(const pc_query& query, pc_error* error) override {
        constexpr int k_first = 250;
        int row = 0;
        const pc_status status = run(
            query,
            [&](const pc_value* values, std::uint32_t count) {
                return ++row > k_first ? 1 : query.row(query.ctx, values, count);
            },
            error);
        if (status != PC_OK || row <= k_first) return status;
        row = 0;
        return run(
            query,
            [&](const pc_value* values, std::uint32_t count) {
                return ++row <= k_first ? 0 : query.row(query.ctx, values, count);
            },
            error);
    }
};

class NeverStops : public Filtered {
 public:
    using Filtered::Filtered;
    pc_status query(const pc_query& query, pc_error* error) override {
        return run(
            query,
            [&](const pc_value* values, std::uint32_t count) {
                query.row(query.ctx, values, count);
                return 0;
            },
            error);
    }
};

/// A query that was ended early leaves the state it saw to the next one.
class LeavesSnapshot : public Filtered {
 public:
    using Filtered::Filtered;
    pc_status query(const pc_query& query, pc_error* error) override {
        std::vector<std::int64_t> kept;
        {
            const std::lock_guard lock(mutex_);
            kept.swap(left_);
        }
        std::size_t at = 0;
        bool stopped = false;
        std::vector<std::int64_t> seen;
        const pc_status status = run(
            query,
            [&](const pc_value* values, std::uint32_t count) {
                pc_value value = values[0];
                seen.push_back(value.integer);
                if (count == 1 && at < kept.size()) value.integer = kept[at++];
                if (!stopped) stopped = query.row(query.ctx, count == 1 ? &value : values, count);
                return 0;
            },
            error);
        if (stopped) {
            const std::lock_guard lock(mutex_);
            left_ = seen;
        }
        return status;
    }

 private:
    std::mutex mutex_;
    std::vector<std::int64_t> left_;
};

/// Takes a deadline for a reason to try again.
class TryAgain : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status query(const pc_query& query, pc_error* error) override {
        const pc_status status = Decorator::query(query, error);
        return status == PC_TIMEOUT ? PC_RETRY : status;
    }
};

/// Knows the ids it was given, and makes what it likes of the others and of the texts.
class Catalogued : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status catalogue(const pc_statement* statements, std::uint32_t count,
                        pc_error* error) override {
        const std::lock_guard lock(mutex_);
        for (std::uint32_t i = 0; i < count; ++i) known_.insert(statements[i].id);
        return Decorator::catalogue(statements, count, error);
    }

 protected:
    [[nodiscard]] bool knows(std::uint32_t id) {
        const std::lock_guard lock(mutex_);
        return known_.contains(id);
    }

 private:
    std::mutex mutex_;
    std::set<std::uint32_t> known_;
};

class NothingForUnknown : public Catalogued {
 public:
    using Catalogued::Catalogued;
    pc_status query(const pc_query& query, pc_error* error) override {
        return knows(query.statement) ? Catalogued::query(query, error) : PC_OK;
    }
};

class KeepsFirst : public Catalogued {
 public:
    using Catalogued::Catalogued;
    pc_status catalogue(const pc_statement* statements, std::uint32_t count,
                        pc_error* error) override {
        return count == 1 && knows(statements->id)
                   ? PC_OK
                   : Catalogued::catalogue(statements, count, error);
    }
};

/// Finds parameters in literals.
class BlindToQuotes : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status catalogue(const pc_statement* statements, std::uint32_t count,
                        pc_error* error) override {
        std::string sql(sdk::view(statements->sql));
        if (const auto at = sql.find("?5"); at != std::string::npos) sql.replace(at, 2, "?1");
        pc_statement changed = *statements;
        changed.sql = sdk::str(sql);
        return count == 1 ? Decorator::catalogue(&changed, 1, error)
                          : Decorator::catalogue(statements, count, error);
    }
};

/// Reads the numbers of a statement that joins texts as texts.
class NumbersAsTexts : public Filtered {
 public:
    using Filtered::Filtered;
    pc_status catalogue(const pc_statement* statements, std::uint32_t count,
                        pc_error* error) override {
        const std::lock_guard lock(mutex_);
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto sql = sdk::view(statements[i].sql);
            if (sql.find("||") != std::string_view::npos) joining_.insert(statements[i].id);
        }
        return Filtered::catalogue(statements, count, error);
    }
    pc_status query(const pc_query& query, pc_error* error) override {
        if (!joins(query.statement)) return Filtered::query(query, error);
        return run(
            query,
            [&](const pc_value* values, std::uint32_t count) {
                std::vector<pc_value> row(values, values + count);
                std::vector<std::string> texts(count);
                for (std::uint32_t i = 0; i < count; ++i) {
                    if (row[i].type != PC_VALUE_INTEGER) continue;
                    texts[i] = std::to_string(row[i].integer);
                    row[i].type = PC_VALUE_TEXT;
                    row[i].bytes = sdk::str(texts[i]);
                }
                return query.row(query.ctx, row.data(), count);
            },
            error);
    }

 private:
    bool joins(std::uint32_t id) {
        const std::lock_guard lock(mutex_);
        return joining_.contains(id);
    }
    std::mutex mutex_;
    std::set<std::uint32_t> joining_;
};

/// Turns queries away when there are many.
class TurnsAway : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status query(const pc_query& query, pc_error* error) override {
        constexpr int k_most = 33;
        const bool too_many = ++running_ > k_most;
        const pc_status status = too_many ? PC_BUSY : Decorator::query(query, error);
        --running_;
        return status;
    }

 private:
    std::atomic<int> running_{0};
};

const pc_storage& few_parameters() {
    static const pc_storage table = [] {
        pc_storage made = decorated<Decorator>();
        made.limits.max_parameters = 10;
        return made;
    }();
    return table;
}

}  // namespace

std::vector<WrongStorage> wrong_queries() {
    return {
        {"takes ten parameters", few_parameters(), {"table.complete"}},
        {"reads integers as doubles",
         decorated<Changed<through_double>>(),
         {"types.integer_limits"}},
        {"reads reals as floats", decorated<Changed<through_float>>(), {"types.real"}},
        {"cuts texts", decorated<Changed<cut_text>>(), {"types.text_unicode"}},
        {"ends blobs at a NUL", decorated<Changed<cut_blob>>(), {"types.blob_nul"}},
        {"reads nulls as empty texts", decorated<Changed<null_is_empty>>(), {"types.null"}},
        {"reads from a cache", decorated<Stale>(), {"order.read_your_writes"}},
        {"reads a result in two goes", decorated<TwoHalves>(), {"order.snapshot"}},
        {"does not end a query", decorated<NeverStops>(), {"query.stop"}},
        {"leaves a query's state to the next", decorated<LeavesSnapshot>(), {"query.fresh"}},
        {"mistakes a deadline", decorated<TryAgain>(), {"query.deadline"}},
        {"finds nothing by an unknown statement",
         decorated<NothingForUnknown>(),
         {"query.bad_statement"}},
        {"finds parameters in literals", decorated<BlindToQuotes>(), {"query.literal"}},
        {"reads numbers as texts", decorated<NumbersAsTexts>(), {"types.expression"}},
        {"turns queries away", decorated<TurnsAway>(), {"query.many"}},
        {"keeps the first text of a statement", decorated<KeepsFirst>(), {"catalogue.replace"}},
    };
}

}  // namespace paperclip::test
