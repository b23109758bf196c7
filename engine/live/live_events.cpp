#include "engine/live/live_events.hpp"

#include "engine/base/log.hpp"

#include <charconv>

namespace paperclip::live {
namespace {

constexpr std::int64_t k_page = 500;
constexpr std::size_t k_enough_queued = 1 << 20;
constexpr std::chrono::milliseconds k_pause{20};

/// What a client learns from a frame about an act of somebody.
struct ActivityPayload {
    std::string actor_type;
    std::string actor_id;
    std::string action;
    std::string entity_type;
    std::string entity_id;
    std::optional<Id> agent_id;
    std::optional<Id> run_id;
    std::optional<Json> details;
};
BOOST_DESCRIBE_STRUCT(ActivityPayload, (),
                      (actor_type, actor_id, action, entity_type, entity_id, agent_id, run_id,
                       details))

std::shared_ptr<const std::string> frame(std::int64_t seq, const Id& company, std::string_view type,
                                         Time at, std::string_view payload) {
    std::string text;
    JsonWriter(text)
        .begin_object()
        .member("id", seq)
        .member("companyId", company.view())
        .member("type", type)
        .member("createdAt", at)
        .key("payload")
        .raw(payload)
        .end_object();
    return std::make_shared<const std::string>(std::move(text));
}

std::shared_ptr<const std::string> frame_of(const journal::Record& record) {
    std::string payload = record.details ? record.details->text : "{}";
    if (record.type == journal::k_activity) {
        payload = to_json(ActivityPayload{record.actor_type, record.actor_id, record.action,
                                          record.entity_type, record.entity_id, record.agent_id,
                                          record.run_id, record.details});
    }
    return frame(record.seq, record.company_id, record.type, record.at, payload);
}

std::optional<std::int64_t> since_of(const http::Request& request) {
    const auto text = request.query_value("since");
    if (!text) return std::nullopt;
    std::int64_t seq = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seq);
    if (error != std::errc{} || end != text->data() + text->size() || seq < 0) {
        throw Error(ErrorKind::invalid, "since: expected the id of the last event that you have");
    }
    return seq;
}

}  // namespace

/// One client. It is either behind, and reads pages from the store, or live, and gets what the
/// relay announces.
class LiveEvents::Subscriber : public std::enable_shared_from_this<Subscriber> {
 public:
    Subscriber(LiveEvents& world, Id company, std::optional<std::int64_t> since)
        : world_(world), company_(company), since_(since) {}

    void opened(std::shared_ptr<http::Stream> stream) {
        {
            const std::lock_guard lock(mutex_);
            stream_ = std::move(stream);
        }
        later([self = shared_from_this()] { self->begin(); });
    }
    void closed() {
        const std::lock_guard lock(mutex_);
        stream_.reset();
    }
    void hear(const journal::Record& record) {
        const std::lock_guard lock(mutex_);
        heard_ = std::max(heard_, record.seq);
        if (is_live_) send(record);
    }
    void send_transient(std::string_view type, Time at, const std::string& payload) {
        const std::lock_guard lock(mutex_);
        if (stream_ && is_live_) stream_->send(frame(position_, company_, type, at, payload));
    }

 private:
    void later(Task task) { world_.executor_.post(std::move(task)); }

    void begin() {
        const auto [first, last] = journal::span_of(world_.core_.store, company_);
        {
            const std::lock_guard lock(mutex_);
            const bool is_kept = since_ && *since_ + 1 >= first && *since_ <= last;
            position_ = is_kept ? *since_ : last;
            if (stream_ && since_ && !is_kept) {
                stream_->send(frame(last, company_, "resync", world_.core_.clock.now(), "{}"));
            }
        }
        catch_up();
    }

