#pragma once

#include "engine/pluginhost/shim_protocol.hpp"

#include <csignal>

namespace paperclip::shim {

/// Executes the program of `spec` and stays until it and all its descendants are gone; leaves
/// k_exit_file, or answers false. `output`: k_output_file, open to append. `orders`: the signals to
/// act on; they are blocked.
bool supervise(const Spec& spec, int output, const sigset_t& orders);

}  // namespace paperclip::shim
