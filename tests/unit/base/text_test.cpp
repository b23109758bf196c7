#include "engine/base/error.hpp"
#include "engine/base/id.hpp"
#include "engine/base/json.hpp"
#include "engine/base/money.hpp"
#include "engine/base/redact.hpp"
#include "engine/base/time.hpp"
#include "engine/base/utf8.hpp"

#include <set>

#include <catch2/catch.hpp>

namespace paperclip {

using namespace std::chrono_literals;

TEST_CASE("times are read with any offset and written in UTC") {
    CHECK(to_iso8601(*parse_iso8601("2026-11-23T02:48:47.625+01:00")) ==
          "2026-11-23T01:48:47.625Z");
    CHECK(to_iso8601(*parse_iso8601("2026-11-23")) == "2026-11-23T00:00:00.000Z");
    CHECK(parse_iso8601("2026-11-23T01:48:47.123456789Z")->time_since_epoch() % 1s == 123456us);
    for (const auto* bad :
         {"", "2026-02-29", "2026-13-01", "2026-11-23T24:00:00Z", "2026-11-23T01:02",
          "2026-11-23T01:02:03", "2026-11-23T01:02:03.Z", "26-11-23", "x"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_iso8601(bad));
    }
}

TEST_CASE("durations carry their unit") {
    CHECK(*parse_duration("90s") == 90s);
    CHECK(*parse_duration("1h30m") == 90min);
    CHECK(*parse_duration("500ms") == 500ms);
    CHECK(to_text(Duration(90min)) == "1h30m");
    CHECK(to_text(Duration(0s)) == "0s");
    for (const auto* bad : {"", "30", "-5m", "5x", "m", "99999999999999999d", "1h 30m"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_duration(bad));
    }
}

TEST_CASE("money keeps what is far below a cent") {
    CHECK(parse_dollars("$0.0016")->micros == 1600);
    CHECK(parse_dollars("$80")->to_cents() == 8000);
    CHECK(to_dollars(Money{2'500'000}) == "$2.50");
    CHECK(to_dollars(Money{1600}) == "$0.0016");
    CHECK(to_dollars(Money{-1'000'000}) == "-$1");
    CHECK(Money{4'999}.to_cents() == 0);
    CHECK(Money{5'000}.to_cents() == 1);
    for (const auto* bad : {"", "80", "$", "$-1", "$1.", "$1.0000001", "$1x", "$99999999999999"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_dollars(bad));
    }
}

TEST_CASE("ids are unique, of version 4, and sort by time") {
    ManualClock clock(Time{1'700'000'000s});
    Ids ids(clock);
    std::set<Id> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(ids.next());
    CHECK(seen.size() == 1000);
    CHECK(seen.begin()->view()[14] == '4');
    clock.advance(1ms);
    CHECK(ids.next() > *seen.rbegin());
    CHECK(Id::parse("9891CAD4-7d82-4978-835d-3c032c1b075f")->view() ==
          "9891cad4-7d82-4978-835d-3c032c1b075f");
    CHECK_FALSE(Id::parse("9891cad47d824978835d3c032c1b075f"));
    CHECK_THROWS_AS(Id::trusted("nonsense"), Error);

    Ids a(clock, 7);
    Ids b(clock, 7);
    CHECK(a.next() == b.next());
}

TEST_CASE("text that is not UTF-8 never reaches a JSON answer") {
    std::string out;
    append_json_string(out, "a\xff\xed\xa0\x80z\xe2\x82\xac");
    CHECK(out == "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\xe2\x82\xac\"");
    CHECK(find_invalid_utf8("ok\xc0\xaf") == 2);
    CHECK(utf8_prefix("\xe2\x82\xac\xe2\x82\xac", 4) == "\xe2\x82\xac");
}

TEST_CASE("a secret that ends is forgotten when the last who holds it is gone") {
    Redactor redactor;
    redactor.add("kept\nfor-good");
    {
        const PassingSecret token(redactor, "token-of-a-run");
        const PassingSecret same(redactor, "kept\nfor-good");
        CHECK(redactor.scrub("token-of-a-run") == Redactor::k_mask);
    }
    CHECK(redactor.scrub("token-of-a-run") == "token-of-a-run");
    CHECK(redactor.scrub("for-good") == Redactor::k_mask);
}

TEST_CASE("a secret is known in JSON that is quoted in JSON") {
    Redactor redactor;
    redactor.add(R"(q"uo\te-secret)");
    CHECK(redactor.scrub(R"(q"uo\te-secret)") == Redactor::k_mask);
    CHECK(redactor.scrub(R"(q\"uo\\te-secret)") == Redactor::k_mask);
    CHECK(redactor.scrub(R"(q\\\"uo\\\\te-secret)") == Redactor::k_mask);
}

TEST_CASE("a secret is known however JSON escapes it") {
    Redactor redactor;
    redactor.add("p\u00e4ss<word>/\U0001F511");
    for (const std::string_view written :
         {"p\u00e4ss<word>/\U0001F511", R"(p\u00e4ss<word>/\ud83d\udd11)",
          R"(p\u00E4ss\u003cword\u003e\/\uD83D\uDD11)", R"(p\\u00e4ss<word>\\/\\ud83d\\udd11)"}) {
        CAPTURE(written);
        CHECK(redactor.scrub("a " + std::string(written) + " b") == "a ***REDACTED*** b");
    }
    const std::string harmless = R"(C:\users\u00zz \ud83d \ud83dx \)";
    CHECK(redactor.scrub(harmless) == harmless);
}

TEST_CASE("a document without its secrets is still a document") {
    Redactor redactor;
    redactor.add("250000");
    redactor.add("ends-in\\");
    const Json json{R"({"n":250000,"250000":["x 250000 y"],"p":"ends-in\\","q":{"r":true}})"};
    CHECK(
        redactor.scrub(json).text ==
        R"({"n":250000,"***REDACTED***":["x ***REDACTED*** y"],"p":"***REDACTED***","q":{"r":true}})");
    CHECK(redactor.scrub(Json{R"({"a":1.0})"}).text == R"({"a":1.0})");
}

TEST_CASE("secrets do not pass the redactor") {
    Redactor redactor;
    redactor.add("hunter2-secret");
    redactor.add("line\nbreak-secret");
    redactor.add("abc");  // too short to look for
    CHECK(redactor.scrub("pw=hunter2-secret.") == "pw=***REDACTED***.");
    CHECK(redactor.scrub(R"({"v":"line\nbreak-secret"})") == R"({"v":"***REDACTED***"})");
    CHECK(redactor.scrub("abc") == "abc");
    CHECK(redactor.scrub("key pcp_9d23febd9be054721b0e1a8b471f5fe0fefb2eae9c360821 x") ==
          "key ***REDACTED*** x");
    CHECK(redactor.scrub("Authorization: Bearer abcdefghijklmnop") ==
          "Authorization: ***REDACTED***");
    CHECK(redactor.scrub("the pcp_ prefix, an eyJ, a task-sk-1") ==
          "the pcp_ prefix, an eyJ, a task-sk-1");
    CHECK(is_secret_name("OPENAI_API_KEY"));
    CHECK(is_secret_name("githubToken"));
    CHECK_FALSE(is_secret_name("PAPERCLIP_RUN_ID"));
}

}  // namespace paperclip
