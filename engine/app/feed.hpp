#pragma once

#include "engine/app/services.hpp"

#include <map>
#include <string>

namespace paperclip::app {

/// Tells on standard output, a line each, what agents and people do. Works on the relay's thread.
class Feed {
 public:
    /// Does nothing unless `wanted`. Made before the relay starts.
    Feed(Services& services, bool wanted);

 private:
    struct Subject {
        std::string label;  ///< "ACM-3", or empty
        std::string title;
    };
    void tell(const journal::Record& record);
    void tell_run(const journal::Record& record);
    [[nodiscard]] std::string who(const journal::Record& record);
    [[nodiscard]] std::string name_of(const Id& agent);
    [[nodiscard]] Subject subject_of(const journal::Record& record) const;
    void print(const journal::Record& record, const std::string& name, const std::string& text);

    Services& services_;
    std::map<Id, std::string> names_;      // of agents
    std::map<Id, std::string> companies_;  // their prefixes
};

}  // namespace paperclip::app
