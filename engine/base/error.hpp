#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace paperclip {

/// What kind of failure an Error is: it decides the HTTP status and the CLI's exit code.
enum class ErrorKind {
    invalid,          ///< 400: the input does not have the form that was asked for
    unauthenticated,  ///< 401: who calls is not known
    forbidden,        ///< 403: who calls may not do this
    not_found,        ///< 404: there is no such thing, or it is not the caller's to see
    conflict,         ///< 409: the present state does not allow it, or somebody was faster
    too_large,        ///< 413: more bytes than are taken
    unprocessable,    ///< 422: well-formed, but its meaning is refused
    too_many,         ///< 429: try again later
    unavailable,      ///< 503: the engine cannot do it now (starting, stopping, disk full)
    internal,         ///< 500: a bug or a broken machine
};

int http_status(ErrorKind kind) noexcept;

/// The failure of an operation that a user can make fail. It is caught in four places: the router,
/// the run session, the task boundary of the executor and the CLI.
///
/// `message` is for people and never holds a secret. `code` is a stable word for programs, or
/// empty. `details` is JSON text for programs, or empty.
class Error : public std::exception {
 public:
    Error(ErrorKind kind, std::string message, std::string code = {}, std::string details = {})
        : kind_(kind),
          message_(std::move(message)),
          code_(std::move(code)),
          details_(std::move(details)) {}

    [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    [[nodiscard]] const std::string& code() const noexcept { return code_; }
    [[nodiscard]] const std::string& details() const noexcept { return details_; }
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
    ErrorKind kind_;
    std::string message_;
    std::string code_;
    std::string details_;
};

/// Throws what says that a request's meaning is refused (422).
[[noreturn]] inline void refuse(std::string message) {
    throw Error(ErrorKind::unprocessable, std::move(message));
}

/// Error{kind} for a failed system call: `what` and the text of errno.
Error system_error(ErrorKind kind, std::string_view what, int error_number);

}  // namespace paperclip
