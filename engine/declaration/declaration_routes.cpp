#include "engine/declaration/setup.hpp"

#include <algorithm>

namespace paperclip::declaration {

using http::Call;
using http::Method;
using http::None;
using http::Rule;
using http::Subject;

namespace {

/// A declaration as a body gives it.
struct FilesInput {
    std::map<std::string, std::string> files;
    std::optional<Id> company_id;            ///< adopt this company instead of the slug's
    std::optional<std::string> fingerprint;  ///< of the plan that was looked at
    std::optional<std::string> agent;        ///< to explain
};
BOOST_DESCRIBE_STRUCT(FilesInput, (), (files, company_id, fingerprint, agent))

struct ValidateAnswer {
    bool valid = false;
    Findings findings;
    std::string text;
};
BOOST_DESCRIBE_STRUCT(ValidateAnswer, (), (valid, findings, text))

struct PlanAnswer : Plan {
    std::string text;
};
BOOST_DESCRIBE_STRUCT(PlanAnswer, (Plan), (text))

struct FilesAnswer {
    std::map<std::string, std::string> files;
};
BOOST_DESCRIBE_STRUCT(FilesAnswer, (), (files))

struct DriftAnswer : Drift {
    std::string text;
};
BOOST_DESCRIBE_STRUCT(DriftAnswer, (Drift), (text))

}  // namespace
}  // namespace paperclip::declaration

template <>
struct paperclip::Rules<paperclip::declaration::FilesInput> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"files",
         {.required = true, .doc = "company.yaml and the files that it refers to, by path"}},
        {"company_id", {.doc = "Adopt this company"}},
        {"fingerprint", {.max = 100, .doc = "Apply only the plan that had this fingerprint"}},
        {"agent", {.max = 100}},
    });
};

namespace paperclip::declaration {
namespace {

const Files& files_of(const FilesInput& input) {
    for (const auto& [path, content] : input.files) {
        if (is_inner_path(path)) continue;
        throw Error(
            ErrorKind::invalid,
            "files: expected paths within the declaration's folder, found \"" + path + "\"");
    }
    return input.files;
}

}  // namespace

void add_routes(http::Router& router, Declarations& declarations) {
    router.add<None, FilesInput, ValidateAnswer>(
        {Method::post, "/declarations/validate", Rule::board, Subject::none,
         "Check a declared company"},
        [&](Call&, Patch<FilesInput>& input) {
            ValidateAnswer answer;
            answer.findings = declarations.validate(files_of(input.value));
            answer.valid = !has_errors(answer.findings);
            answer.text = to_text(answer.findings);
            return answer;
        });

    router.add<None, FilesInput, PlanAnswer>(
        {Method::post, "/declarations/plan", Rule::board, Subject::none,
         "What applying a declared company would change"},
        [&](Call&, Patch<FilesInput>& input) {
            PlanAnswer answer;
            static_cast<Plan&>(answer) =
                declarations.plan(files_of(input.value), input.value.company_id);
            answer.text = to_text(static_cast<const Plan&>(answer));
            return answer;
        });

    router.add<None, FilesInput, ApplyResult>(
        {Method::post, "/declarations/apply", Rule::board, Subject::none,
         "Make a company what is declared"},
        [&](Call& call, Patch<FilesInput>& input) {
            return declarations.apply(call.actor, files_of(input.value), input.value.company_id,
                                      input.value.fingerprint);
        });

    router.add<None, FilesInput, Explanation>(
        {Method::post, "/declarations/explain", Rule::board, Subject::none,
         "What a declared agent can spend, reach, change and hire"},
        [&](Call&, Patch<FilesInput>& input) {
            return declarations.explain(files_of(input.value), input.value.agent.value_or(""));
        });

    router.add<None, None, FilesAnswer>(
        {Method::get, "/companies/{companyId}/declaration", Rule::board_of_company,
         Subject::company, "A company as a declaration"},
        [&](Call& call) { return FilesAnswer{declarations.export_company(call.company_id)}; });

    router.add<None, None, DriftAnswer>(
        {Method::get, "/companies/{companyId}/drift", Rule::board_of_company, Subject::company,
         "What was changed since the declaration was applied"},
        [&](Call& call) {
            DriftAnswer answer;
            static_cast<Drift&>(answer) = declarations.drift(call.company_id);
            answer.text = to_text(static_cast<const Drift&>(answer));
            return answer;
        });
}

}  // namespace paperclip::declaration
