#include "engine/app/feed.hpp"

#include "engine/base/log.hpp"
#include "engine/base/time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

#include <boost/json.hpp>

namespace paperclip::app {
namespace {

constexpr std::size_t k_max_text = 100;

struct Phrase {
    std::string_view action;
    std::string_view text;  ///< empty: not worth a line
};

/// What actions are called for people; others are told by their own name.
constexpr auto k_phrases = std::to_array<Phrase>({
    {"issue.created", "filed"},
    {"issue.checked_out", "works on"},
    {"issue.released", "released"},
    {"issue.updated", "changed"},
    {"issue.comment_added", "commented on"},
    {"agent.created", "joined"},
    {"heartbeat.invoked", ""},
    {"agent.runtime_session_reset", ""},
    {"company.created", "founded"},
    {"cost.reported", ""},
});

std::string_view phrase_of(std::string_view action) {
    for (const auto& phrase : k_phrases) {
        if (phrase.action == action) return phrase.text;
    }
    return action;
}

std::string text_of(const boost::json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

std::string clock_text(Time time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::array<char, 16> text{};
    std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
    return text.data();
}

/// One line of at most k_max_text bytes, without control characters: a title is an agent's text.
std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : text.substr(0, k_max_text)) {
        line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
    return line;
}

}  // namespace

Feed::Feed(Services& services, bool wanted) : services_(services) {
    if (!wanted) return;
    services.relay.add_listener([this](std::span<const journal::Record> records) {
        for (const auto& record : records) {
            try {
                tell(record);
            } catch (const std::exception& e) {
                log_debug("not told", {{"type", record.type}, {"error", e.what()}});
            }
        }
        std::fflush(stdout);
    });
}

std::string Feed::name_of(const Id& agent) {
    if (const auto found = names_.find(agent); found != names_.end()) return found->second;
    return names_[agent] = services_.agents.get(agent).name;
}

std::string Feed::who(const journal::Record& record) {
    if (record.agent_id) return name_of(*record.agent_id);
    return record.actor_type == "user" ? "board" : "engine";
}

Feed::Subject Feed::subject_of(const journal::Record& record) const {
    const auto id = Id::parse(record.entity_id);
    if (!id) return {};
    if (record.entity_type == "issue") {
        const auto issue = services_.issues.get(*id);
        return {issue.identifier.value_or(""), issue.title};
    }
    if (record.entity_type == "agent") return {"", services_.agents.get(*id).name};
    if (record.entity_type == "company") return {"", services_.companies.get(*id).name};
    return {record.entity_type, ""};
}

void Feed::print(const journal::Record& record, const std::string& name, const std::string& text) {
    auto& prefix = companies_[record.company_id];
    if (prefix.empty()) prefix = services_.companies.get(record.company_id).issue_prefix;
    std::printf("%s  %-5s %-18s %s\n", clock_text(record.at).c_str(), one_line(prefix).c_str(),
                one_line(name).c_str(), one_line(text).c_str());
}

void Feed::tell(const journal::Record& record) {
    if (record.type == "heartbeat.run.status") return tell_run(record);
    if (record.type != journal::k_activity) return;
    const auto phrase = phrase_of(record.action);
    if (phrase.empty()) return;
    const Subject subject = subject_of(record);
    std::string text(phrase);
    if (!subject.label.empty()) text += " " + subject.label;
    if (!subject.title.empty()) text += " " + subject.title;
    if (record.details && record.action == "issue.updated") {
        const auto details = record.details->parse();
        if (const auto status = text_of(details.as_object(), "status"); !status.empty()) {
            text = subject.label + " is " + status + ": " + subject.title;
        }
    }
    print(record, who(record), text);
}

void Feed::tell_run(const journal::Record& record) {
    const auto payload = record.details->parse();
    const auto& run = payload.as_object();
    const auto agent = Id::parse(text_of(run, "agentId"));
    const std::string status = text_of(run, "status");
    if (!agent || status == "queued") return;
    std::string text = status == "running" ? "woke up" : "run " + status;
    if (const auto error = text_of(run, "error"); !error.empty()) text += ": " + error;
    print(record, name_of(*agent), text);
}

}  // namespace paperclip::app
