#pragma once

#include "engine/pluginhost/shim_protocol.hpp"

namespace paperclip::shim {

/// Executes the program of `spec` and stays until it and all its descendants are gone; leaves
/// k_exit_file. `output`: k_output_file, open to append. Returns the shim's own exit status.
int supervise(const Spec& spec, int output);

}  // namespace paperclip::shim
