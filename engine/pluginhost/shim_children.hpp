#pragma once

#include "engine/base/files.hpp"
#include "engine/pluginhost/children.hpp"
#include "engine/pluginhost/ready_shims.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace paperclip::pluginhost {

/// Children as real processes under real shims. Owns a thread that waits for the kernel's news of
/// all of them, and the one of its ReadyShims.
class ShimChildren final : public Children {
 public:
    /// `shim`: the paperclip-shim program.
    explicit ShimChildren(std::filesystem::path shim);
    ~ShimChildren() override;

    ProcessIdentity prepare(const std::filesystem::path& folder, const shim::Spec& spec) override;
    void go(const std::filesystem::path& folder) override;
    void abandon(const std::filesystem::path& folder) override;
    State state(const std::filesystem::path& folder, const ProcessIdentity& identity) override;
    void settle(const std::filesystem::path& folder, const ProcessIdentity& identity) override;
    std::optional<shim::Exit> exit(const std::filesystem::path& folder) override;
    void order(const std::filesystem::path& folder, const ProcessIdentity& identity,
               shim::Order order) override;
    int end_strays(std::string_view variable) override;
    void watch(const std::filesystem::path& folder, const ProcessIdentity& identity,
               std::function<void()> changed) override;
    void unwatch(const std::filesystem::path& folder) override;
    std::int64_t read_output(const std::filesystem::path& folder, std::int64_t offset,
                             std::int64_t limit,
                             const std::function<void(const Output&)>& visit) override;
    void write_input(const std::filesystem::path& folder, std::string_view bytes,
                     bool end) override;
    std::int64_t input_size(const std::filesystem::path& folder) override;

 private:
    struct Watched {
        std::shared_ptr<std::function<void()>> changed;
        int watch = -1;    // of inotify
        UniqueFd process;  // pidfd: readable when the shim has ended
    };
    void work();
    void notice_files();
    void notify(const std::string& folder);
    struct AtWork {
        Shim shim;
        std::string owner;
        bool is_free = false;  // it said that its run has ended
    };
    std::optional<AtWork> take_shim(const std::filesystem::path& folder);
    /// Whether the shim has said that its run has ended; nothing when none is at work there.
    [[nodiscard]] std::optional<bool> is_free(const std::filesystem::path& folder) const;
    void look_again(int fd);
    void look_at_all();
    void await(int fd);

    ReadyShims ready_;
    UniqueFd inotify_;
    UniqueFd epoll_;
    UniqueFd stop_;

    mutable std::mutex mutex_;
    std::map<std::string, AtWork> shims_at_work_;  // by folder; an earlier engine's has no socket
    std::map<std::string, Watched> watched_;
    std::unordered_map<int, std::string> by_watch_;
    std::mutex calling_;  // held while a callback runs, so that unwatch() can wait for it
    std::thread thread_;
};

}  // namespace paperclip::pluginhost
