#include "engine/company/setup.hpp"

namespace paperclip::company {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;

void add_routes(http::Router& router, Companies& companies) {
    router.resolve(Subject::company, [&](std::string_view text, const http::Request&) {
        std::optional<http::Resolved> found;
        const auto id = Id::parse(text);
        if (id && companies.exists(*id)) found = http::Resolved{*id, *id};
        return found;
    });

    router.add<None, None, std::vector<Company>>(
        {Method::get, "/companies", Rule::board, Subject::none, "List the companies"},
        [&](Call&) { return companies.list(); });

    router.add<None, Company, Company>(
        {Method::post, "/companies", Rule::board, Subject::none, "Create a company", 201},
        [&](Call& call, Patch<Company>& input) { return companies.create(call.actor, input); });

    router.add<None, None, Company>(
        {Method::get, "/companies/{companyId}", Rule::member, Subject::company, "Get a company"},
        [&](Call& call) { return companies.get(call.company_id); });

    router.add<None, Company, Company>(
        {Method::patch, "/companies/{companyId}", Rule::board_of_company, Subject::company,
         "Change a company"},
        [&](Call& call, Patch<Company>& input) {
            return companies.patch(call.actor, call.company_id, input);
        });
}

}  // namespace paperclip::company
