#include "engine/app/status_page.hpp"

namespace paperclip::app {

extern const char status_page_html[];

http::Response status_page() {
    auto response = http::Response::text(status_page_html, "text/html; charset=utf-8");
    response.headers = {
        {"Content-Security-Policy",
         "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
         "frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
    };
    return response;
}

}  // namespace paperclip::app
