#include "engine/pluginhost/http_client.hpp"

#include <array>
#include <future>
#include <paperclip/draft/agent.h>
#include <pthread.h>
#include <thread>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/url.hpp>

namespace paperclip::pluginhost {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint64_t k_max_body = 32ull << 20;

/// One request, on the client's I/O thread; keeps itself alive until its end.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
    Exchange(asio::io_context& io, asio::ssl::context& tls, const AddressPolicy& policy,
             HttpRequest request, HttpEvents events)
        : resolver_(io),
          stream_(io, tls),
          policy_(policy),
          request_(std::move(request)),
          events_(std::move(events)) {}

    void start() {
        const auto parsed = boost::urls::parse_uri(request_.url);
        if (!parsed || (parsed->scheme() != "http" && parsed->scheme() != "https") ||
            parsed->host().empty() || parsed->has_userinfo()) {
            return finish(PC_HTTP_REFUSED,
                          "expected an http or https URL, found \"" + request_.url + "\"");
        }
        is_tls_ = parsed->scheme() == "https";
        host_ =
            parsed->host_name().empty() ? parsed->host_address() : std::string(parsed->host_name());
        port_ = parsed->has_port() ? std::string(parsed->port()) : is_tls_ ? "443" : "80";
        make_message(*parsed);
        beast::get_lowest_layer(stream_).expires_after(request_.timeout);
        resolver_.async_resolve(host_, port_,
                                [self = shared_from_this()](error_code error, auto found) {
                                    self->on_resolved(error, found);
                                });
    }

    void give_up() {
        events_ = {};
        over_ = true;
        resolver_.cancel();
        beast::get_lowest_layer(stream_).cancel();
    }

 private:
    void make_message(const boost::urls::url_view& url) {
        std::string target(url.encoded_target());
        if (target.empty() || target.front() != '/') target.insert(0, "/");
        message_.method_string(request_.method);
        message_.target(target);
        message_.version(11);
        message_.set(http::field::host, url.encoded_host_and_port());
        message_.set(http::field::user_agent, "paperclip");
        message_.set(http::field::connection, "close");
        for (const auto& [name, value] : request_.headers) message_.set(name, value);
        message_.body() = std::move(request_.body);
        if (!message_.body().empty() || request_.method == "POST") message_.prepare_payload();
    }

    /// The addresses that may be reached; connecting is to these very ones, whatever the name says
    /// a moment later.
    void on_resolved(error_code error, const tcp::resolver::results_type& found) {
        if (error) return fail("cannot resolve " + host_, error);
        for (const auto& entry : found) {
            const auto address = entry.endpoint().address().to_string();
            if (policy_.allows(host_, port_, address)) addresses_.push_back(entry.endpoint());
        }
        if (addresses_.empty()) {
            return finish(PC_HTTP_REFUSED,
                          host_ + ":" + port_ +
                              " is a private address; an operator can allow it with "
                              "--allow-address " +
                              host_ + ":" + port_);
        }
        beast::get_lowest_layer(stream_).async_connect(
            addresses_, [self = shared_from_this()](error_code e, const tcp::endpoint&) {
                self->on_connected(e);
            });
    }

    void on_connected(error_code error) {
        if (error) return fail("cannot connect to " + host_ + ":" + port_, error);
        if (!is_tls_) return write(stream_.next_layer());
        SSL_set_tlsext_host_name(stream_.native_handle(), host_.c_str());
        stream_.set_verify_callback(asio::ssl::host_name_verification(host_));
        stream_.async_handshake(asio::ssl::stream_base::client,
                                [self = shared_from_this()](error_code e) {
                                    if (e) return self->fail("TLS with " + self->host_, e);
                                    self->write(self->stream_);
                                });
    }

    template <class Stream>
    void write(Stream& stream) {
        http::async_write(
            stream, message_, [self = shared_from_this(), &stream](error_code e, std::size_t) {
                if (e) return self->fail("sending to " + self->host_, e);
                self->parser_.body_limit(k_max_body);
                http::async_read_header(
                    stream, self->buffer_, self->parser_,
                    [self, &stream](error_code e2, std::size_t) { self->on_head(e2, stream); });
            });
    }

