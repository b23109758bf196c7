#pragma once

#include <cstdint>
#include <string_view>

namespace paperclip {

/// One value of a database row or of a statement's parameters. Text and blob are borrowed: they
/// live as long as whoever made the Value says (a row: until the callback returns; a parameter:
/// until the unit is submitted).
class Value {
 public:
    enum class Type : std::int32_t { null, integer, real, text, blob };

    Value() noexcept = default;
    static Value integer(std::int64_t i) noexcept { return Value(Type::integer, i); }
    static Value real(double d) noexcept {
        Value v(Type::real, 0);
        v.real_ = d;
        return v;
    }
    static Value text(std::string_view s) noexcept { return Value(Type::text, s); }
    static Value blob(std::string_view s) noexcept { return Value(Type::blob, s); }

    [[nodiscard]] Type type() const noexcept { return type_; }
    [[nodiscard]] bool is_null() const noexcept { return type_ == Type::null; }
    [[nodiscard]] std::int64_t as_integer() const noexcept { return integer_; }
    [[nodiscard]] double as_real() const noexcept {
        return type_ == Type::integer ? static_cast<double>(integer_) : real_;
    }
    /// The bytes of a text or a blob; empty for the other types.
    [[nodiscard]] std::string_view as_text() const noexcept { return text_; }

 private:
    Value(Type type, std::int64_t i) noexcept : type_(type), integer_(i) {}
    Value(Type type, std::string_view s) noexcept : type_(type), text_(s) {}

    Type type_ = Type::null;
    union {
        std::int64_t integer_ = 0;
        double real_;
    };
    std::string_view text_;
};

}  // namespace paperclip
