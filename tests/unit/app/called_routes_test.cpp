#include "engine/app/system_routes.hpp"
#include "engine/base/files.hpp"
#include "tests/support/test_engine.hpp"

#include <algorithm>
#include <regex>
#include <set>

#include <boost/json.hpp>
#include <catch2/catch.hpp>

namespace paperclip::test {
namespace {

namespace fs = std::filesystem;

const fs::path k_source_tree = PAPERCLIP_TEST_SOURCE;

/// A call of the API as it stands in a source: what is put in while the program runs is "{}".
struct ApiCall {
    std::string method;  ///< lower case; empty: not said
    std::string path;    ///< below /api
};

/// Removes `what` from the front of `text`; was it there?
bool skip_match(std::string_view& text, const std::regex& what) {
    std::cmatch found;
    const bool matches = std::regex_search(text.data(), text.data() + text.size(), found, what,
                                           std::regex_constants::match_continuous);
    if (matches) text.remove_prefix(static_cast<std::size_t>(found.length()));
    return matches;
}

/// The text that a C++ expression such as "/companies/" + id + "/agents" makes; empty if it does
/// not begin with a string.
std::string joined_text(std::string_view expression) {
    static const std::regex gap(R"(\s*\+?\s*)");
    static const std::regex operand(R"([\w.:>-]+(\([^()]*(\([^()]*\)[^()]*)*\))?)");
    std::string text;
    while (!expression.empty()) {
        if (expression.front() == '"') {
            const auto end = expression.find('"', 1);
            text += expression.substr(1, end - 1);
            expression.remove_prefix(end + 1);
        } else if (!text.empty() && skip_match(expression, operand)) {
            text += "{}";
        } else {
            break;
        }
        const auto before = expression.size();
        skip_match(expression, gap);
        if (before == expression.size()) break;
    }
    return text;
}

/// `{issue_id}`, `${c.id}` and `$ISSUE` become `{}`; the query goes, also one that is put in behind
/// the last word.
std::string with_holes(const std::string& path) {
    static const std::regex hole(R"(\$?\{[^{}]*\}|\$\w+)");
    std::string out = std::regex_replace(path, hole, "{}");
    out = out.substr(0, out.find('?'));
    if (out.ends_with("{}") && !out.ends_with("/{}")) out.resize(out.size() - 2);
    return out;
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

void add_matches(std::vector<ApiCall>& calls, const std::string& text, const char* pattern) {
    const std::regex expression(pattern);
    for (std::sregex_iterator at(text.begin(), text.end(), expression), end; at != end; ++at) {
        calls.push_back({lower_case((*at)[1]), with_holes((*at)[2])});
    }
}

/// `client.post("/companies/" + id + "/agents", …)` and `ask(run, "POST", "/issues/" + id, …)`.
std::vector<ApiCall> calls_in_cpp(const std::string& text) {
    static const std::regex head(
        R"xx(\b(?:(get|post|patch)(?:_text)?\(|ask\(run, "(\w+)",)\s*"/)xx");
    std::vector<ApiCall> calls;
    for (std::sregex_iterator at(text.begin(), text.end(), head), end; at != end; ++at) {
        const std::string method = (*at)[1].matched ? (*at)[1] : (*at)[2];
        const auto from = static_cast<std::size_t>(at->position() + at->length()) - 2;
        calls.push_back({lower_case(method), with_holes(joined_text(text.substr(from)))});
    }
    return calls;
}

std::vector<ApiCall> calls_in(const fs::path& file, const std::string& text) {
    if (file.extension() == ".cpp") return calls_in_cpp(text);
    std::vector<ApiCall> calls;
    // Python programs, the status page, and whatever names a whole address.
    add_matches(calls, text, R"xx(\bcall\(\s*"(\w+)",\s*f?"(/[^"]*)")xx");
    add_matches(calls, text, R"xx(\b(get)\(['`](/[^'`]*)['`]\))xx");
    add_matches(calls, text,
                R"xx((?:\b(GET|POST|PUT|PATCH|DELETE) )?[\w$:./{}-]*/api(/[\w/.$\{\}-]+))xx");
    return calls;
}

/// The files that call, as paths from the root of the tree.
std::vector<fs::path> calling_files() {
    std::vector<fs::path> files{"README.md", "engine/app/status_page.html",
                                "plugins/agent-fake/fake.cpp"};
    for (const char* folder : {"engine/cli", "scripts", "companies"}) {
        for (const auto& entry : fs::recursive_directory_iterator(k_source_tree / folder)) {
            if (entry.is_regular_file()) {
                files.push_back(entry.path().lexically_relative(k_source_tree));
            }
        }
    }
    return files;
}

std::vector<std::string> segments_of(const std::string& path) {
    std::vector<std::string> segments;
    std::size_t from = 1;
    for (auto at = path.find('/', from); at != std::string::npos; at = path.find('/', from)) {
        segments.push_back(path.substr(from, at - from));
        from = at + 1;
    }
    segments.push_back(path.substr(from));
    return segments;
}

/// What is put in takes the place of a `{name}`, a word also its own.
bool fits(const std::string& called, const std::string& documented) {
    const auto parts = segments_of(called);
    const auto names = segments_of(documented);
    return std::equal(
        parts.begin(), parts.end(), names.begin(), names.end(),
        [](const auto& part, const auto& name) { return name.starts_with('{') || part == name; });
}

bool is_documented(const ApiCall& call, const boost::json::object& paths) {
    return std::any_of(paths.begin(), paths.end(), [&](const auto& path) {
        return fits(call.path, path.key()) &&
               (call.method.empty() || path.value().as_object().contains(call.method));
    });
}

}  // namespace

TEST_CASE("whatever route our own programs and pages call is in the OpenAPI document") {
    TestEngine engine;
    const std::string unused;
    app::add_system_routes(engine.router(), engine.services(), unused);
    const auto document = parse_json(engine.router().openapi("0"));
    const auto& paths = document.at("paths").as_object();
    std::map<std::string, int> found;
    for (const auto& file : calling_files()) {
        for (const auto& call : calls_in(file, read_file(k_source_tree / file))) {
            INFO(file.string() << ": " << call.method << " /api" << call.path);
            CHECK(is_documented(call, paths));
            ++found[file.extension().string()];
        }
    }
    // Or the patterns above are no longer how these programs call.
    CHECK(found[".cpp"] >= 20);
    CHECK(found[".py"] >= 10);
    CHECK(found[".html"] >= 5);
}

TEST_CASE("a route that is called but not there is noticed, however the call is written") {
    const auto path_in = [](const char* file, const char* text) {
        const auto calls = calls_in(file, text);
        REQUIRE(calls.size() == 1);
        return calls[0].method + " " + calls[0].path;
    };
    CHECK(path_in("a.cpp", R"(client.get("/companies/" + id_of(x, f(y)) + "/drift?a=" + b))") ==
          "get /companies/{}/drift");
    CHECK(path_in("a.cpp", R"(client.post("/agents/" + o.agent + "/wakeup" + query, body))") ==
          "post /agents/{}/wakeup");
    CHECK(path_in("a.cpp", R"(ask(run, "PATCH", "/issues/" + issue_.id, body))") ==
          "patch /issues/{}");
    CHECK(path_in("a.py", R"(self.call("POST", f"/issues/{issue['id']}/checkout", {))") ==
          "post /issues/{}/checkout");
    CHECK(path_in("a.html", "get(`/companies/${c.id}/issues?limit=12`)") ==
          "get /companies/{}/issues");
    CHECK(path_in("run", "curl \"$url/api/issues/$issue\"") == " /issues/{}");
    CHECK(path_in("a.md", "send PATCH $URL/api/issues/$TASK with") == "patch /issues/{}");
    CHECK_FALSE(fits("/issues/{}/check", "/issues/{id}/checkout"));
    CHECK_FALSE(fits("/issues", "/issues/{id}"));
    CHECK_FALSE(fits("/{}/agents", "/companies/{id}"));
    CHECK(fits("/agents/me/inbox", "/agents/{id}/inbox"));
}

}  // namespace paperclip::test
