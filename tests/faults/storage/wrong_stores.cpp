#include "tests/faults/storage/decorator.hpp"
#include "tests/faults/storage/wrong_storages.hpp"

#include <atomic>
#include <filesystem>
#include <mutex>
#include <set>

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::test {
namespace {

class ManyTransactions : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status exec_script(std::string_view script, pc_error* error) override {
        while (!script.empty()) {
            const auto end = std::min(script.find(';'), script.size() - 1);
            const pc_status status = Decorator::exec_script(script.substr(0, end + 1), error);
            if (status != PC_OK) return status;
            script.remove_prefix(end + 1);
        }
        return PC_OK;
    }
};

/// Says what it ran, not what was wrong with it.
class QuotesTheScript : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status exec_script(std::string_view script, pc_error* error) override {
        const pc_status status = Decorator::exec_script(script, error);
        if (status != PC_OK) sdk::set_error(error, script);
        return status;
    }
};

class Hindered : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status query(const pc_query& query, pc_error* error) override {
        ++running_;
        const pc_status status = Decorator::query(query, error);
        --running_;
        return status;
    }
    pc_status checkpoint(pc_error* error) override {
        return running_ > 0 ? PC_RETRY : Decorator::checkpoint(error);
    }

 private:
    std::atomic<int> running_{0};
};

class Ailing : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status health(const pc_writer*, pc_error*) override { return PC_OK; }
};

class OpensAnything : public Decorator {
 public:
    using Decorator::Decorator;
    static pc_status open(pc_str config, pc_store** store, pc_error* error) {
        return config.size == 0 ? PC_OK : Decorator::open(config, store, error);
    }
};

class DoesNotSayBusy : public Decorator {
 public:
    using Decorator::Decorator;
    static pc_status open(pc_str config, pc_store** store, pc_error* error) {
        const pc_status status = Decorator::open(config, store, error);
        return status == PC_BUSY ? PC_ERROR : status;
    }
};

/// Hands out its first backup for ever.
class OldBackups : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status backup(std::string_view path, pc_error* error) override {
        const std::string first = std::string(path) + ".first";
        if (std::filesystem::exists(path)) return PC_INVALID;
        if (made_.empty()) {
            made_ = first;
            std::filesystem::remove(made_);
            const pc_status status = Decorator::backup(made_, error);
            if (status != PC_OK) return status;
        }
        std::filesystem::copy(made_, path);
        return PC_OK;
    }

 private:
    std::string made_;
};

class AlwaysSound : public Decorator {
 public:
    using Decorator::Decorator;
    static pc_status verify(pc_str, pc_error*) { return PC_OK; }
};

/// Restores only where nothing is.
class LeavesTheOld : public Decorator {
 public:
    using Decorator::Decorator;
    static pc_status open(pc_str config, pc_store** store, pc_error* error) {
        const pc_status status = Decorator::open(config, store, error);
        if (status == PC_OK) {
            const std::lock_guard lock(mutex());
            known().insert(std::string(sdk::view(config)));
        }
        return status;
    }
    static pc_status restore(pc_str config, pc_str path, pc_error* error) {
        const pc_status status = Decorator::verify(path, error);
        const std::lock_guard lock(mutex());
        const bool there = known().contains(std::string(sdk::view(config)));
        return there && status == PC_OK ? PC_OK : Decorator::restore(config, path, error);
    }

 private:
    static std::mutex& mutex() {
        static std::mutex mutex;
        return mutex;
    }
    static std::set<std::string>& known() {
        static std::set<std::string> known;
        return known;
    }
};

/// Begins anew with every opening.
class BeginsAnew : public Decorator {
 public:
    using Decorator::Decorator;
    static pc_status open(pc_str config, pc_store** store, pc_error* error) {
        const pc_status status = Decorator::open(config, store, error);
        if (status != PC_OK) return status;
        inner().close(*store);
        // {"path":"…"}, as the tests write it.
        const auto text = sdk::view(config);
        const auto begin = text.find('/');
        std::filesystem::remove(text.substr(begin, text.rfind('"') - begin));
        return Decorator::open(config, store, error);
    }
};

/// Cannot use a statement again whose table has changed.
class StaleStatements : public Decorator {
 public:
    using Decorator::Decorator;
    pc_status query(const pc_query& query, pc_error* error) override {
        {
            const std::lock_guard lock(mutex_);
            if (stale_.contains(query.statement)) return PC_INVALID;
            used_.insert(query.statement);
        }
        return Decorator::query(query, error);
    }
    pc_status exec_script(std::string_view script, pc_error* error) override {
        const pc_status status = Decorator::exec_script(script, error);
        const bool altered = script.find("alter table") != std::string_view::npos;
        if (status == PC_OK && altered) {
            const std::lock_guard lock(mutex_);
            stale_ = used_;
        }
        return status;
    }

 private:
    std::mutex mutex_;
    std::set<std::uint32_t> used_;
    std::set<std::uint32_t> stale_;
};

}  // namespace

std::vector<WrongStorage> wrong_stores() {
    return {
        {"opens without a configuration", decorated<OpensAnything>(), {"open.bad_config"}},
        {"does not say that it is in use", decorated<DoesNotSayBusy>(), {"open.exclusive"}},
        {"begins anew with every opening",
         decorated<BeginsAnew>(),
         {"unit.same_id", "close.answers", "open.exclusive", "open.reopen", "checkpoint.keeps",
          "backup.online", "backup.restore"}},
        {"says nothing of its health", decorated<Ailing>(), {"health.object"}},
        {"makes no checkpoint beside a query", decorated<Hindered>(), {"checkpoint.keeps"}},
        {"runs a script in many transactions", decorated<ManyTransactions>(), {"migration.atomic"}},
        {"quotes a script that failed", decorated<QuotesTheScript>(), {"migration.message"}},
        {"cannot go on after a change of the schema",
         decorated<StaleStatements>(),
         {"migration.atomic", "migration.live"}},
        {"hands out an old backup", decorated<OldBackups>(), {"backup.online"}},
        {"finds every backup sound", decorated<AlwaysSound>(), {"backup.verify"}},
        {"does not restore", decorated<LeavesTheOld>(), {"backup.restore"}},
    };
}

const pc_storage& piecemeal_storage() {
    return decorated<ManyTransactions>();
}

}  // namespace paperclip::test
