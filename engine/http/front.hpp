#pragma once

#include "engine/http/router.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace paperclip::http {

/// What stands between the server and the routes: refuses foreign hosts and origins, serves pages.
/// Set up before the server starts; thread-safe afterwards.
class Front {
 public:
    using Page = std::function<Response(const Request&)>;

    /// `hosts`: names by which clients may call, without port; loopback names are always allowed.
    Front(Router& router, std::vector<std::string> hosts)
        : router_(router), hosts_(std::move(hosts)) {}

    /// A page outside of /api. The one for "/" also serves paths that nobody else does.
    void add_page(std::string path, Page page) { pages_[std::move(path)] = std::move(page); }

    /// Never throws.
    Response handle(const Request& request) noexcept;

 private:
    [[nodiscard]] bool is_allowed_host(std::string_view host) const;
    void check(const Request& request) const;

    Router& router_;
    std::vector<std::string> hosts_;
    std::map<std::string, Page, std::less<>> pages_;
};

}  // namespace paperclip::http
