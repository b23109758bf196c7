#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <paperclip/draft/storage.h>
#include <string>
#include <string_view>
#include <vector>

namespace paperclip::test {

/// A store that passes every call on to another one. Derived classes change what they are about;
/// decorated<D>() is the table.
class Decorator {
 public:
    using Answered = std::function<void(pc_status, std::uint32_t step, const pc_error*)>;

    explicit Decorator(pc_store* store) : store_(store) {}
    virtual ~Decorator() = default;
    Decorator(const Decorator&) = delete;
    Decorator& operator=(const Decorator&) = delete;

    /// The storage beneath: storage-sqlite.
    static const pc_storage& inner();

    virtual void close();
    virtual pc_status catalogue(const pc_statement* statements, std::uint32_t count,
                                pc_error* error);
    virtual pc_status submit(const pc_unit& unit, pc_error* error);
    virtual pc_status query(const pc_query& query, pc_error* error);
    virtual pc_status exec_script(std::string_view script, pc_error* error);
    virtual pc_status checkpoint(pc_error* error);
    virtual pc_status health(const pc_writer* out, pc_error* error);
    virtual pc_status backup(std::string_view path, pc_error* error);

    // Not of a store; derived classes hide these.
    static pc_status open(pc_str config, pc_store** store, pc_error* error);
    static pc_status verify(pc_str path, pc_error* error);
    static pc_status restore(pc_str config, pc_str path, pc_error* error);

 protected:
    /// What becomes of the rows: they go to the unit, as of the step `first` and following.
    struct Rows {
        bool wanted = true;
        std::uint32_t first = 0;
    };
    /// Submits `steps` in the place of a unit; the answer goes to `answered`. The steps' values are
    /// borrowed until then.
    pc_status forward(const pc_unit& unit, std::vector<pc_step> steps, Answered answered,
                      pc_error* error, Rows rows = {true, 0});
    /// Submits the unit as it is.
    pc_status forward(const pc_unit& unit, Answered answered, pc_error* error);
    static std::vector<pc_step> steps_of(const pc_unit& unit) {
        return {unit.steps, unit.steps + unit.step_count};
    }
    static void answer(const pc_unit& unit, pc_status status, std::uint32_t step = 0,
                       const pc_error* error = nullptr) {
        unit.done(unit.ctx, status, step, error);
    }
    /// A step that never holds. Known once something was catalogued.
    [[nodiscard]] static pc_step never();

    pc_store* store_;
};

namespace detail {
pc_storage base_table();
inline Decorator& decorator(pc_store* store) {
    return *reinterpret_cast<Decorator*>(store);
}
}  // namespace detail

/// The table of a decorated storage-sqlite.
template <class D>
const pc_storage& decorated() {
    static const pc_storage table = [] {
        pc_storage made = detail::base_table();
        made.open = [](pc_str config, pc_store** store, pc_error* error) {
            pc_store* opened = nullptr;
            const pc_status status = D::open(config, &opened, error);
            if (status == PC_OK) {
                Decorator* const decorator = new D(opened);
                *store = reinterpret_cast<pc_store*>(decorator);
            }
            return status;
        };
        made.verify = [](pc_str path, pc_error* error) { return D::verify(path, error); };
        made.restore = [](pc_str config, pc_str path, pc_error* error) {
            return D::restore(config, path, error);
        };
        return made;
    }();
    return table;
}

}  // namespace paperclip::test
