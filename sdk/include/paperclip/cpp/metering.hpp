#pragma once

#include "agent.hpp"
#include "time.hpp"

#include <array>

// The metering object: how a program in any language tells the host what its run has used and how
// it ended. plugins/agent-process/README.md has the whole form. What is reported comes from a
// program that may be wrong or hostile: nothing is charged that is not a plausible total.
namespace paperclip::sdk {

/// Keeps a run's totals. A value that cannot be is refused with a line in the run's log that says
/// what was expected, and changes nothing. Lives in the agent; not thread-safe.
class Meter {
 public:
    static constexpr std::int64_t k_max_tokens = 1'000'000'000'000;
    static constexpr std::int64_t k_max_cost_micros = 100'000'000'000;  ///< $100,000 in one run
    static constexpr std::size_t k_max_word = 200;
    static constexpr std::size_t k_max_text = 64 << 10;
    static constexpr int k_max_refusals = 20;  ///< so many are logged

    /// A line of a program's output: one JSON object with the single key "paperclip" is taken, and
    /// true. Any other line is not for the meter.
    bool take_line(std::string_view line, Actions& run) {
        if (!line.starts_with('{') || line.find("\"paperclip\"") == std::string_view::npos)
            return false;
        const auto json = Json::parse(line);
        if (!json) return false;
        const auto members = json->members();
        if (members.size() != 1 || members[0].name != "paperclip") return false;
        take(members[0].value, run);
        return true;
    }

    /// The value of "paperclip".
    void take(const Json& report, Actions& run) {
        if (!report.is_object()) return refuse(run, "paperclip", "an object", report);
        bool counted = false;
        for (const auto& [name, value] : report.members()) {
            if (name == "usage") {
                counted = take_usage(value, run) || counted;
            } else if (name == "costUsd") {
                counted = take_cost(value, run) || counted;
            } else if (name == "session") {
                take_session(value, run);
            } else if (name == "result") {
                take_result(value, run);
            } else {
                refuse(run, "paperclip." + name, "one of usage, costUsd, session, result", value);
            }
        }
        if (counted) run.usage(totals_);
    }

    [[nodiscard]] const Usage& totals() const noexcept { return totals_; }
    /// How the run ended: the last result that was reported, if any, but for a success that
    /// `observed` (an exit status, a status of HTTP) denies.
    [[nodiscard]] Result outcome(Result observed) const {
        const bool denied = observed.error_class != PC_CLASS_OK;
        if (!result_ || (result_->error_class == PC_CLASS_OK && denied)) return observed;
        Result result = *result_;
        if (result.error_class == PC_CLASS_OK) {
            if (result.summary.empty()) result.summary = std::move(observed.summary);
            return result;
        }
        if (result.error_code.empty()) result.error_code = "adapter_failed";
        if (result.message.empty())
            result.message = "The agent reported a failure and gave no reason";
        return result;
    }

 private:
    struct Class {
        std::string_view word;
        std::int32_t value;
    };
    static constexpr std::array<Class, 12> k_classes{{
        {"ok", PC_CLASS_OK},
        {"agent_error", PC_CLASS_AGENT_ERROR},
        {"auth", PC_CLASS_AUTH},
        {"rate_limit", PC_CLASS_RATE_LIMIT},
        {"quota", PC_CLASS_QUOTA},
        {"timeout", PC_CLASS_TIMEOUT},
        {"cancelled", PC_CLASS_CANCELLED},
        {"lost", PC_CLASS_LOST},
        {"config", PC_CLASS_CONFIG},
        {"max_turns", PC_CLASS_MAX_TURNS},
        {"refusal", PC_CLASS_REFUSAL},
        {"internal", PC_CLASS_INTERNAL},
    }};

