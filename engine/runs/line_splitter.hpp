#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

namespace paperclip::runs {

/// Cuts a stream of bytes into lines. A line that grows beyond `max_line` is given out in pieces,
/// so that one without an end cannot fill the memory.
class LineSplitter {
 public:
    static constexpr std::size_t k_max_line = 1 << 20;

    explicit LineSplitter(std::size_t max_line = k_max_line) : max_line_(max_line) {}

    using Line = std::function<void(std::string_view)>;
    void feed(std::string_view bytes, const Line& line) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            const auto room = max_line_ - rest_.size();
            const auto take = std::min({end, room, bytes.size()});
            rest_.append(bytes.substr(0, take));
            const bool ended = take == end;
            bytes.remove_prefix(ended ? take + 1 : take);
            if (ended || rest_.size() >= max_line_) give(line);
        }
    }
    /// The stream has ended: what is left is a line too.
    void finish(const Line& line) {
        if (!rest_.empty()) give(line);
    }

 private:
    void give(const Line& line) {
        std::string_view text = rest_;
        if (text.ends_with('\r')) text.remove_suffix(1);
        line(text);
        rest_.clear();
    }

    std::size_t max_line_;
    std::string rest_;
};

}  // namespace paperclip::runs
