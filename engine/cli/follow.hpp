#pragma once

#include "engine/cli/client.hpp"

#include <functional>
#include <string>

#include <boost/json/object.hpp>

namespace paperclip::cli {

/// What is done while a run is followed.
struct Following {
    /// Gets each entry of the run's log: ts, stream, chunk.
    std::function<void(const boost::json::object& entry)> entry;
    /// Lets some time pass before the run is looked at again.
    std::function<void()> wait;
};

/// Follows a run until it has ended; returns it.
boost::json::object follow_run(Client& client, const std::string& run, const Following& following);

/// The same, printing the log as it grows; with `as_json` only the run, at the end. Returns whether
/// it succeeded.
bool follow_run(Client& client, const std::string& run, bool as_json);

/// Prints an entry of a log to where the program wrote it.
void print_entry(const boost::json::object& entry);
/// "run failed: why"
void print_end(const boost::json::object& run);
bool has_succeeded(const boost::json::object& run);

}  // namespace paperclip::cli