    /// All of a usage counts, or none of it.
    bool take_usage(const Json& usage, Actions& run) {
        if (!usage.is_object()) return refused(run, "paperclip.usage", "an object", usage);
        Usage next = totals_;
        for (const auto& [name, value] : usage.members()) {
            const std::string where = "paperclip.usage." + name;
            bool fine = false;
            if (name == "inputTokens") {
                fine = take_count(where, value, next.input_tokens, run);
            } else if (name == "cachedInputTokens") {
                fine = take_count(where, value, next.cached_input_tokens, run);
            } else if (name == "outputTokens") {
                fine = take_count(where, value, next.output_tokens, run);
            } else if (name == "provider") {
                fine = take_word(where, value, next.provider, run);
            } else if (name == "biller") {
                fine = take_word(where, value, next.biller, run);
            } else if (name == "model") {
                fine = take_word(where, value, next.model, run);
            } else if (name == "billingType") {
                fine = take_word(where, value, next.billing_type, run);
            } else {
                fine = refused(run, where,
                               "one of inputTokens, cachedInputTokens, outputTokens, provider, "
                               "biller, model, billingType",
                               value);
            }
            if (!fine) return false;
        }
        totals_ = std::move(next);
        return true;
    }
    bool take_count(const std::string& where, const Json& value, std::int64_t& total,
                    Actions& run) {
        const auto count = value.integer();
        if (!count || *count < total || *count > k_max_tokens) {
            return refused(run, where,
                           "a whole number from " + std::to_string(total) +
                               " (the total so far) to " + std::to_string(k_max_tokens),
                           value);
        }
        total = *count;
        return true;
    }
    bool take_word(const std::string& where, const Json& value, std::string& word, Actions& run) {
        std::string text = value.text();
        if (!value.is_string() || text.size() > k_max_word || has_control(text)) {
            return refused(run, where, "a string of at most 200 bytes on one line", value);
        }
        word = std::move(text);
        return true;
    }
    bool take_cost(const Json& value, Actions& run) {
        const auto micros = value.fixed(6);
        const std::int64_t so_far = totals_.cost_micros < 0 ? 0 : totals_.cost_micros;
        const bool negative = value.raw().starts_with('-') && micros != 0;
        if (!micros || negative || *micros < so_far || *micros > k_max_cost_micros) {
            return refused(run, "paperclip.costUsd",
                           "dollars, a number from " + dollars(so_far) + " (the total so far) to " +
                               dollars(k_max_cost_micros),
                           value);
        }
        totals_.cost_micros = *micros;
        return true;
    }
    void take_session(const Json& value, Actions& run) {
        if (value.raw().size() > k_max_text || value.is_null()) {
            return refuse(run, "paperclip.session", "JSON of at most 64 KiB, not null", value);
        }
        if (value.is_string()) {
            const std::string id = value.text();
            JsonWriter w;
            run.session(w.begin_object().member("sessionId", id).end_object().take(), id);
        } else {
            run.session(value.raw(), value["sessionId"].text());
        }
    }
    void take_result(const Json& value, Actions& run) {
        if (!value.is_object()) return refuse(run, "paperclip.result", "an object", value);
        Result next;
        for (const auto& [name, member] : value.members()) {
            if (!take_result_member(name, member, next, run)) return;
        }
        result_ = std::move(next);
    }
    bool take_result_member(const std::string& name, const Json& value, Result& next,
                            Actions& run) {
        const std::string where = "paperclip.result." + name;
        if (name == "class") return take_class(where, value, next, run);
        if (name == "code") return take_word(where, value, next.error_code, run);
        if (name == "message") return take_text(where, value, next.message, run);
        if (name == "summary") return take_text(where, value, next.summary, run);
        if (name == "retryAt") {
            const auto at = parse_time(value.text());
            if (!at) return refused(run, where, "a time such as \"2026-11-23T07:00:00Z\"", value);
            next.retry_at_us = *at;
            return true;
        }
        if (name == "data") {
            if (!value.is_object() || value.raw().size() > k_max_text) {
                return refused(run, where, "an object of at most 64 KiB", value);
            }
            next.data = std::string(value.raw());
            return true;
        }
        return refused(run, where, "one of class, code, message, summary, retryAt, data", value);
    }
    bool take_class(const std::string& where, const Json& value, Result& next, Actions& run) {
        const std::string word = value.text();
        std::string known;
        for (const auto& entry : k_classes) {
            if (value.is_string() && entry.word == word) {
                next.error_class = entry.value;
                return true;
            }
            known += (known.empty() ? "" : ", ") + std::string(entry.word);
        }
        return refused(run, where, "one of " + known, value);
    }
    bool take_text(const std::string& where, const Json& value, std::string& text, Actions& run) {
        if (!value.is_string()) return refused(run, where, "a string", value);
        text = value.text();
        text.resize(utf8_prefix(text, k_max_text).size());
        return true;
    }

    bool refused(Actions& run, const std::string& where, const std::string& expected,
                 const Json& found) {
        refuse(run, where, expected, found);
        return false;
    }
    void refuse(Actions& run, std::string_view where, const std::string& expected,
                const Json& found) {
        if (refusals_ == k_max_refusals) return;
        ++refusals_;
        run.log(std::string(utf8_prefix(where, k_max_word)) + ": expected " + expected +
                ", found " + std::string(utf8_prefix(found.raw(), 80)) + "; ignored" +
                (refusals_ == k_max_refusals ? " (further ones are not logged)" : ""));
    }
    static std::string dollars(std::int64_t micros) {
        const std::string part = std::to_string(micros % 1'000'000);
        return std::to_string(micros / 1'000'000) + "." + std::string(6 - part.size(), '0') + part;
    }

    Usage totals_;
    std::optional<Result> result_;
    int refusals_ = 0;
};

}  // namespace paperclip::sdk
