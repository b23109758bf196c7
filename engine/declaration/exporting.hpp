#pragma once

#include "engine/declaration/plan.hpp"
#include "engine/declaration/source.hpp"
#include "engine/declaration/state.hpp"

namespace paperclip::declaration {

/// What people changed since the declaration was applied, in the fields that it declares: each
/// change from what was applied to what is live.
struct Drift {
    std::string company;
    std::int64_t revision = 0;
    std::vector<Change> changes;
    std::vector<std::string> missing;    ///< declared, and terminated or deleted since: "agent cto"
    std::vector<std::string> unmanaged;  ///< agents hired at run time, by key
};
BOOST_DESCRIBE_STRUCT(Drift, (), (company, revision, changes, missing, unmanaged))

Drift drift_of(const State& state);
/// The live fields of a declared object; nothing when it is gone.
std::optional<Fields> live_fields_of(const State& state, ObjectKind kind, const Id& id);
std::string to_text(const Drift& drift);

/// The company as it is, as a declaration: the document applied last where nothing changed, with
/// what changed since, and what was made at run time, written into it.
Files export_state(const Services& services, const State& state);

}  // namespace paperclip::declaration
