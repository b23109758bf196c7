#include "tests/support/test_engine.hpp"

#include <cstdlib>
#include <random>

#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

namespace json = boost::json;
using Random = std::mt19937_64;

template <class List>
const auto& pick(const List& list, Random& random) {
    return list[random() % list.size()];
}

/// Two companies with a bit of everything, and the credentials of one agent of each.
struct Companies {
    explicit Companies(TestEngine& engine) {
        for (const char* name : {"Acme", "Umbrella"}) {
            const std::string company =
                engine.new_company(std::string(R"({"name":")") + name + R"("})");
            const std::string agent = engine.new_agent(company, "Ada");
            ids["companies"].push_back(company);
            ids["agents"].push_back(agent);
            ids["agents"].push_back(
                engine.new_agent(company, "Bo", R"(,"reportsTo":")" + agent + '"'));
            tokens.push_back(engine.new_key(agent));
            ids["goals"].push_back(
                engine.post("/companies/" + company + "/goals", R"({"title":"G"})").id());
            ids["projects"].push_back(
                engine.post("/companies/" + company + "/projects", R"({"name":"P"})").id());
            const std::string issue =
                engine.new_issue(company, R"(,"assigneeAgentId":")" + agent + '"');
            ids["issues"].push_back(issue);
            ids["issues"].push_back(engine.new_issue(company));
            ids["comments"].push_back(
                engine.post("/issues/" + issue + "/comments", R"({"body":"Hello"})").id());
            const Answer run = engine.post("/agents/" + agent + "/wakeup", "{}");
            ids["heartbeat-runs"].push_back(run.id());
        }
    }
    std::map<std::string, std::vector<std::string>, std::less<>> ids;
    std::vector<std::string> tokens{"", "pcp_wrong"};
};

/// Makes values that a schema allows, and now and then some that it does not.
class Maker {
 public:
    Maker(const json::value& document, const Companies& companies, Random& random)
        : document_(document), companies_(companies), random_(random) {}

    json::value make(const json::value& schema, int depth = 0) {
        if (random_() % 25 == 0) return hostile();
        const json::object& object = schema.as_object();
        if (const auto* ref = object.if_contains("$ref")) {
            const std::string name(ref->get_string().c_str());
            return make(document_.at("components").at("schemas").at(name.substr(21)), depth);
        }
        if (const auto* any = object.if_contains("anyOf"))
            return make(pick(any->get_array(), random_), depth);
        if (const auto* words = object.if_contains("enum"))
            return pick(words->get_array(), random_);
        const auto* type = object.if_contains("type");
        if (type == nullptr) return hostile();
        const json::value& one = type->is_array() ? pick(type->get_array(), random_) : *type;
        const std::string name(one.get_string().c_str());
        if (name == "null") return nullptr;
        if (name == "boolean") return random_() % 2 == 0;
        if (name == "integer" || name == "number") return number(object);
        if (name == "string") return json::string(text(object));
        if (name == "array") return list(object, depth);
        return members(object, depth);
    }

 private:
    json::value list(const json::object& schema, int depth) {
        json::array out;
        const auto* items = schema.if_contains("items");
        for (auto n = random_() % 3; items != nullptr && n > 0; --n)
            out.push_back(make(*items, depth + 1));
        return out;
    }
    json::value members(const json::object& schema, int depth) {
        json::object out;
        const auto* properties = schema.if_contains("properties");
        if (properties == nullptr || depth > 4) {
            if (random_() % 3 == 0) out["script"] = json::array{json::object{{"say", "hi"}}};
            return out;
        }
        const auto* required = schema.if_contains("required");
        for (const auto& [name, property] : properties->get_object()) {
            bool wanted = random_() % 4 == 0;
            if (required != nullptr && random_() % 20 != 0) {
                for (const auto& one : required->get_array()) wanted |= one == json::string(name);
            }
            if (wanted) out[name] = make(property, depth + 1);
        }
        if (random_() % 30 == 0) out["surprise"] = hostile();
        return out;
    }
    json::value number(const json::object& schema) {
        std::vector<std::int64_t> choices{0, 1, 2, 100};
        for (const char* bound : {"minimum", "maximum"}) {
            if (const auto* value = schema.if_contains(bound))
                choices.push_back(value->to_number<std::int64_t>());
        }
        return pick(choices, random_);
    }
    std::string text(const json::object& schema) {
        const auto* format = schema.if_contains("format");
        if (format != nullptr && *format == "uuid") return any_id();
        if (format != nullptr && *format == "date-time") return "2026-03-02T09:00:00.000Z";
        static const std::vector<std::string> texts{"x",
                                                    "fake",
                                                    "todo",
                                                    "in_progress",
                                                    "UTC",
                                                    "Europe/Berlin",
                                                    "2026-12-31",
                                                    "ä😀",
                                                    "a b",
                                                    "' or 1=1 --",
                                                    "../../etc/passwd",
                                                    "0 9 * * 1-5",
                                                    "https://example.com/x.git",
                                                    "@ada @bo",
                                                    "",
                                                    std::string(3000, 'y'),
                                                    std::string("nul\0byte", 8),
                                                    "\xed\xa0\x80"};
        return random_() % 8 == 0 ? any_id() : pick(texts, random_);
    }
    std::string any_id() {
        auto kind = companies_.ids.begin();
        std::advance(kind, random_() % companies_.ids.size());
        if (random_() % 10 == 0) return "11111111-1111-4111-8111-111111111111";
        return pick(kind->second, random_);
    }
    json::value hostile() {
        static const std::vector<std::string> values{"null",
                                                     "0",
                                                     "-1",
                                                     "1.5",
                                                     "1e308",
                                                     "9223372036854775807",
                                                     "-9223372036854775808",
                                                     "18446744073709551615",
                                                     "\"\"",
                                                     "\"text\"",
                                                     "true",
                                                     "[]",
                                                     "{}",
                                                     "[[[]]]",
                                                     R"({"a":{"b":[1]}})"};
        return parse_json(pick(values, random_));
    }

    const json::value& document_;
    const Companies& companies_;
    Random& random_;
};

std::string path_of(const http::Route& route, const Companies& companies, Random& random) {
    std::string path;
    std::string_view rest = route.spec.path;
    std::string kind;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const std::string segment(rest.substr(0, rest.find('/')));
        rest.remove_prefix(segment.size());
        path += '/';
        if (!segment.starts_with('{')) {
            path += kind = segment;
            continue;
        }
        const auto known = companies.ids.find(kind);
        if (known != companies.ids.end() && random() % 20 != 0) {
            path += pick(known->second, random);
        } else if (random() % 2 == 0) {
            path += pick(companies.ids.at("issues"), random);
        } else {
            path += pick(std::vector<std::string>{"ACME-1", "ada", "x", "0", "%20"}, random);
        }
    }
    return path;
}

std::string query_of(const json::value& operation, Maker& maker, Random& random) {
    std::string query;
    for (const auto& parameter : operation.at("parameters").as_array()) {
        if (parameter.at("in") != "query" || random() % 3 != 0) continue;
        const json::value value = maker.make(parameter.at("schema"));
        const std::string text =
            value.is_string() ? std::string(value.get_string()) : json::serialize(value);
        query += query.empty() ? '?' : '&';
        query += std::string(parameter.at("name").as_string()) + '=';
        static constexpr char k_hex[] = "0123456789ABCDEF";
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            (query += '%') += k_hex[byte >> 4];
            query += k_hex[byte & 15];
        }
    }
    return query;
}

