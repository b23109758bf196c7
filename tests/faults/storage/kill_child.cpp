#include "tests/faults/storage/kit_options.hpp"
#include "tests/faults/storage/wrong_storages.hpp"

/// The program that the kit's durable rules kill: storage-sqlite under the kit's load, or a storage
/// that its first argument names.
int main(int count, char** words) {
    using namespace paperclip;
    const std::string_view first = count > 1 ? words[1] : "";
    const pc_storage* table = &test::sqlite_table();
    if (first == "hasty") table = &test::hasty_storage();
    if (first == "piecemeal") table = &test::piecemeal_storage();
    const int named = table == &test::sqlite_table() ? 0 : 1;
    return check::run_child(*table, std::vector<std::string>(words + 1 + named, words + count));
}
