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

bool Checkpointer::copied() {
    const std::lock_guard lock(mutex_);
    if (copy_ == Copy::wanted) return false;
    const bool made = copy_ == Copy::made;
    copy_ = made ? Copy::none : Copy::wanted;
    wake_.notify_all();
    return made;
}

void Checkpointer::work() {
    pthread_setname_np(pthread_self(), "sqlite-checkpt");
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || copy_ == Copy::wanted; });
        if (stopping_) return;
        lock.unlock();
        {
            // A failure leaves the log as it was: the writer then copies more itself, and has
            // somebody to tell.
            const std::lock_guard run(running_);
            sqlite3_wal_checkpoint_v2(connection_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                      nullptr, nullptr);
        }
        lock.lock();
        copy_ = Copy::made;
    }
}

}  // namespace paperclip::sqlite
