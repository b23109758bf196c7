#include "engine/declaration/finding.hpp"

#include <algorithm>
#include <tuple>

namespace paperclip::declaration {
namespace {

std::string joined(const std::vector<std::string>& path) {
    std::string text;
    for (const auto& step : path) {
        if (!text.empty()) text += '.';
        text += step;
    }
    return text;
}

/// "list" rather than JSON Schema's "array": the words of people who write YAML.
std::string in_yaml_words(std::string_view shape) {
    if (shape == "array") return "a list";
    if (shape == "object") return "a mapping (key: value)";
    if (shape == "string") return "a text";
    if (shape == "boolean") return "true or false";
    if (shape == "integer") return "a whole number";
    if (shape == "number") return "a number";
    if (shape == "null") return "nothing";
    return std::string(shape);
}

std::string message_of(const Problem& problem) {
    const std::string likely =
        problem.likely.empty() ? "" : "; did you mean " + problem.likely + "?";
    if (problem.code == "unrecognized_keys") {
        return "unknown key" + (likely.empty() ? "; expected " + problem.expected : likely);
    }
    if (problem.expected.empty()) return problem.message;
    if (problem.found == "undefined") {
        return "is missing; expected " + in_yaml_words(problem.expected);
    }
    return "expected " + in_yaml_words(problem.expected) + ", found " +
           in_yaml_words(problem.found) + likely;
}

}  // namespace

bool has_errors(const Findings& findings) {
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.severity == Severity::error; });
}

void sort(Findings& findings) {
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
        return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
    });
}

std::string to_text(const Findings& findings) {
    std::string text;
    for (const Finding& finding : findings) {
        text += finding.file;
        if (finding.line > 0) {
            text += ":" + std::to_string(finding.line) + ":" + std::to_string(finding.column);
        }
        text += ": " + std::string(word(finding.severity)) + ": ";
        if (!finding.path.empty()) text += finding.path + ": ";
        text += finding.message + "\n";
    }
    return text;
}

Finding finding_of(const Problem& problem, std::string_view file) {
    return {Severity::error,      std::string(file), problem.mark.line,  problem.mark.column,
            joined(problem.path), problem.code,      message_of(problem)};
}

}  // namespace paperclip::declaration
