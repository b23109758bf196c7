#pragma once

#include "engine/base/described.hpp"

#include <optional>
#include <string>

namespace paperclip::work {

enum class AuthorType { user, agent, system };
BOOST_DESCRIBE_ENUM(AuthorType, user, agent, system)

struct Comment {
    Id id;
    Id company_id;
    Id issue_id;
    AuthorType author_type = AuthorType::user;
    std::optional<Id> author_agent_id;
    std::optional<std::string> author_user_id;
    std::optional<Id> created_by_run_id;
    std::string body;
    std::optional<Json> presentation;
    std::optional<Json> metadata;
    std::optional<Time> deleted_at;
    std::optional<AuthorType> deleted_by_type;
    std::optional<Id> deleted_by_agent_id;
    std::optional<std::string> deleted_by_user_id;
    std::optional<Id> deleted_by_run_id;
    Time created_at;
    Time updated_at;
};
BOOST_DESCRIBE_STRUCT(Comment, (),
                      (id, company_id, issue_id, author_type, author_agent_id, author_user_id,
                       created_by_run_id, body, presentation, metadata, deleted_at, deleted_by_type,
                       deleted_by_agent_id, deleted_by_user_id, deleted_by_run_id, created_at,
                       updated_at))

/// A comment as a body gives it.
struct CommentInput {
    std::string body;
    std::optional<Json> presentation;
    std::optional<Json> metadata;
    bool reopen = false;
    bool resume = false;
};
BOOST_DESCRIBE_STRUCT(CommentInput, (), (body, presentation, metadata, reopen, resume))

}  // namespace paperclip::work

template <>
struct paperclip::Rules<paperclip::work::CommentInput> {
    static constexpr auto table = std::to_array<NamedRule>({
        {"body", {.required = true, .min = 1, .max = 100'000}},
        {"presentation", {.format = "json-object"}},
        {"metadata", {.format = "json-object"}},
    });
};
