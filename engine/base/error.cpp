#include "engine/base/error.hpp"

#include <system_error>

namespace paperclip {

int http_status(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::invalid:
            return 400;
        case ErrorKind::unauthenticated:
            return 401;
        case ErrorKind::forbidden:
            return 403;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::too_large:
            return 413;
        case ErrorKind::unprocessable:
            return 422;
        case ErrorKind::too_many:
            return 429;
        case ErrorKind::unavailable:
            return 503;
        case ErrorKind::internal:
            return 500;
    }
    return 500;
}

Error system_error(ErrorKind kind, std::string_view what, int error_number) {
    return Error(kind, std::string(what) + ": " + std::generic_category().message(error_number));
}

}  // namespace paperclip
