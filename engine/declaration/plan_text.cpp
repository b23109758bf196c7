#include "engine/declaration/fields.hpp"
#include "engine/declaration/plan.hpp"

#include <cstdlib>

namespace paperclip::declaration {
namespace {

std::string_view sign_of(Act act) {
    switch (act) {
        case Act::create:
            return "+";
        case Act::adopt:
            return "&";
        case Act::update:
            return "~";
        case Act::remove:
            return "-";
        case Act::forget:
            return " ";
    }
    return "?";
}

/// What happens to an object, when the sign does not say it.
std::string tail_of(const Change& change) {
    if (change.renamed_from) return " (was " + *change.renamed_from + ")";
    if (change.act == Act::adopt) return " (made at run time; declared from now on)";
    if (change.act == Act::forget) return " (declared no longer; stays as it is)";
    if (change.act != Act::remove) return "";
    if (change.kind == ObjectKind::agent) return " is terminated: its runs stop, its keys end";
    return change.kind == ObjectKind::goal ? " is cancelled" : " is archived";
}

std::string shown(const Json& value) {
    constexpr std::size_t k_longest = 120;
    if (value.text == "null") return "(none)";
    std::string text = text_of(value.text).value_or(value.text);
    if (text.size() > k_longest) text = text.substr(0, k_longest) + "…";
    return text;
}

void add_field(std::string& out, const FieldChange& field, bool is_new) {
    out += "      " + field.field + ": ";
    if (field.field == "instructions") {
        out += field.to.text == "null" ? "(removed)" : is_new ? "(written)" : "(rewritten)";
    } else if (is_new) {
        out += shown(field.to);
    } else {
        out += shown(field.from) + " -> " + shown(field.to);
    }
    if (field.drift) out += "   (changed since the last apply; set back because it is declared)";
    out += '\n';
}

std::string signed_number(std::int64_t number) {
    return (number < 0 ? "-" : "+") + std::to_string(std::abs(number));
}

std::string money_line(const WorstCase& worst) {
    if (!worst.monthly_after) return "no limit a month";
    std::string line = "at most " + to_dollars(*worst.monthly_after) + "/month";
    if (!worst.monthly_before) return line + " (no limit before)";
    const std::int64_t more = worst.monthly_after->micros - worst.monthly_before->micros;
    if (more == 0) return line;
    return line + " (" + (more < 0 ? "-" : "+") + to_dollars(Money{std::abs(more)}) + "/month)";
}

void add_worst_case(std::string& out, const WorstCase& worst) {
    out += "Worst case: " + money_line(worst) + ", " + std::to_string(worst.wakes_a_day_after) +
           " wakes/day";
    const std::int64_t wakes = worst.wakes_a_day_after - worst.wakes_a_day_before;
    if (wakes != 0) out += " (" + signed_number(wakes) + " wakes/day)";
    if (!worst.new_hosts.empty()) {
        out += ", " + signed_number(static_cast<std::int64_t>(worst.new_hosts.size())) +
               (worst.new_hosts.size() == 1 ? " host" : " hosts") + " reachable:";
        for (const auto& host : worst.new_hosts) out += " " + host;
    }
    out += '\n';
}

}  // namespace

std::string to_text(const Plan& plan) {
    std::string out =
        plan.revision == 0 && !plan.company_id
            ? "Company " + plan.company + " is new.\n"
            : "Company " + plan.company + ", revision " + std::to_string(plan.revision) + ".\n";
    for (const Change& change : plan.changes) {
        out += "  " + std::string(sign_of(change.act)) + " " + std::string(word(change.kind)) +
               " " + change.slug + tail_of(change) + "\n";
        for (const FieldChange& field : change.fields) {
            add_field(out, field, change.act == Act::create);
        }
    }
    if (plan.empty()) out += "No changes.\n";
    add_worst_case(out, plan.worst_case);
    for (const auto& note : plan.notes) out += "Note: " + note + ".\n";
    for (const auto& agent : plan.unmanaged) {
        out += "Unmanaged: agent " + agent +
               " was hired at run time; it is left alone. Declare it to adopt it.\n";
    }
    return out;
}

}  // namespace paperclip::declaration
