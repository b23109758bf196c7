#pragma once

#include "session.hpp"

#include <vector>

namespace paperclip::check {

// One a file: what belongs together.
std::vector<Rule> table_rules();
std::vector<Rule> unit_rules();
std::vector<Rule> group_rules();
std::vector<Rule> type_rules();
std::vector<Rule> query_rules();
std::vector<Rule> race_rules();
std::vector<Rule> store_rules();
std::vector<Rule> backup_rules();
std::vector<Rule> durable_rules();

}  // namespace paperclip::check
