#include "engine/agents/schedule.hpp"
#include "engine/base/error.hpp"
#include "engine/base/time.hpp"
#include "engine/base/time_zones.hpp"

#include <catch2/catch.hpp>

namespace paperclip::agents {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Id k_agent = *Id::parse("0196f0aa-0000-4000-8000-000000000001");

Time at(const char* text) {
    const auto time = parse_iso8601(text);
    REQUIRE(time);
    return *time;
}

HeartbeatPolicy every(Duration interval) {
    HeartbeatPolicy policy;
    policy.enabled = true;
    policy.interval_sec = std::chrono::duration_cast<seconds>(interval).count();
    return policy;
}

HeartbeatPolicy by_cron(const char* cron) {
    HeartbeatPolicy policy;
    policy.enabled = true;
    policy.cron = cron;
    return policy;
}

Time next_of(const char* cron, const char* zone, const char* after) {
    const auto next = Cron::parse(cron).next(at(after), time_zone(zone));
    REQUIRE(next);
    return *next;
}

}  // namespace

TEST_CASE("a time zone that the system does not have is an error, never nothing to point at") {
    CHECK(time_zone("Europe/Berlin").name() == "Europe/Berlin");
    CHECK(find_time_zone("Europe/Atlantis") == nullptr);
    CHECK_THROWS_AS(time_zone("Europe/Atlantis"), Error);
    CHECK_THROWS_AS(time_zone("../etc/passwd"), Error);
}

