#pragma once

#include "engine/base/json.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace paperclip {

/// Where a value stands in the text that it was read from; line and column count from 1, 0 is
/// unknown (JSON bodies).
struct Mark {
    int line = 0;
    int column = 0;
};

/// One value of a document being read, so that one reader serves JSON and YAML. A view: it lives
/// no longer than the document.
class Node {
 public:
    enum class Shape { null, boolean, integer, number, text, list, object };

    virtual ~Node() = default;
    [[nodiscard]] virtual Shape shape() const = 0;
    /// The value of a boolean, an integer, a number (integers too).
    [[nodiscard]] virtual bool boolean() const = 0;
    [[nodiscard]] virtual std::int64_t integer() const = 0;
    [[nodiscard]] virtual double number() const = 0;
    /// The text of a text. In YAML, where `title: 42` is a title, the text of any scalar; so ask
    /// has_text() rather than the shape.
    [[nodiscard]] virtual bool has_text() const = 0;
    [[nodiscard]] virtual std::string_view text() const = 0;
    virtual void each_item(const std::function<void(std::size_t, const Node&)>& visit) const = 0;
    virtual void each_member(
        const std::function<void(std::string_view, const Node&)>& visit) const = 0;
    [[nodiscard]] virtual Mark mark() const { return {}; }
    /// Where the name of this member stands, if it is a member and that is known.
    [[nodiscard]] virtual Mark key_mark() const { return mark(); }
    /// The whole value as JSON.
    [[nodiscard]] virtual Json json() const = 0;
};

/// "string", "object", … as JSON Schema calls the shape.
std::string_view shape_name(Node::Shape shape) noexcept;

/// A parsed JSON value as a Node.
class JsonNode final : public Node {
 public:
    explicit JsonNode(const boost::json::value& value) noexcept : value_(value) {}

    [[nodiscard]] Shape shape() const override;
    [[nodiscard]] bool boolean() const override;
    [[nodiscard]] std::int64_t integer() const override;
    [[nodiscard]] double number() const override;
    [[nodiscard]] bool has_text() const override { return shape() == Shape::text; }
    [[nodiscard]] std::string_view text() const override;
    void each_item(const std::function<void(std::size_t, const Node&)>& visit) const override;
    void each_member(
        const std::function<void(std::string_view, const Node&)>& visit) const override;
    [[nodiscard]] Json json() const override { return Json::from(value_); }

 private:
    const boost::json::value& value_;
};

/// One thing that is wrong with a document.
struct Problem {
    std::vector<std::string> path;  ///< from the root: member names, and indexes as text
    std::string code;               ///< the API's word: invalid_type, invalid_value, too_small, …
    std::string message;            ///< for people: what was expected
    std::string facts;              ///< further JSON members for programs: `"minimum":1,` or empty
    Mark mark;
    // The same in parts, for who words it differently from the API: empty where a problem has none.
    std::string expected;  ///< "object", or what a text form expects
    std::string found;     ///< a shape, or a text in quotes; "undefined" when it is missing
    std::string likely;    ///< the word that was probably meant
};

/// What is wrong with a document, collected while it is read.
class Problems {
 public:
    /// How a document is taken. `lenient` is the API's way: unknown members are dropped, null
    /// stands for "no value". `strict` is for what people write by hand: either is a problem, at
    /// any depth.
    enum class Reading { lenient, strict };
    explicit Problems(Reading reading = Reading::lenient) noexcept : reading_(reading) {}

    /// Names the member or element that is being read; undone at the end of the scope.
    class Scope {
     public:
        Scope(Problems& problems, std::string_view step) : problems_(problems) {
            problems_.path_.emplace_back(step);
        }
        ~Scope() { problems_.path_.pop_back(); }
        Scope(const Scope&) = delete;
        Scope& operator=(const Scope&) = delete;

     private:
        Problems& problems_;
    };

    /// The problem may be completed until the next one is added.
    Problem& add(const Mark& mark, std::string code, std::string message, std::string facts = {});

    [[nodiscard]] bool strict() const noexcept { return reading_ == Reading::strict; }
    [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
    [[nodiscard]] const std::vector<Problem>& list() const noexcept { return list_; }
    [[nodiscard]] const std::vector<std::string>& path() const noexcept { return path_; }

    /// Throws Error{invalid} in the API's form, `{"error":"Validation error","details":[…]}`, when
    /// anything was added.
    void throw_if_any() const;

 private:
    Reading reading_;
    std::vector<std::string> path_;
    std::vector<Problem> list_;
};

}  // namespace paperclip
