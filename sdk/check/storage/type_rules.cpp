#include "rules.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace paperclip::check {
namespace {

/// Values of one column type: in through a unit, out through the unit's rows and through a query.
class Column {
 public:
    Column(const Context& context, const char* type) : session_(context) {
        session_.script("create table kit_value (id {int} primary key, v " + std::string(type) +
                        "){strict}");
        insert_ = session_.write("insert into kit_value (id, v) values (?1, ?2) returning v");
        by_id_ = session_.read("select v from kit_value where id = ?1");
        by_value_ = session_.read("select count(*) from kit_value where v = ?1");
    }

    void round_trip(const std::string& what, const Value& value) {
        const std::int64_t id = next_++;
        const Answer answer = session_.apply(insert_, {id, value}, 1);
        expect_equal(what + ": rows that the unit returned", 1,
                     static_cast<std::int64_t>(answer.rows.size()));
        expect_value(what + ", returned by the unit", value, answer.rows[0].row.at(0));
        const auto rows = session_.rows(by_id_, {id});
        expect_equal(what + ": rows", 1, static_cast<std::int64_t>(rows.size()));
        expect_value(what + ", queried", value, rows[0].at(0));
    }
    /// The value finds its own row, as a parameter of a query.
    void finds(const std::string& what, const Value& value) {
        expect_equal(what + ": rows found by it", 1, session_.integer(by_value_, {value}));
    }
    Session& session() { return session_; }

 private:
    Session session_;
    std::uint32_t insert_, by_id_, by_value_;
    std::int64_t next_ = 1;
};

void integer_limits(const Context& context) {
    Column column(context, "{int}");
    using Limits = std::numeric_limits<std::int64_t>;
    // Where other types would lose something: bytes, 32 bits, a double's 53, seconds.
    const std::array<std::int64_t, 17> values{0,
                                              -1,
                                              1,
                                              127,
                                              -129,
                                              32'768,
                                              (1ll << 31) - 1,
                                              1ll << 31,
                                              -(1ll << 31) - 1,
                                              1ll << 32,
                                              (1ll << 53) + 1,
                                              -(1ll << 53) - 1,
                                              1'700'000'000'624'351,
                                              Limits::max() - 1,
                                              Limits::max(),
                                              Limits::min() + 1,
                                              Limits::min()};
    for (const std::int64_t value : values) {
        column.round_trip("the integer " + std::to_string(value), value);
        column.finds("the integer " + std::to_string(value), value);
    }
}

void real(const Context& context) {
    Column column(context, "{real}");
    using Limits = std::numeric_limits<double>;
    for (const double value :
         {0.0, 1.0, -1.5, 0.1, 1.0 / 3, 3.141592653589793, 9007199254740993.0, 1e15 + 0.5, 1e300,
          Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(), Limits::epsilon(),
          Limits::infinity(), -Limits::infinity()}) {
        const std::string what = "the " + to_text(Value(value));
        column.round_trip(what, value);
        column.finds(what, value);
    }
}

void append_utf8(std::string& out, std::uint32_t c) {
    const auto tail = [&](int shift) {
        out += static_cast<char>(0x80 | ((c >> static_cast<unsigned>(shift)) & 0x3f));
    };
    if (c < 0x80) {
        out += static_cast<char>(c);
    } else if (c < 0x800) {
        out += static_cast<char>(0xc0 | (c >> 6));
        tail(0);
    } else if (c < 0x10000) {
        out += static_cast<char>(0xe0 | (c >> 12));
        tail(6);
        tail(0);
    } else {
        out += static_cast<char>(0xf0 | (c >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

void text_unicode(const Context& context) {
    Column column(context, "text");
    column.round_trip("an empty text", std::string());
    column.round_trip("a text of signs that SQL uses", std::string(R"('"\;--/* ?1 $1 :a %_)"));
    column.round_trip("a text that looks like a number", std::string("007"));
    std::string all;
    for (std::uint32_t plane = 0; plane <= 16; ++plane) {
        std::string some;
        for (std::uint32_t c = 0; c < 0x10000; c += plane == 0 ? 61 : 4099) {
            const bool surrogate = plane == 0 && c >= 0xd800 && c < 0xe000;
            if (!surrogate && (plane > 0 || c > 0)) append_utf8(some, plane << 16 | c);
        }
        append_utf8(some, plane << 16 | 0xfffd);
        column.round_trip("a text of plane " + std::to_string(plane), some);
        all += some;
    }
    column.round_trip("a text of every plane", all);
    column.finds("a text of every plane", all);
    // Not normalised: the same letter, spelled in two ways, stays two texts.
    column.round_trip("a composed letter", std::string("\xc3\xa9"));
    column.round_trip("a letter and its accent", std::string("e\xcc\x81"));
    column.finds("a composed letter", std::string("\xc3\xa9"));
    std::string large;
    while (large.size() < (1u << 20)) large += all;
    column.round_trip("a text of 1 MiB", large);
}

void blob_nul(const Context& context) {
    Column column(context, "{blob}");
    column.round_trip("an empty blob", Blob{});
    column.round_trip("a blob of one NUL", Blob{std::string(1, '\0')});
    std::string every;
    for (int i = 0; i < 256; ++i) every += static_cast<char>(i);
    column.round_trip("a blob of every byte", Blob{every});
    column.finds("a blob of every byte", Blob{every});
    column.round_trip("a blob of NULs at its ends", Blob{'\0' + every + '\0'});
    std::string large;
    while (large.size() < (1u << 20)) large += every;
    column.round_trip("a blob of 1 MiB", Blob{large});
}

void null(const Context& context) {
    for (const char* type : {"{int}", "{real}", "text", "{blob}"}) {
        Column column(context, type);
        column.round_trip("a null of the column type " + std::string(type), Value{});
    }
    Column column(context, "text");
    column.round_trip("a null", Value{});
    column.round_trip("an empty text beside a null", std::string());
    const auto nulls = column.session().read("select count(*) from kit_value where v is null");
    expect_equal("nulls beside an empty text", 1, column.session().integer(nulls));
}

void expression(const Context& context) {
    // Columns without a declared type carry that of their value.
    Session session(context);
    session.script("create table kit_item (id {int} primary key, t text not null){strict}");
    session.apply(session.write("insert into kit_item (id, t) values (1, 'a'), (2, 'b')"));
    const auto mixed = session.read(
        "select count(*), cast(sum(id) as {int}), max(t), cast(min(id) as {real}) / 2, "
        "max(t) || 'x' from kit_item");
    expect_rows("values of expressions", {{2, 3, std::string("b"), 0.5, std::string("bx")}},
                session.rows(mixed));
}

}  // namespace

std::vector<Rule> type_rules() {
    return {
        {"types.integer_limits", "integers of 64 bits come back as they went in", integer_limits},
        {"types.real", "reals come back to the last bit", real},
        {"types.text_unicode", "texts of every plane, empty and large, come back", text_unicode},
        {"types.blob_nul", "blobs of any bytes come back", blob_nul},
        {"types.null", "null is neither zero nor empty", null},
        {"types.expression", "a value that no column declares keeps its type", expression},
    };
}

}  // namespace paperclip::check
