#include "tests/faults/storage/decorator.hpp"

#include "tests/faults/storage/kit_options.hpp"

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::test {
namespace {

constexpr std::uint32_t k_never = 4'000'000'000;

/// A unit in its other form; lives until it is answered.
struct Forwarded {
    const pc_unit& original;
    std::vector<pc_step> steps;
    Decorator::Answered answered;
    std::uint32_t first = 0;
    pc_unit unit{};
};

}  // namespace

const pc_storage& Decorator::inner() {
    return sqlite_table();
}

void Decorator::close() {
    if (store_ != nullptr) inner().close(store_);
}

pc_status Decorator::catalogue(const pc_statement* statements, std::uint32_t count,
                               pc_error* error) {
    const pc_statement never{
        sizeof(pc_statement), k_never, 0, 0, sdk::str("never"), sdk::str("select 1 where 1 = 0")};
    inner().catalogue(store_, &never, 1, error);
    return inner().catalogue(store_, statements, count, error);
}

pc_step Decorator::never() {
    return {sizeof(pc_step), k_never, 1, nullptr, 0, 0};
}

pc_status Decorator::submit(const pc_unit& unit, pc_error* error) {
    return inner().submit(store_, &unit, error);
}

pc_status Decorator::forward(const pc_unit& unit, std::vector<pc_step> steps, Answered answered,
                             pc_error* error, Rows rows) {
    auto forwarded = std::make_unique<Forwarded>(
        Forwarded{unit, std::move(steps), std::move(answered), rows.first, unit});
    pc_unit& copy = forwarded->unit;
    copy.steps = forwarded->steps.data();
    copy.step_count = static_cast<std::uint32_t>(forwarded->steps.size());
    copy.ctx = forwarded.get();
    copy.row = [](void* ctx, std::uint32_t step, const pc_value* values, std::uint32_t count) {
        const auto& self = *static_cast<Forwarded*>(ctx);
        const pc_unit& to = self.original;
        if (to.row != nullptr) to.row(to.ctx, self.first + step, values, count);
    };
    if (!rows.wanted) copy.row = nullptr;
    copy.done = [](void* ctx, pc_status status, std::uint32_t step, const pc_error* why) {
        const std::unique_ptr<Forwarded> self(static_cast<Forwarded*>(ctx));
        self->answered(status, step, why);
    };
    const pc_status status = inner().submit(store_, &copy, error);
    if (status == PC_OK) static_cast<void>(forwarded.release());
    return status;
}

pc_status Decorator::forward(const pc_unit& unit, Answered answered, pc_error* error) {
    return forward(unit, steps_of(unit), std::move(answered), error);
}

pc_status Decorator::query(const pc_query& query, pc_error* error) {
    return inner().query(store_, &query, error);
}
pc_status Decorator::exec_script(std::string_view script, pc_error* error) {
    return inner().exec_script(store_, sdk::str(script), error);
}
pc_status Decorator::checkpoint(pc_error* error) {
    return inner().checkpoint(store_, error);
}
pc_status Decorator::health(const pc_writer* out, pc_error* error) {
    return inner().health(store_, out, error);
}
pc_status Decorator::backup(std::string_view path, pc_error* error) {
    return inner().backup(store_, sdk::str(path), error);
}
pc_status Decorator::open(pc_str config, pc_store** store, pc_error* error) {
    return inner().open(config, store, error);
}
pc_status Decorator::verify(pc_str path, pc_error* error) {
    return inner().verify(path, error);
}
pc_status Decorator::restore(pc_str config, pc_str path, pc_error* error) {
    return inner().restore(config, path, error);
}

pc_storage detail::base_table() {
    pc_storage table = Decorator::inner();
    table.close = [](pc_store* store) {
        const std::unique_ptr<Decorator> self(&decorator(store));
        self->close();
    };
    table.catalogue = [](pc_store* store, const pc_statement* statements, std::uint32_t count,
                         pc_error* error) {
        return decorator(store).catalogue(statements, count, error);
    };
    table.submit = [](pc_store* store, const pc_unit* unit, pc_error* error) {
        return decorator(store).submit(*unit, error);
    };
    table.query = [](pc_store* store, const pc_query* query, pc_error* error) {
        return decorator(store).query(*query, error);
    };
    table.exec_script = [](pc_store* store, pc_str script, pc_error* error) {
        return decorator(store).exec_script(sdk::view(script), error);
    };
    table.checkpoint = [](pc_store* store, pc_error* error) {
        return decorator(store).checkpoint(error);
    };
    table.health = [](pc_store* store, const pc_writer* out, pc_error* error) {
        return decorator(store).health(out, error);
    };
    table.backup = [](pc_store* store, pc_str path, pc_error* error) {
        return decorator(store).backup(sdk::view(path), error);
    };
    return table;
}

}  // namespace paperclip::test
