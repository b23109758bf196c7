#pragma once

#include "engine/base/described.hpp"
#include "engine/declaration/yaml.hpp"

#include <string>
#include <vector>

namespace paperclip::declaration {

/// An error stops everything; a warning tells of something that is probably not meant.
enum class Severity { error, warning };
BOOST_DESCRIBE_ENUM(Severity, error, warning)

/// One thing to say about a declaration, with its place. Line and column count from 1; 0 is
/// unknown.
struct Finding {
    Severity severity = Severity::error;
    std::string file;
    int line = 0;
    int column = 0;
    std::string path;  ///< "agents.ceo.heartbeat.every"
    std::string code;
    std::string message;
};
BOOST_DESCRIBE_STRUCT(Finding, (), (severity, file, line, column, path, code, message))

using Findings = std::vector<Finding>;

bool has_errors(const Findings& findings);
/// By place: line, then column.
void sort(Findings& findings);
/// "company.yaml:12:5: error: agents.ceo.role: …", a line each.
std::string to_text(const Findings& findings);
/// What reading found, in our words.
Finding finding_of(const Problem& problem, std::string_view file);

}  // namespace paperclip::declaration
