#include "engine/http/router.hpp"

#include "engine/base/log.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <boost/json.hpp>

namespace paperclip::http {
namespace {

/// Takes the next segment off the front of a path; false at its end.
bool next_segment(std::string_view& path, std::string_view& segment) {
    while (path.starts_with('/')) path.remove_prefix(1);
    if (path.empty()) return false;
    segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return true;
}

/// A query parameter as a Node: text that may also be read as a number or a boolean.
class QueryValue final : public Node {
 public:
    explicit QueryValue(std::string_view text) : text_(text) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), integer_);
        is_integer_ = error == std::errc{} && end == text.data() + text.size() && !text.empty();
    }
    [[nodiscard]] Shape shape() const override {
        if (is_integer_) return Shape::integer;
        return text_ == "true" || text_ == "false" ? Shape::boolean : Shape::text;
    }
    [[nodiscard]] bool boolean() const override { return text_ == "true"; }
    [[nodiscard]] std::int64_t integer() const override { return integer_; }
    [[nodiscard]] double number() const override { return static_cast<double>(integer_); }
    [[nodiscard]] bool has_text() const override { return true; }
    [[nodiscard]] std::string_view text() const override { return text_; }
    void each_item(const std::function<void(std::size_t, const Node&)>&) const override {}
    void each_member(const std::function<void(std::string_view, const Node&)>&) const override {}
    [[nodiscard]] Json json() const override {
        Json json;
        json.text.clear();
        append_json_string(json.text, text_);
        return json;
    }

 private:
    std::string_view text_;
    std::int64_t integer_ = 0;
    bool is_integer_ = false;
};

/// The query of a request as an object.
class QueryNode final : public Node {
 public:
    explicit QueryNode(const Request& request) : request_(request) {}
    [[nodiscard]] Shape shape() const override { return Shape::object; }
    [[nodiscard]] bool boolean() const override { return false; }
    [[nodiscard]] std::int64_t integer() const override { return 0; }
    [[nodiscard]] double number() const override { return 0; }
    [[nodiscard]] bool has_text() const override { return false; }
    [[nodiscard]] std::string_view text() const override { return {}; }
    void each_item(const std::function<void(std::size_t, const Node&)>&) const override {}
    void each_member(
        const std::function<void(std::string_view, const Node&)>& visit) const override {
        for (const auto& [key, value] : request_.query) visit(key, QueryValue(value));
    }
    [[nodiscard]] Json json() const override { return {}; }

 private:
    const Request& request_;
};

bool is_json(const Request& request) {
    const auto type = request.header("Content-Type");
    return type.starts_with("application/json") || type.find("+json") != std::string_view::npos;
}

Error not_found(Subject subject) {
    std::string name(subject_name(subject));
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return Error(ErrorKind::not_found, name + " not found");
}

}  // namespace

std::string_view subject_name(Subject subject) noexcept {
    switch (subject) {
        case Subject::none:
            return "resource";
        case Subject::company:
            return "company";
        case Subject::agent:
            return "agent";
        case Subject::issue:
            return "issue";
        case Subject::goal:
            return "goal";
        case Subject::project:
            return "project";
        case Subject::run:
            return "heartbeat run";
        case Subject::comment:
            return "comment";
    }
    return "resource";
}

Response error_response(const Error& error) {
    std::string body;
    JsonWriter w(body);
    w.begin_object().member("error", error.message());
    if (!error.code().empty()) w.member("code", error.code());
    if (!error.details().empty()) w.key("details").raw(error.details());
    w.end_object();
    return Response::json(std::move(body), http_status(error.kind()));
}

const std::string& Call::path_value(std::string_view name) const {
    for (const auto& [key, value] : path) {
        if (key == name) return value;
    }
    throw Error(ErrorKind::internal, "the route has no {" + std::string(name) + "}");
}

/// One segment of the tree of paths. Words are tried before `{names}`.
struct Router::Branch {
    std::map<std::string, std::unique_ptr<Branch>, std::less<>> words;
    std::unique_ptr<Branch> parameter;
    std::map<Method, const Route*> routes;

    const Branch* find(std::string_view rest, std::vector<std::string>& values) const {
        std::string_view segment;
        if (!next_segment(rest, segment)) return routes.empty() ? nullptr : this;
        if (const auto word = words.find(segment); word != words.end()) {
            if (const Branch* found = word->second->find(rest, values)) return found;
        }
        if (!parameter) return nullptr;
        values.emplace_back(segment);
        if (const Branch* found = parameter->find(rest, values)) return found;
        values.pop_back();
        return nullptr;
    }
};

void Router::resolve(Subject subject, Resolver resolver) {
    resolvers_[subject] = std::move(resolver);
}