    void catch_up() {
        try {
            while (send_page()) {
            }
        } catch (const std::exception& e) {
            log_warn("live events wait for the store", {{"error", e.what()}});
            pause();
        }
    }
    /// False when there is nothing more to do now.
    bool send_page() {
        std::int64_t position = 0;
        {
            const std::lock_guard lock(mutex_);
            if (!stream_) return false;
            if (stream_->queued_bytes() > k_enough_queued) return pause();
            position = position_;
        }
        const auto page = journal::records_after(world_.core_.store, company_, position, k_page);
        const std::lock_guard lock(mutex_);
        for (const auto& record : page) send(record);
        // What was announced while the page was read may be missing from it.
        is_live_ = page.empty() && heard_ <= position_;
        return !is_live_;
    }
    bool pause() {
        world_.timers_.at(world_.core_.clock.now() + k_pause, [self = shared_from_this()] {
            self->later([self] { self->catch_up(); });
        });
        return false;
    }
    void send(const journal::Record& record) {
        if (record.seq <= position_ || !stream_) return;
        stream_->send(frame_of(record));
        position_ = record.seq;
    }

    LiveEvents& world_;
    const Id company_;
    const std::optional<std::int64_t> since_;
    std::mutex mutex_;
    std::shared_ptr<http::Stream> stream_;  // null before it is open and after it is closed
    std::int64_t position_ = 0;             // the last that was sent
    std::int64_t heard_ = 0;                // the last that was announced
    bool is_live_ = false;
};

LiveEvents::LiveEvents(Core core, journal::Relay& relay, http::Streams& streams, Executor& executor,
                       TimerQueue& timers)
    : core_(core), streams_(streams), executor_(executor), timers_(timers) {
    relay.add_listener([this](std::span<const journal::Record> records) { publish(records); });
}

void LiveEvents::add_routes(http::Router& router) {
    router.add_plain(
        {http::Method::get, "/companies/{companyId}/events/ws", http::Rule::member,
         http::Subject::company,
         "Live events on a WebSocket; ?since=ID first sends what came after that event", 101},
        [this](http::Call& call) { return open(call); });
}

http::Response LiveEvents::open(const http::Call& call) {
    if (!http::Streams::is_upgrade(call.request)) {
        throw Error(ErrorKind::invalid, "This address speaks WebSocket: send Upgrade: websocket",
                    "upgrade_required");
    }
    const Id company = call.subject_id;
    const auto subscriber = std::make_shared<Subscriber>(*this, company, since_of(call.request));
    http::Streams::Events events;
    events.opened = [this, company, subscriber](std::shared_ptr<http::Stream> stream) {
        {
            const std::lock_guard lock(mutex_);
            subscribers_[company].insert(subscriber);
        }
        subscriber->opened(std::move(stream));
    };
    events.closed = [this, company, subscriber] {
        subscriber->closed();
        const std::lock_guard lock(mutex_);
        auto& list = subscribers_[company];
        list.erase(subscriber);
        if (list.empty()) subscribers_.erase(company);
    };
    http::Response response;
    response.status = 101;
    response.take_over = [this, request = call.request, events](http::Detached connection) {
        streams_.accept(std::move(connection), request, events);
    };
    return response;
}

std::vector<std::shared_ptr<LiveEvents::Subscriber>> LiveEvents::subscribers_of(
    const Id& company) const {
    const std::lock_guard lock(mutex_);
    const auto found = subscribers_.find(company);
    if (found == subscribers_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

void LiveEvents::publish(std::span<const journal::Record> records) {
    for (const auto& record : records) {
        for (const auto& subscriber : subscribers_of(record.company_id)) subscriber->hear(record);
    }
}

void LiveEvents::send_transient(const Id& company, std::string_view type, Time at,
                                const std::string& payload) {
    for (const auto& subscriber : subscribers_of(company)) {
        subscriber->send_transient(type, at, payload);
    }
}

bool LiveEvents::has_subscribers(const Id& company) const {
    const std::lock_guard lock(mutex_);
    return subscribers_.contains(company);
}

}  // namespace paperclip::live