    template <class Stream>
    void on_head(error_code error, Stream& stream) {
        if (error) return fail("no answer from " + host_, error);
        std::string headers;
        for (const auto& field : parser_.get()) {
            headers.append(field.name_string()).append(": ").append(field.value()) += '\n';
        }
        if (events_.head)
            events_.head(static_cast<int>(parser_.get().result_int()), std::move(headers));
        read_body(stream);
    }

    template <class Stream>
    void read_body(Stream& stream) {
        if (over_) return;
        if (parser_.is_done()) return finish(PC_HTTP_OK, {});
        parser_.get().body().data = chunk_.data();
        parser_.get().body().size = chunk_.size();
        http::async_read_some(stream, buffer_, parser_,
                              [self = shared_from_this(), &stream](error_code e, std::size_t) {
                                  self->on_body(e, stream);
                              });
    }

    template <class Stream>
    void on_body(error_code error, Stream& stream) {
        if (error == http::error::need_buffer) error = {};
        const std::size_t read = chunk_.size() - parser_.get().body().size;
        if (read > 0 && events_.body) events_.body({chunk_.data(), read});
        if (error) return fail("reading the answer of " + host_, error);
        read_body(stream);
    }

    void fail(const std::string& what, error_code error) {
        const bool late = error == beast::error::timeout;
        finish(late ? PC_HTTP_TIMEOUT : PC_HTTP_FAILED, what + ": " + error.message());
    }

    void finish(int code, const std::string& message) {
        if (std::exchange(over_, true)) return;
        beast::get_lowest_layer(stream_).close();
        if (const auto end = std::exchange(events_, {}).end) end(code, message);
    }

    tcp::resolver resolver_;
    beast::ssl_stream<beast::tcp_stream> stream_;
    const AddressPolicy& policy_;
    HttpRequest request_;
    HttpEvents events_;
    bool is_tls_ = false;
    bool over_ = false;
    std::string host_;
    std::string port_;
    std::vector<tcp::endpoint> addresses_;
    http::request<http::string_body> message_;
    http::response_parser<http::buffer_body> parser_;
    beast::flat_buffer buffer_;
    std::array<char, 16 << 10> chunk_{};
};

class BeastClient final : public HttpClient {
 public:
    explicit BeastClient(AddressPolicy policy)
        : policy_(std::move(policy)),
          tls_(asio::ssl::context::tls_client),
          work_(asio::make_work_guard(io_)) {
        tls_.set_default_verify_paths();
        tls_.set_verify_mode(asio::ssl::verify_peer);
        thread_ = std::thread([this] {
            pthread_setname_np(pthread_self(), "http-client");
            io_.run();
        });
    }
    ~BeastClient() override {
        io_.stop();
        thread_.join();
    }

    std::shared_ptr<void> send(HttpRequest request, HttpEvents events) override {
        auto exchange =
            std::make_shared<Exchange>(io_, tls_, policy_, std::move(request), std::move(events));
        asio::post(io_, [exchange] { exchange->start(); });
        return {exchange.get(), [this, exchange](void*) { give_up(exchange); }};
    }

 private:
    /// On the I/O thread, so that no event is under way when it returns.
    void give_up(const std::shared_ptr<Exchange>& exchange) {
        if (std::this_thread::get_id() == thread_.get_id() || io_.stopped())
            return exchange->give_up();
        std::promise<void> done;
        asio::post(io_, [&] {
            exchange->give_up();
            done.set_value();
        });
        done.get_future().wait();
    }

    AddressPolicy policy_;
    asio::io_context io_{1};
    asio::ssl::context tls_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<HttpClient> make_http_client(AddressPolicy policy) {
    return std::make_unique<BeastClient>(std::move(policy));
}

}  // namespace paperclip::pluginhost
