#pragma once

#include <string>

namespace paperclip::check::agent {

/// What a plugin could change of the process that it lives in.
class ProcessState {
 public:
    /// As it is now.
    ProcessState();
    /// What is different now, in words; empty when nothing is.
    [[nodiscard]] std::string changes() const;

 private:
    std::string threads_;
    std::string descriptors_;
    std::string children_;
    std::string handlers_;
    std::string environment_;
    std::string locale_;
    std::string folder_;
};

}  // namespace paperclip::check::agent
