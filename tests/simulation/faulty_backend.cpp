#include "tests/simulation/faulty_backend.hpp"

#include <deque>

namespace paperclip::simulation {

using storage::Failure;
using storage::Outcome;

Failure FaultyBackend::catalogue(std::span<const storage::StatementText> statements) {
    std::vector<storage::StatementText> texts(statements.begin(), statements.end());
    std::deque<std::string> changed;
    for (auto& text : texts) {
        for (const auto& mutation : mutations_) {
            if (text.name != mutation.statement) continue;
            const auto at = text.sql.find(mutation.from);
            if (at == std::string_view::npos) continue;
            auto& sql = changed.emplace_back(text.sql);
            text.sql = sql.replace(at, mutation.from.size(), mutation.to);
            ++mutated_;
        }
    }
    return inner_.catalogue(texts);
}

Failure FaultyBackend::obstacle() {
    if (!power_.use()) return {Outcome::closed, "the engine is gone"};
    if (interruption) interruption();
    if (!power_.on()) return {Outcome::closed, "the engine is gone"};
    if (fault_chance == 0 || !dice_.chance(fault_chance)) return {};
    return dice_.chance(0.5) ? Failure{Outcome::full, "simulated: no space"}
                             : Failure{Outcome::timeout, "simulated: no answer"};
}

void FaultyBackend::submit(storage::UnitRequest& unit) {
    const Failure failure = obstacle();
    if (failure.outcome != Outcome::ok) return unit.done(failure.outcome, 0, failure.message);
    ++submitted_;
    inner_.submit(unit);
}

Failure FaultyBackend::query(const storage::QueryRequest& query) {
    Failure failure = obstacle();
    return failure.outcome == Outcome::ok ? inner_.query(query) : failure;
}

}  // namespace paperclip::simulation