std::string small(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(c + 32);
    return out;
}

}  // namespace

// What a client sends, in whatever form, is answered as the document says, and never by a failure.
TEST_CASE("no request makes the engine fail or answer what is not documented") {
    Random random(20'260'302);
    TestEngine engine(TestEngine::Work::threads);
    engine.start();
    Companies companies(engine);
    const auto& document = engine.checker().document();
    Maker maker(document, companies, random);
    std::map<int, int> by_status;
    const char* wanted = std::getenv("PAPERCLIP_REST_ROUNDS");
    const int rounds = wanted != nullptr ? std::atoi(wanted) : 12;
    for (int round = 0; round < rounds; ++round) {
        for (const auto& route : engine.router().routes()) {
            const auto& operation = document.at("paths")
                                        .at(route->spec.path)
                                        .at(small(http::method_name(route->spec.method)));
            std::string body;
            if (route->body != nullptr) {
                body = json::serialize(maker.make(
                    operation.at("requestBody").at("content").at("application/json").at("schema")));
            }
            const std::string path = path_of(*route, companies, random);
            const std::string& token = pick(companies.tokens, random);
            http::Request request;
            try {
                request = request_for(route->spec.method, path + query_of(operation, maker, random),
                                      body, token);
            } catch (const Error& error) {
                REQUIRE(http_status(error.kind()) < 500);
                continue;
            }
            try {
                const Answer answer = engine.call(request);
                ++by_status[answer.status];
                if (answer.status == 201 && answer.body.as_object().contains("id")) {
                    const std::string kind(path.substr(path.rfind('/') + 1));
                    const auto pool = companies.ids.find(kind);
                    if (pool != companies.ids.end() && pool->second.size() < 40)
                        pool->second.push_back(answer.id());
                }
            } catch (const std::logic_error& problem) {
                FAIL_CHECK(problem.what());
            }
        }
    }
    for (const auto& [status, count] : by_status) UNSCOPED_INFO(status << ": " << count);
    CHECK(by_status[200] > rounds);
    CHECK(by_status[201] > 0);
}

}  // namespace paperclip::test
