#include "engine/journal/relay.hpp"

#include "engine/base/log.hpp"

#include <algorithm>
#include <future>

namespace paperclip::journal {

using storage::operator""_sql;

namespace {

constexpr std::int64_t k_batch = 500;
constexpr Duration k_retry_after = std::chrono::seconds(1);
constexpr Duration k_save_every = std::chrono::seconds(1);

bool in_order(const Record& a, const Record& b) {
    return std::tie(a.company_id, a.seq) < std::tie(b.company_id, b.seq);
}

}  // namespace

std::vector<Record> records_after(storage::Store& store, const Id& company, std::int64_t seq,
                                  std::int64_t limit) {
    return store.all<Record>("journal.after"_sql,
                             {{"company_id", company}, {"seq", seq}, {"limit", limit}});
}

std::pair<std::int64_t, std::int64_t> span_of(storage::Store& store, const Id& company) {
    std::pair<std::int64_t, std::int64_t> span;
    store.each("journal.span"_sql, {{"company_id", company}}, [&](storage::Row row) {
        span = {row[0].as_integer(), row[1].as_integer()};
    });
    return span;
}

/// One consumer's way through the journal. Its work runs on its own strand, so a slow consumer
/// holds up nobody; when it is behind it reads the store instead of keeping batches in memory.
class Relay::Feed : public std::enable_shared_from_this<Feed> {
 public:
    Feed(Relay& relay, Consumer& consumer)
        : relay_(relay), consumer_(consumer), strand_(relay.executor_) {}

    void start() {
        strand_.post([self = shared_from_this()] { self->catch_up_all(); });
    }

    /// `records` of one company, just numbered.
    void offer(std::shared_ptr<const std::vector<Record>> records) {
        strand_.post([self = shared_from_this(), records = std::move(records)] {
            if (!self->knows_positions_) return;  // they are in the store, to be found there
            Position& position = self->positions_[records->front().company_id];
            position.head = std::max(position.head, records->back().seq);
            if (position.done + 1 == records->front().seq) {
                self->take(position, *records);
            } else {
                self->catch_up(records->front().company_id, position);
            }
        });
    }

    void save() {
        storage::Unit unit = relay_.store_.unit();
        for (auto& [company, position] : positions_) {
            if (position.done == position.saved) continue;
            unit.add(
                "journal.save_cursor"_sql,
                {{"consumer", consumer_.name()}, {"company_id", company}, {"seq", position.done}});
            position.saved = position.done;
        }
        if (!unit.empty()) relay_.store_.submit(unit);
        saved_at_ = relay_.clock_.now();
    }

    [[nodiscard]] const Strand& strand() const { return strand_; }

 private:
    struct Position {
        std::int64_t done = 0;
        std::int64_t head = 0;
        std::int64_t saved = 0;
    };

    void catch_up_all() {
        try {
            if (!knows_positions_) read_positions();
        } catch (const std::exception& e) {
            retry_later(e);
            return;
        }
        for (auto& [company, position] : positions_) catch_up(company, position);
    }

    void read_positions() {
        relay_.store_.each("journal.positions"_sql, {{"consumer", consumer_.name()}},
                           [&](storage::Row row) {
                               const Id company = Id::trusted(row[0].as_text());
                               const std::int64_t done = row[1].as_integer();
                               positions_[company] = {done, row[2].as_integer(), done};
                           });
        knows_positions_ = true;
    }

    void catch_up(const Id& company, Position& position) {
        while (position.done < position.head) {
            std::vector<Record> records;
            try {
                records = records_after(relay_.store_, company, position.done, k_batch);
            } catch (const std::exception& e) {
                retry_later(e);
                return;
            }
            if (records.empty() || !take(position, records)) return;
        }
    }

    bool take(Position& position, const std::vector<Record>& records) {
        try {
            consumer_.consume(records);
        } catch (const std::exception& e) {
            retry_later(e);
            return false;
        }
        position.done = records.back().seq;
        if (relay_.clock_.now() - saved_at_ >= k_save_every) save();
        return true;
    }

    void retry_later(const std::exception& why) {
        log_warn("journal consumer failed, it tries again",
                 {{"consumer", consumer_.name()}, {"error", why.what()}});
        if (std::exchange(retrying_, true)) return;
        relay_.timers_.at(relay_.clock_.now() + k_retry_after, [self = shared_from_this()] {
            self->strand_.post([self] {
                self->retrying_ = false;
                self->catch_up_all();
            });
        });
    }

    Relay& relay_;
    Consumer& consumer_;
    Strand strand_;
    std::map<Id, Position> positions_;
    bool knows_positions_ = false;
    Time saved_at_;
    bool retrying_ = false;
};

namespace {

/// Returns when the strand has done `work`, whatever comes of it.
void run_on(const Strand& strand, const std::function<void()>& work) {
    std::promise<void> done;
    strand.post([&] {
        try {
            work();
        } catch (const std::exception& e) {
            log_warn("journal not saved", {{"error", e.what()}});
        }
        done.set_value();
    });
    done.get_future().wait();
}

}  // namespace

Relay::Relay(storage::Store& store, Executor& executor, TimerQueue& timers, const Clock& clock,
             Duration linger)
    : store_(store),
      executor_(executor),
      timers_(timers),
      clock_(clock),
      linger_(linger),
      strand_(executor) {}

void Relay::add_consumer(Consumer& consumer) {
    feeds_.push_back(std::make_shared<Feed>(*this, consumer));
}

void Relay::start() {
    for (const auto& feed : feeds_) feed->start();
    wake();
}

void Relay::wake() {
    if (wanted_.exchange(true)) return;  // the numbering that is to come will see these records too
    if (linger_ == Duration::zero()) return strand_.post([this] { number(); });
    timers_.at(clock_.now() + linger_, [this] { strand_.post([this] { number(); }); });
}

void Relay::number() {
    wanted_ = false;
    try {
        while (number_batch()) {
        }
    } catch (const std::exception& e) {
        log_warn("journal relay failed, it tries again", {{"error", e.what()}});
        timers_.at(clock_.now() + k_retry_after, [this] { wake(); });
    }
}

/// Numbers one batch and passes it on; true when there may be more.
bool Relay::number_batch() {
    std::vector<Record> batch;
    storage::Unit unit = store_.unit();
    unit.add("journal.number"_sql, {{"limit", k_batch}}).any().each([&](storage::Row row) {
        batch.push_back(storage::row_as<Record>(row));
    });
    store_.submit(unit);
    std::sort(batch.begin(), batch.end(), in_order);
    const bool more = static_cast<std::int64_t>(batch.size()) == k_batch;
    for (auto first = batch.begin(); first != batch.end();) {
        const auto last = std::find_if(first, batch.end(), [&](const Record& record) {
            return record.company_id != first->company_id;
        });
        const auto records = std::make_shared<const std::vector<Record>>(first, last);
        for (const auto& listener : listeners_) listener(*records);
        for (const auto& feed : feeds_) feed->offer(records);
        first = last;
    }
    return more;
}

void Relay::flush() {
    run_on(strand_, [this] { number(); });
    for (const auto& feed : feeds_) run_on(feed->strand(), [&] { feed->save(); });
}

}  // namespace paperclip::journal
