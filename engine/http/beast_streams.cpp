#include "engine/base/log.hpp"
#include "engine/http/streams.hpp"

#include <atomic>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <set>
#include <strings.h>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>

namespace paperclip::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;

constexpr std::size_t k_max_queued_bytes = 4 << 20;
constexpr std::size_t k_max_message_in = 64 << 10;
constexpr std::chrono::seconds k_patience{2};  ///< with who does not answer our goodbye

beast::http::request<beast::http::string_body> to_beast(const Request& request) {
    beast::http::request<beast::http::string_body> out;
    out.method(beast::http::verb::get);
    out.version(11);
    out.target(request.path);
    for (const auto& [name, value] : request.headers) out.insert(name, value);
    return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// All but send(), queued_bytes() and close() runs on the thread of the streams.
class Connection final : public Stream, public std::enable_shared_from_this<Connection> {
 public:
    Connection(asio::ip::tcp::socket socket, Streams::Events events)
        : executor_(socket.get_executor()),
          socket_(std::move(socket)),
          events_(std::move(events)) {}

    void open(const Request& request, std::function<void()> gone) {
        gone_ = std::move(gone);
        websocket::stream_base::timeout limits{};
        limits.handshake_timeout = std::chrono::seconds(10);
        limits.idle_timeout = std::chrono::seconds(60);  // a ping is sent at half of it
        limits.keep_alive_pings = true;
        socket_.set_option(limits);
        socket_.read_message_max(k_max_message_in);
        const auto head = std::make_shared<decltype(to_beast(request))>(to_beast(request));
        socket_.async_accept(*head, [self = shared_from_this(), head](beast::error_code error) {
            if (error) return self->end();
            self->open_ = true;
            self->events_.opened(self);
            self->read();
            if (self->closing_) return self->say_goodbye();
            self->write();
        });
    }

    void send(std::shared_ptr<const std::string> message) override {
        if (queued_bytes_.fetch_add(message->size()) > k_max_queued_bytes) {
            return close(1013, "the client does not keep up; come back with ?since=");
        }
        asio::post(executor_, [self = shared_from_this(), message = std::move(message)] {
            self->queue_.push_back(message);
            self->write();
        });
    }

    std::size_t queued_bytes() const override { return queued_bytes_; }

    void close(std::uint16_t code, std::string_view reason) override {
        asio::post(executor_, [self = shared_from_this(), code, text = std::string(reason)] {
            if (std::exchange(self->closing_, true)) return;
            self->reason_ = websocket::close_reason(websocket::close_code(code), text);
            // What is being written must stay until it has been; the goodbye comes after it.
            self->queue_.resize(self->writing_ ? 1 : 0);
            if (!self->writing_ && self->open_) self->say_goodbye();
        });
    }
    /// Without a goodbye. On the io thread.
    void drop() { end(); }

 private:
    void read() {
        socket_.async_read(incoming_, [self = shared_from_this()](beast::error_code error, auto) {
            if (error) return self->end();
            self->incoming_.clear();
            self->read();
        });
    }
    void write() {
        if (!open_ || writing_ || closing_ || queue_.empty()) return;
        writing_ = true;
        socket_.text(true);
        socket_.async_write(
            asio::buffer(*queue_.front()),
            [self = shared_from_this()](beast::error_code error, auto) { self->wrote(error); });
    }
    void wrote(beast::error_code error) {
        writing_ = false;
        if (error) return end();
        if (closing_) return say_goodbye();
        queued_bytes_ -= queue_.front()->size();
        queue_.pop_front();
        write();
    }
    void say_goodbye() {
        socket_.async_close(reason_,
                            [self = shared_from_this()](beast::error_code) { self->end(); });
    }
    void end() {
        if (std::exchange(ended_, true)) return;
        closing_ = true;
        beast::get_lowest_layer(socket_).close();
        if (open_) events_.closed();
        gone_();
    }

    asio::any_io_executor executor_;
    websocket::stream<beast::tcp_stream> socket_;
    Streams::Events events_;
    std::function<void()> gone_;
    beast::flat_buffer incoming_;
    std::deque<std::shared_ptr<const std::string>> queue_;
    std::atomic<std::size_t> queued_bytes_{0};
    websocket::close_reason reason_;
    bool open_ = false;
    bool writing_ = false;
    bool closing_ = false;
    bool ended_ = false;
};

}  // namespace

struct Streams::Impl {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::set<std::shared_ptr<Connection>> connections;  // of the io thread
    asio::steady_timer patience{io};                    // of the io thread
    std::atomic<bool> stopped{false};
    std::atomic<std::size_t> count{0};
    std::thread thread;

    void run() {
        ::pthread_setname_np(::pthread_self(), "streams");
        for (;;) {
            try {
                io.run();
                return;
            } catch (const std::exception& e) {
                log_error("stream failed", {{"error", e.what()}});
            }
        }
    }
    void add(Detached connection, const Request& request, Events events) {
        if (stopped) return;
        asio::ip::tcp::socket socket(io);
        const bool v6 = request.peer.address.find(':') != std::string::npos;
        beast::error_code error;
        socket.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), connection.socket.release(),
                      error);
        if (error) return;
        auto added = std::make_shared<Connection>(std::move(socket), std::move(events));
        connections.insert(added);
        ++count;
        added->open(request, [this, raw = added.get()] {
            // After the callback that led here: it still uses the connection.
            asio::post(io, [this, kept = raw->shared_from_this()] {
                count -= connections.erase(std::static_pointer_cast<Connection>(kept));
                if (stopped && connections.empty()) io.stop();
            });
        });
    }
    void close_all() {
        if (connections.empty()) return io.stop();
        for (const auto& connection : connections) {
            connection->close(1012, "the engine restarts; come back with ?since=");
        }
        patience.expires_after(k_patience);
        patience.async_wait([this](beast::error_code) {
            for (const auto& connection : connections) connection->drop();
        });
    }
};

Streams::Streams() : impl_(std::make_unique<Impl>()) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
}

Streams::~Streams() {
    stop();
}

void Streams::accept(Detached connection, const Request& request, Events events) {
    if (impl_->stopped) return;
    const auto kept = std::make_shared<Detached>(std::move(connection));
    asio::post(impl_->io,
               [impl = impl_.get(), kept, request, events = std::move(events)]() mutable {
                   impl->add(std::move(*kept), request, std::move(events));
               });
}

bool Streams::is_upgrade(const Request& request) {
    return equal_ignoring_case(request.header("Upgrade"), "websocket") &&
           !request.header("Sec-WebSocket-Key").empty();
}

void Streams::stop() {
    impl_->stopped = true;
    asio::post(impl_->io, [impl = impl_.get()] { impl->close_all(); });
    if (impl_->thread.joinable()) impl_->thread.join();
}

std::size_t Streams::count() const {
    return impl_->count;
}

}  // namespace paperclip::http