void Router::add_route(Route route) {
    if (!root_) root_ = std::make_shared<Branch>();
    Branch* branch = root_.get();
    std::string_view rest = route.spec.path;
    std::string_view segment;
    while (next_segment(rest, segment)) {
        auto& next =
            segment.starts_with('{') ? branch->parameter : branch->words[std::string(segment)];
        if (!next) next = std::make_unique<Branch>();
        branch = next.get();
    }
    const Method method = route.spec.method;
    routes_.push_back(std::make_unique<Route>(std::move(route)));
    if (!branch->routes.emplace(method, routes_.back().get()).second) {
        throw Error(ErrorKind::internal,
                    "two routes for " + std::string(routes_.back()->spec.path));
    }
}

Router::Match Router::match(Method method, std::string_view path) const {
    std::vector<std::string> values;
    const Branch* branch = root_ ? root_->find(path, values) : nullptr;
    if (branch == nullptr) return {};
    const auto found = branch->routes.find(method == Method::head ? Method::get : method);
    if (found == branch->routes.end()) return {};
    Match match{found->second, {}};
    std::string_view rest = found->second->spec.path;
    std::string_view segment;
    auto value = values.begin();
    while (next_segment(rest, segment)) {
        if (!segment.starts_with('{')) continue;
        match.path.emplace_back(segment.substr(1, segment.size() - 2), std::move(*value++));
    }
    return match;
}

std::string Router::allowed_methods(std::string_view path) const {
    std::vector<std::string> values;
    const Branch* branch = root_ ? root_->find(path, values) : nullptr;
    std::string list;
    if (branch == nullptr) return list;
    for (const auto& [method, route] : branch->routes) {
        if (!list.empty()) list += ", ";
        list += method_name(method);
        if (method == Method::get) list += ", HEAD";
    }
    return list;
}

Response Router::dispatch(const Request& request, const Route*& route) {
    std::string_view path = request.path;
    if (!path.starts_with("/api")) throw Error(ErrorKind::not_found, "Not found");
    path.remove_prefix(4);
    if (request.method == Method::options) {
        const std::string allowed = allowed_methods(path);
        if (allowed.empty()) throw Error(ErrorKind::not_found, "API route not found");
        Response response = Response::text(allowed, "text/plain");
        response.headers.emplace_back("Allow", allowed);
        return response;
    }
    Match found = match(request.method, path);
    if (found.route == nullptr) throw Error(ErrorKind::not_found, "API route not found");
    route = found.route;
    const RouteSpec& spec = route->spec;

    Call call{request, gate_.authenticate(request), {}, {}, std::move(found.path)};
    std::optional<Resolved> subject;
    if (spec.subject != Subject::none) {
        // Without an identity there is nothing to look up.
        if (!call.actor.is_known())
            gate_.authorize(call.actor, spec.rule, spec.subject, {}, request);
        subject = resolvers_.at(spec.subject)(call.path.front().second, request);
        if (!subject) {
            gate_.authorize(call.actor, spec.rule, Subject::none, {}, request);
            throw not_found(spec.subject);
        }
        call.subject_id = subject->id;
        call.company_id = subject->company_id;
    }
    gate_.authorize(call.actor, spec.rule, spec.subject, subject, request);
    return route->handle(call);
}

Response Router::handle(const Request& request) noexcept {
    const auto started = std::chrono::steady_clock::now();
    const Route* route = nullptr;
    Response response;
    try {
        response = dispatch(request, route);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) {
            log_error("request failed", {{"method", method_name(request.method)},
                                         {"path", request.path},
                                         {"error", error.message()}});
            response = error_response(Error(ErrorKind::internal, "Internal server error"));
        } else {
            response = error_response(error);
        }
    } catch (const std::exception& error) {
        log_error("request failed", {{"method", method_name(request.method)},
                                     {"path", request.path},
                                     {"error", error.what()}});
        response = error_response(Error(ErrorKind::internal, "Internal server error"));
    }
    if (observe) {
        const auto elapsed = std::chrono::steady_clock::now() - started;
        observe(route, response.status,
                std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count());
    }
    return response;
}

void Router::read_into(const StructType& type, const RouteSpec& spec, const Request& request,
                       void* value, FieldSet& present, FieldSet& null) {
    // Only a JSON body is taken: a browser sends the other types across origins without asking.
    if (!request.body.empty() && !is_json(request)) {
        throw Error(ErrorKind::invalid,
                    "Expected Content-Type: application/json, found \"" +
                        std::string(request.header("Content-Type")) + "\"",
                    "invalid_content_type");
    }
    const auto parsed = parse_json(request.body.empty() ? "{}" : std::string_view(request.body));
    Problems problems;
    type.read_members(JsonNode(parsed), value, purpose_of(spec.method), spec.strict, present, null,
                      problems);
    problems.throw_if_any();
}

void Router::check_ignored_body(const Request& request) {
    if (!request.body.empty() && is_json(request)) parse_json(request.body);
}

void Router::read_query_into(const StructType& type, const Request& request, void* value) {
    FieldSet present;
    FieldSet null;
    Problems problems;
    type.read_members(QueryNode(request), value, StructType::Purpose::create, false, present, null,
                      problems);
    problems.throw_if_any();
}

}  // namespace paperclip::http
