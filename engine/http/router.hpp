#pragma once

#include "engine/base/actor.hpp"
#include "engine/base/described.hpp"
#include "engine/base/error.hpp"
#include "engine/http/message.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace paperclip::http {

/// Who may call a route. Every route names one; the Gate decides.
enum class Rule {
    anyone,            ///< no identity needed
    board,             ///< a person of the board
    board_of_company,  ///< a person of the board of the subject's company
    member,            ///< a person or an agent of the subject's company
    agent,             ///< an agent, about itself
};

/// What a route's path is about: how its company is found.
enum class Subject { none, company, agent, issue, goal, project, run, comment };
std::string_view subject_name(Subject subject) noexcept;

/// A subject that exists.
struct Resolved {
    Id id;
    Id company_id;
};

/// Establishes who calls and whether they may: the one place of authorization. Implemented by
/// access/. Thread-safe.
class Gate {
 public:
    virtual ~Gate() = default;
    /// Throws Error{unauthenticated} for a credential that does not verify.
    virtual Actor authenticate(const Request& request) = 0;
    /// Throws Error{unauthenticated}, Error{forbidden}, or Error{not_found} when the caller shall
    /// not learn that the subject exists.
    virtual void authorize(const Actor& actor, Rule rule, Subject kind,
                           const std::optional<Resolved>& subject, const Request& request) = 0;
};

/// One call of a route: who, about what, with which parameters.
struct Call {
    const Request& request;
    Actor actor;
    Id company_id;  ///< of the subject, unless that is none
    Id subject_id;
    std::vector<std::pair<std::string_view, std::string>> path;

    [[nodiscard]] const std::string& path_value(std::string_view name) const;
};

/// Stands for "no query", "no body" or "no answer" in a route's types.
struct None {};
BOOST_DESCRIBE_STRUCT(None, (), ())

/// `{"ok":true}`: done, and nothing to tell.
struct Ok {
    bool ok = true;
};
BOOST_DESCRIBE_STRUCT(Ok, (), (ok))

/// An answer with a status of its own, where a route has several.
template <class T>
struct Answered {
    T value;
    int status;
};

/// The description of a route: what is needed to call it and to document it.
struct RouteSpec {
    Method method;
    std::string_view path;  ///< below /api: "/issues/{id}/checkout"
    Rule rule;
    Subject subject;
    std::string_view summary;
    int status = 200;
    bool strict = false;  ///< unknown members of the body are errors
    /// A second status of the same answer, as of a creation that found what it was to make; or 0.
    int other_status = 0;
};

struct Route {
    RouteSpec spec;
    const StructType* query = nullptr;
    const StructType* body = nullptr;
    StructType::Purpose body_purpose = StructType::Purpose::create;
    const Type* answer = nullptr;  ///< null: not JSON
    std::function<Response(Call&)> handle;
};

/// Finds the route of a request, lets the Gate decide, calls the handler, turns errors into the
/// API's form. Routes are added at start; afterwards thread-safe and unchanging.
class Router {
 public:
    explicit Router(Gate& gate) : gate_(gate) {}

    /// How the subject of a path like "/issues/{id}" is found from the text of its `{id}`.
    using Resolver = std::function<std::optional<Resolved>(std::string_view id, const Request&)>;
    void resolve(Subject subject, Resolver resolver);

    /// Adds a typed route: `handler(Call&, const Query&, Patch<Body>&) -> Answer`, where parameters
    /// that are None are left out.
    template <class Query, class Body, class Answer, class Handler>
    void add(const RouteSpec& spec, Handler handler) {
        Route route = describe<Query, Body>(spec);
        if constexpr (!std::is_same_v<Answer, None>) route.answer = &type_of<Answer>();
        route.handle = [this, spec, handler](Call& call) {
            auto result = invoke<Query, Body>(spec, handler, call);
            if constexpr (std::is_same_v<decltype(result), Response>) {
                return result;
            } else if constexpr (requires {
                                     result.status;
                                     result.value;
                                 }) {
                return Response::json(to_json(result.value), result.status);
            } else {
                return Response::json(to_json(result), spec.status);
            }
        };
        add_route(std::move(route));
    }
    /// Adds a route whose answer is not JSON, or is built by hand.
    template <class Handler>
    void add_plain(const RouteSpec& spec, Handler handler) {
        Route route = describe<None, None>(spec);
        route.handle = std::move(handler);
        add_route(std::move(route));
    }

    /// Answers a request to `/api/…`. Never throws.
    Response handle(const Request& request) noexcept;

    [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }
    /// The OpenAPI 3.1 document of all routes.
    [[nodiscard]] std::string openapi(std::string_view version) const;

    /// Called after each request with its route (null: none matched) and status.
    std::function<void(const Route*, int status, std::int64_t elapsed_us)> observe;

 private:
    struct Branch;
    struct Match {
        const Route* route = nullptr;
        std::vector<std::pair<std::string_view, std::string>> path;
    };

    template <class Query, class Body>
    static Route describe(const RouteSpec& spec) {
        Route route;
        route.spec = spec;
        if constexpr (!std::is_same_v<Query, None>) route.query = &struct_of<Query>();
        if constexpr (!std::is_same_v<Body, None>) route.body = &struct_of<Body>();
        route.body_purpose = purpose_of(spec.method);
        return route;
    }
    template <class Query, class Body, class Handler>
    auto invoke(const RouteSpec& spec, const Handler& handler, Call& call) const {
        constexpr bool has_query = !std::is_same_v<Query, None>;
        constexpr bool has_body = !std::is_same_v<Body, None>;
        if constexpr (has_query && has_body) {
            const Query query = read_query<Query>(call.request);
            Patch<Body> body = read_body<Body>(spec, call.request);
            return handler(call, query, body);
        } else if constexpr (has_query) {
            const Query query = read_query<Query>(call.request);
            if (changes_something(spec.method)) check_ignored_body(call.request);
            return handler(call, query);
        } else if constexpr (has_body) {
            Patch<Body> body = read_body<Body>(spec, call.request);
            return handler(call, body);
        } else {
            if (changes_something(spec.method)) check_ignored_body(call.request);
            return handler(call);
        }
    }
    template <class Body>
    Patch<Body> read_body(const RouteSpec& spec, const Request& request) const {
        Patch<Body> patch;
        read_into(struct_of<Body>(), spec, request, &patch.value, patch.present, patch.null);
        return patch;
    }
    template <class Query>
    Query read_query(const Request& request) const {
        Query query;
        read_query_into(struct_of<Query>(), request, &query);
        return query;
    }

    static StructType::Purpose purpose_of(Method method) {
        return method == Method::patch ? StructType::Purpose::patch : StructType::Purpose::create;
    }
    static void read_into(const StructType& type, const RouteSpec& spec, const Request& request,
                          void* value, FieldSet& present, FieldSet& null);
    /// Where nothing is taken from a body, one that is broken is refused all the same.
    static void check_ignored_body(const Request& request);
    static void read_query_into(const StructType& type, const Request& request, void* value);

    void add_route(Route route);
    Response dispatch(const Request& request, const Route*& route);
    [[nodiscard]] Match match(Method method, std::string_view path) const;
    [[nodiscard]] std::string allowed_methods(std::string_view path) const;

    Gate& gate_;
    std::vector<std::unique_ptr<Route>> routes_;
    std::map<Subject, Resolver> resolvers_;
    std::shared_ptr<Branch> root_;
};

/// `{"error":…}` in the API's form.
Response error_response(const Error& error);

}  // namespace paperclip::http
