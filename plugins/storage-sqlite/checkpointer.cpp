#include "checkpointer.hpp"

#include <pthread.h>

namespace paperclip::sqlite {

Checkpointer::Checkpointer(const std::string& path)
    : connection_(path, Connection::Role::reader, none_) {
    connection_.execute("pragma query_only = off");
    thread_ = std::thread([this] { work(); });
}

Checkpointer::~Checkpointer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
}

void Checkpointer::request() {
    {
        const std::lock_guard lock(mutex_);
        wanted_ = true;
    }
    wake_.notify_all();
}

void Checkpointer::work() {
    pthread_setname_np(pthread_self(), "sqlite-checkpt");
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || wanted_; });
        if (stopping_) return;
        wanted_ = false;
        lock.unlock();
        {
            // A failure leaves the log as it was: the next request tries again, and the writer,
            // which needs the same disk, has somebody to tell.
            const std::lock_guard run(running_);
            sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                      nullptr, nullptr);
        }
        lock.lock();
    }
}

}  // namespace paperclip::sqlite
