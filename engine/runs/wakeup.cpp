#include "engine/runs/wakeup.hpp"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

namespace paperclip::runs {

Json to_snapshot(const WakeContext& context) {
    std::string out = "{";
    for (const Field& field : struct_of<WakeContext>().fields()) {
        std::string value;
        field.type->write(value, field.in(static_cast<const void*>(&context)));
        if (value == "null" || value == "[]") continue;
        if (out.size() > 1) out += ',';
        out += field.json_key + value;
    }
    return Json::trusted(out + "}");
}

WakeContext from_snapshot(const Json& snapshot) {
    const auto value = snapshot.parse();
    return read_value<WakeContext>(JsonNode(value));
}

WakeContext merge(const WakeContext& older, const WakeContext& newer) {
    WakeContext merged = older;
    const auto given = to_snapshot(newer).parse();
    read_patch<WakeContext>(JsonNode(given), StructType::Purpose::whole).apply_to(merged);
    if (older.force_fresh_session == true) merged.force_fresh_session = true;
    merged.wake_comment_ids = older.wake_comment_ids;
    for (const Id& id : newer.wake_comment_ids) {
        if (std::find(merged.wake_comment_ids.begin(), merged.wake_comment_ids.end(), id) ==
            merged.wake_comment_ids.end()) {
            merged.wake_comment_ids.push_back(id);
        }
    }
    if (!merged.wake_comment_ids.empty()) {
        merged.comment_id = merged.wake_comment_id = merged.wake_comment_ids.back();
    }
    return merged;
}

bool is_turned_away(std::string_view code) noexcept {
    static constexpr std::array<std::string_view, 5> k_codes{"agent.not_invokable",
                                                             "agent_not_invokable", "agent_paused",
                                                             "budget.blocked", "company.inactive"};
    return std::find(k_codes.begin(), k_codes.end(), code) != k_codes.end();
}

}  // namespace paperclip::runs