TEST_CASE("cron finds the next time") {
    struct Row {
        const char* cron;
        const char* zone;
        const char* after;
        const char* next;
    };
    const std::vector<Row> rows{
        {"0 9 * * *", "UTC", "2026-03-02T08:59:59Z", "2026-03-02T09:00:00Z"},
        {"0 9 * * *", "UTC", "2026-03-02T09:00:00Z", "2026-03-03T09:00:00Z"},
        {"0 9 * * *", "Europe/Berlin", "2026-03-02T00:00:00Z", "2026-03-02T08:00:00Z"},
        {"0 9,15 * * 1-5", "UTC", "2026-03-06T15:00:00Z", "2026-03-09T09:00:00Z"},
        {"*/20 * * * *", "UTC", "2026-03-02T08:20:00Z", "2026-03-02T08:40:00Z"},
        {"5-10/5 8 * * *", "UTC", "2026-03-02T08:05:00Z", "2026-03-02T08:10:00Z"},
        {"0 0 1 JAN *", "UTC", "2026-03-02T00:00:00Z", "2027-01-01T00:00:00Z"},
        {"0 0 * * 7", "UTC", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z"},
        {"0 0 * * SUN", "UTC", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z"},
        {"0 0 13 * FRI", "UTC", "2026-03-02T00:00:00Z", "2026-03-06T00:00:00Z"},  // either day
        {"0 0 29 2 *", "UTC", "2026-03-02T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 31 * *", "UTC", "2026-04-01T00:00:00Z", "2026-05-31T00:00:00Z"},
        {"0 12 * * *", "Pacific/Kiritimati", "2026-03-01T23:00:00Z", "2026-03-02T22:00:00Z"},
    };
    for (const auto& row : rows) {
        INFO(row.cron << " in " << row.zone << " after " << row.after);
        CHECK(to_iso8601(next_of(row.cron, row.zone, row.after)) == to_iso8601(at(row.next)));
    }
    CHECK_FALSE(Cron::parse("0 0 30 2 *").next(at("2026-03-02T00:00:00Z"), time_zone("UTC")));
}

// The step used to be added to a value until it overflowed.
TEST_CASE("a step that is larger than its range takes the first value alone") {
    CHECK(to_iso8601(next_of("5-50/2147483647 8 * * *", "UTC", "2026-03-02T08:05:00Z")) ==
          "2026-03-03T08:05:00.000Z");
}

TEST_CASE("a cron that cannot be meant is refused with its field") {
    for (const char* cron :
         {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
          "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *", "a * * * *", "1,,2 * * * *",
          "-1 * * * *", "1- * * * *", "* * * * MONDAYS", "99999999999 * * * *",
          "*/99999999999999999999 * * * *"}) {
        INFO(cron);
        CHECK_THROWS_AS(Cron::parse(cron), Error);
    }
}

// Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00.
TEST_CASE("daylight saving skips nothing and repeats nothing") {
    struct Row {
        const char* cron;
        const char* after;
        const char* next;
    };
    const std::vector<Row> rows{
        // A time that does not exist comes when the clocks have jumped.
        {"30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
        {"30 2 * * *", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
        // One that comes twice fires the first time.
        {"30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
        {"30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
        // Every hour is real time.
        {"0 * * * *", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z"},
        {"0 * * * *", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
        {"*/30 * * * *", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"},
        {"0 9 * * *", "2026-03-28T09:00:00Z", "2026-03-29T07:00:00Z"},
        {"0 9 * * *", "2026-10-24T09:00:00Z", "2026-10-25T08:00:00Z"},
    };
    for (const auto& row : rows) {
        INFO(row.cron << " after " << row.after);
        CHECK(to_iso8601(next_of(row.cron, "Europe/Berlin", row.after)) ==
              to_iso8601(at(row.next)));
    }
}

TEST_CASE("a cron fires once on each day of a year, in any zone") {
    for (const char* zone : {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                             "Asia/Beirut", "America/Havana", "Pacific/Chatham"}) {
        for (const char* cron : {"0 0 * * *", "30 2 * * *", "15 1 * * *", "59 23 * * *"}) {
            INFO(cron << " in " << zone);
            const auto& where = time_zone(zone);
            const Cron parsed = Cron::parse(cron);
            Time now = at("2025-12-31T23:59:59Z");
            const Time end = at("2026-12-31T23:59:59Z");
            int count = 0;
            while (const auto next = parsed.next(now, where)) {
                if (*next >= end) break;
                REQUIRE(*next > now);
                now = *next;
                ++count;
            }
            CHECK(count == 365);
        }
    }
}

TEST_CASE("an interval counts from the agent's creation, whenever it is asked") {
    const Time created = at("2026-03-02T09:07:00Z");
    const Schedule schedule(every(minutes(30)), k_agent, created, "UTC");
    CHECK(schedule.next(created) == created + minutes(30));
    CHECK(schedule.next(created + minutes(29)) == created + minutes(30));
    CHECK(schedule.next(created + minutes(30)) == created + minutes(60));
    CHECK(schedule.next(created - hours(5)) == created + minutes(30));
    CHECK_FALSE(Schedule(HeartbeatPolicy{}, k_agent, created, "UTC").is_on());
    CHECK_FALSE(Schedule(every(seconds(0)), k_agent, created, "UTC").next(created));
}

TEST_CASE("jitter delays each heartbeat by less than it may, the same after a restart") {
    const Time created = at("2026-03-02T09:00:00Z");
    auto policy = every(minutes(30));
    policy.jitter_sec = 600;
    const Schedule schedule(policy, k_agent, created, "UTC");
    Time now = created;
    for (int i = 1; i <= 200; ++i) {
        const auto next = schedule.next(now);
        REQUIRE(next);
        const Duration late = *next - (created + i * minutes(30));
        CHECK(late >= Duration::zero());
        CHECK(late < minutes(10));
        CHECK(Schedule(policy, k_agent, created, "UTC").next(*next - seconds(1)) == next);
        now = *next;
    }
}

TEST_CASE("what falls into quiet hours comes when they end") {
    const Time created = at("2026-03-02T00:00:00Z");
    auto policy = every(hours(1));
    policy.quiet_hours = "22:00-07:00";
    const Schedule schedule(policy, k_agent, created, "Europe/Berlin");
    struct Row {
        const char* after;
        const char* next;
    };
    for (const auto& row : std::vector<Row>{
             {"2026-03-02T20:00:00Z", "2026-03-03T06:00:00Z"},  // 21:00 is quiet there
             {"2026-03-03T03:00:00Z", "2026-03-03T06:00:00Z"},
             {"2026-03-03T06:00:00Z", "2026-03-03T07:00:00Z"},
             {"2026-03-28T22:30:00Z", "2026-03-29T05:00:00Z"},  // the clocks jump in this night
         }) {
        INFO(row.after);
        const auto next = schedule.next(at(row.after));
        REQUIRE(next);
        CHECK(to_iso8601(*next) == to_iso8601(at(row.next)));
    }
}

// In the night in which the clocks go back quiet hours are an hour longer than they say.
TEST_CASE("a heartbeat of the long night is not lost by a restart") {
    auto policy = by_cron("0 22 * * *");
    policy.quiet_hours = "22:00-07:00";
    const Schedule schedule(policy, k_agent, at("2026-03-02T00:00:00Z"), "Europe/Berlin");
    for (const char* asked :
         {"2026-10-24T19:00:00Z", "2026-10-24T20:30:00Z", "2026-10-25T03:00:00Z"}) {
        INFO("asked at " << asked);
        const auto next = schedule.next(at(asked));
        REQUIRE(next);
        CHECK(to_iso8601(*next) == "2026-10-25T06:00:00.000Z");
    }
}

TEST_CASE("quiet hours never move a heartbeat back") {
    for (const char* quiet : {"22:00-02:30", "01:00-02:30", "02:15-02:45", "00:00-23:59"}) {
        const auto hours_of = QuietHours::parse(quiet);
        for (const char* zone : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}) {
            const auto& where = time_zone(zone);
            for (const char* day : {"2026-10-24T18:00:00Z", "2026-03-28T18:00:00Z",
                                    "2026-11-01T00:00:00Z", "2026-04-04T10:00:00Z"}) {
                for (Time time = at(day); time < at(day) + hours(14); time += minutes(7)) {
                    INFO(quiet << " in " << zone << " at " << to_iso8601(time));
                    REQUIRE(hours_of.shift(time, where) >= time);
                }
            }
        }
    }
}

TEST_CASE("quiet hours that cannot be meant are refused") {
    for (const char* text : {"", "22:00", "22:00-", "22:00-22:00", "24:00-07:00", "22:60-07:00",
                             "2:00-07:00", "22.00-07.00", "22:00-07:00 "}) {
        INFO(text);
        CHECK_THROWS_AS(QuietHours::parse(text), Error);
    }
}

TEST_CASE("a missed heartbeat is made up for only where the policy says so") {
    const Time created = at("2026-03-02T09:00:00Z");
    auto policy = every(hours(1));
    CHECK_FALSE(Schedule(policy, k_agent, created, "UTC").missed(created, created + hours(5)));
    policy.catch_up_policy = "run_once";
    const Schedule schedule(policy, k_agent, created, "UTC");
    CHECK(schedule.missed(created, created + hours(5)));
    CHECK(schedule.missed(created, created + hours(1)));
    CHECK_FALSE(schedule.missed(created, created + minutes(59)));
}

TEST_CASE("a zone that the machine does not know is named") {
    CHECK_THROWS_WITH(Schedule(every(hours(1)), k_agent, {}, "Europe/Atlantis"),
                      Catch::Contains("Europe/Atlantis"));
}

}  // namespace paperclip::agents
