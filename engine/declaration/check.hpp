#pragma once

#include "engine/agents/adapters.hpp"
#include "engine/declaration/source.hpp"

namespace paperclip::declaration {

/// What is wrong with the meaning of a document that read_source() found well-formed, and what is
/// probably not meant, by place. `files` are all files of the declaration.
Findings check(const Source& source, const Files& files, const agents::Adapters& adapters);

}  // namespace paperclip::declaration
