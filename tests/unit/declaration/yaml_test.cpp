#include "engine/declaration/format.hpp"
#include "tests/unit/declaration/world.hpp"

#include <catch2/catch.hpp>

using namespace paperclip;

namespace {

/// The one problem of a text, without the file's name.
std::string problem(const std::string& text) {
    Problems problems(Problems::Reading::strict);
    const auto document = declaration::YamlDocument::parse(text, problems);
    CHECK(document.has_value() == problems.empty());
    if (problems.empty()) return "";
    CHECK(problems.list().size() == 1);
    const Problem& first = problems.list().front();
    return std::to_string(first.mark.line) + ":" + std::to_string(first.mark.column) + " " +
           first.code;
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

}  // namespace

TEST_CASE("hostile YAML gets one located error") {
    CHECK(problem("a: 1\na: 2\n") == "2:1 duplicate_key");
    CHECK(problem("a: {b: 1, b: 2}\n") == "1:11 duplicate_key");
    CHECK(problem("a: !!str 1\n") == "1:4 tag");
    CHECK(problem("a: &x {b: 1}\nc:\n  <<: *x\n") == "3:3 merge_key");
    CHECK(problem("a: 1\n---\nb: 2\n").find("several_documents") != std::string::npos);
    CHECK(problem("").find("empty") != std::string::npos);
    CHECK(problem("# only a comment\n").find("empty") != std::string::npos);
    CHECK(problem("a: \"open\nb: 1\n").find("invalid_yaml") != std::string::npos);
    CHECK(problem("a:\n\tb: 1\n").find("tab") != std::string::npos);
    CHECK(problem(std::string("a: b\0c\n", 7)) == "1:5 invalid_encoding");
    CHECK(problem("a: \xff\n") == "1:4 invalid_encoding");
    CHECK(problem("cron: */15 * * * *\n") == "1:7 unquoted");
    CHECK(problem("a: *nobody\n") == "1:4 unknown_alias");
    CHECK(problem("a: " + repeated("x", 300 << 10) + "\n") == "1:4 too_big");
    CHECK(problem(repeated("[", 100'000)) == "1:1 invalid_key");
    CHECK(problem("a: " + repeated("[", 40) + repeated("]", 40)).find("too_deep") !=
          std::string::npos);
    CHECK(problem(repeated("a: {", 100'000)).find(" ") != std::string::npos);
    CHECK(problem(repeated("# x\n", 2 << 20)).find("too_big") != std::string::npos);
}

TEST_CASE("aliases that stand for gigabytes are refused") {
    std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string before = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" +
                repeated(before + ", ", 9) + before + "]\n";
    }
    CHECK(problem(text).find("too_big") != std::string::npos);
}

TEST_CASE("YAML 1.1's booleans are texts") {
    CHECK(problem("a: yes\nb: no\non: off\n").empty());
}

TEST_CASE("a text that readers disagree about is written in quotes, with escapes") {
    const auto written = [](const std::string& title) {
        const std::string formatted = declaration::format_yaml(
            "schema: paperclip.company/v1\nslug: acme\nname: " + title + "\n");
        const auto at = formatted.find("name: ") + 6;
        return formatted.substr(at, formatted.find('\n', at) - at);
    };
    for (const char* special : {"22:00", "1:30:00", "0o17", ".inf", "yes", "1_000", "+1"}) {
        CHECK(written("'" + std::string(special) + "'") == '"' + std::string(special) + '"');
    }
    for (const char* escape : {"u007f", "u0080", "u0085", "u2028", "u2029", "ufeff", "uffff"}) {
        const std::string quoted = "\"a\\" + std::string(escape) + "b\"";
        CHECK(written(quoted) == quoted);
    }
    CHECK(written("\"\\u00a0 caf\\u00e9 at 22:00\"") == "\u00a0 café at 22:00");
}

TEST_CASE("formatting writes fractions as people do") {
    const std::string formatted = declaration::format_yaml(
        "schema: paperclip.company/v1\nslug: tiny\nname: Tiny\nagents:\n  solo:\n    adapter:\n"
        "      type: fake\n      config: { costs: [0.11, -2.5, 1e-7], count: 3 }\n");
    CHECK(formatted.find("costs: [0.11, -2.5, 0.0000001]") != std::string::npos);
    CHECK(formatted.find("count: 3") != std::string::npos);
    CHECK(declaration::format_yaml(formatted) == formatted);
}
