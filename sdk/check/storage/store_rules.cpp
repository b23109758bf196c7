#include "rules.hpp"

#include <paperclip/cpp/plugin.hpp>

namespace paperclip::check {
namespace {

template <class Call>
std::string written(const char* what, const Call& call) {
    std::string out;
    pc_writer writer{sizeof(pc_writer), 0, &out, [](void* to, pc_str bytes) {
                         static_cast<std::string*>(to)->append(bytes.data, bytes.size);
                     }};
    pc_error error{};
    error.struct_size = sizeof error;
    const pc_status status = call(&writer, &error);
    expect_status(what, PC_OK, status, error.message);
    return out;
}

void expect_object(const std::string& what, const std::string& text) {
    expect(text.size() >= 2 && text.front() == '{' && text.back() == '}',
           what + ": expected a JSON object, found '" + text.substr(0, 100) + "'");
}

void table(const Context& context) {
    const pc_storage& s = context.storage;
    expect(s.struct_size >= sizeof(pc_storage), "struct_size: expected at least " +
                                                    std::to_string(sizeof(pc_storage)) +
                                                    ", found " + std::to_string(s.struct_size));
    expect(s.config_schema && s.open && s.close && s.catalogue && s.submit && s.query &&
               s.exec_script && s.checkpoint && s.health && s.backup && s.verify && s.restore,
           "expected every function of the table, found null");
    const auto dialect = sdk::view(s.dialect);
    expect(dialect == "sqlite" || dialect == "postgresql",
           "dialect: expected sqlite or postgresql, found " + std::string(dialect));
    expect(s.limits.struct_size >= sizeof(pc_storage_limits), "limits.struct_size: too small");
    expect(s.limits.max_steps >= 20'000, "limits.max_steps: expected at least 20,000, found " +
                                             std::to_string(s.limits.max_steps));
    expect(s.limits.max_parameters >= 1'000,
           "limits.max_parameters: expected at least 1,000, found " +
               std::to_string(s.limits.max_parameters));
    expect_object("config_schema",
                  written("config_schema", [&](const pc_writer* out, pc_error* error) {
                      return s.config_schema(out, error);
                  }));
}

void health(const Context& context) {
    Session session(context);
    expect_object("health", written("health", [&](const pc_writer* out, pc_error* error) {
                      return context.storage.health(session.store(), out, error);
                  }));
}

void bad_config(const Context& context) {
    for (const char* config :
         {"", "{", "[]", "7", "null", "nonsense", "{\"path\": 7, \"conninfo\": 7}"}) {
        pc_store* store = nullptr;
        pc_error error{};
        error.struct_size = sizeof error;
        const pc_status status =
            context.storage.open({config, std::string_view(config).size()}, &store, &error);
        if (status == PC_OK) context.storage.close(store);
        expect(status != PC_OK, std::string("open with the configuration '") + config +
                                    "': expected a failure, found PC_OK");
        expect(error.message[0] != '\0', std::string("open with the configuration '") + config +
                                             "': expected a message, found none");
    }
}

void exclusive(const Context& context) {
    Session first(context);
    first.script("create table kit_item (id {int} primary key){strict}");
    if ((context.storage.limits.flags & PC_STORAGE_MULTI_WRITER) != 0) {
        Session second(context, first.config());
        first.apply(first.write("insert into kit_item (id) values (1)"));
        expect_equal("what a second engine sees of the first one's units", 1,
                     second.integer(second.read("select count(*) from kit_item")));
        return;
    }
    pc_store* store = nullptr;
    pc_error error{};
    error.struct_size = sizeof error;
    const pc_status status = context.storage.open(sdk::str(first.config()), &store, &error);
    if (status == PC_OK) context.storage.close(store);
    expect_status("open of a store that is open", PC_BUSY, status, error.message);
    first.apply(first.write("insert into kit_item (id) values (1)"));
    first.close();
    Session second(context, first.config());
    expect_equal("rows of the first engine", 1,
                 second.integer(second.read("select count(*) from kit_item")));
}

void reopen(const Context& context) {
    const std::string config = context.options.fresh();
    const int times = context.scaled(10, 3);
    for (int i = 0; i < times; ++i) {
        Session session(context, config);
        session.script("create table if not exists kit_item (id {int} primary key){strict}");
        const auto count = session.read("select count(*) from kit_item");
        expect_equal("rows that earlier openings left", 3 * i, session.integer(count));
        const auto insert = session.write("insert into kit_item (id) values (?1)");
        for (int k = 0; k < 3; ++k) session.apply(insert, {3 * i + k}, 1);
    }
}

void replace(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key, n {int} not null){strict}");
    const auto read = session.read("select 1");
    const auto write = session.write("insert into kit_item (id, n) values (?1, 1)");
    const auto sum = session.read("select cast(coalesce(sum(n), 0) as {int}) from kit_item");
    constexpr int k_threads = 16;  // more than a storage has connections, and each may cache
    const int versions = context.scaled(20, 4);
    std::int64_t total = 0;
    for (int version = 1; version <= versions; ++version) {
        const std::string number = std::to_string(version);
        if (version > 1) {
            session.replace(read, "select " + number, Session::Kind::read);
            session.replace(write, "insert into kit_item (n, id) values (" + number + ", ?1)",
                            Session::Kind::write);
        }
        in_parallel(k_threads, [&](int) {
            expect_equal("a query of version " + number, version, session.integer(read));
        });
        session.apply(write, {version}, 1);
        total += version;
        expect_equal("the sum after a step of version " + number, total, session.integer(sum));
    }
}

void migration_atomic(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key){strict}");
    session.apply(session.write("insert into kit_item (id) values (1)"));
    const auto items = session.read("select id from kit_item order by id");
    const auto added = session.read("select count(extra) from kit_item");
    const auto made = session.read("select count(*) from kit_made");
    const auto unchanged = [&](const std::string& what, const std::string& text) {
        expect(session.try_script(text) != PC_OK, what + ": expected a failure, found PC_OK");
        expect_rows("after " + what, {{1}}, session.rows(items));
        expect(session.query(added).status != PC_OK, "after " + what + ": found the added column");
        expect(session.query(made).status != PC_OK, "after " + what + ": found the new table");
    };
    const std::string good =
        "create table kit_made (id {int} primary key){strict};"
        "insert into kit_made (id) values (1), (2);"
        "alter table kit_item add column extra {int};"
        "insert into kit_item (id) values (2);";
    unchanged("a script that ends in nonsense", good + "nonsense;");
    unchanged("a script that ends in a missing table",
              good + "insert into kit_nowhere values (1);");
    unchanged("a script that ends in a taken key", good + "insert into kit_made (id) values (2);");
    unchanged("a script whose end is missing", good + "insert into kit_made (id) values (");

    session.script(good);
    expect_rows("after a script that runs to its end", {{1}, {2}}, session.rows(items));
    expect_equal("rows of the new table", 2, session.integer(made));
    expect_equal("values in the added column", 0, session.integer(added));
}

void migration_message(const Context& context) {
    Session session(context);
    std::string long_script = "create table kit_made (id {int} primary key){strict};\n";
    for (int i = 0; i < 200; ++i) {
        long_script += "insert into kit_made (id) values (" + std::to_string(i) + ");\n";
    }
    for (const std::string& script : {std::string("insert into kit_nowhere values (1)"),
                                      long_script + "insert into kit_nowhere values (1);"}) {
        std::string message;
        const pc_status status = session.try_script(script, &message);
        expect(status != PC_OK, "a script that fails: expected a failure, found PC_OK");
        expect(message.find("kit_nowhere") != std::string::npos,
               "the message of a failed script: expected the missing table's name, found '" +
                   message + "'");
    }
}

void migration_live(const Context& context) {
    Session session(context);
    session.script("create table kit_item (id {int} primary key, n {int} not null){strict}");
    const auto insert = session.write("insert into kit_item (id, n) values (?1, ?1)");
    const auto all = session.read("select * from kit_item order by id");
    session.apply(insert, {1}, 1);
    in_parallel(16, [&](int) { expect_rows("rows", {{1, 1}}, session.rows(all)); });
    // Units come in all the while, from before and after the change.
    std::atomic<bool> stop{false};
    std::atomic<int> applied{0};
    in_parallel(2, [&](int thread) {
        if (thread == 1) {
            for (int i = 2; !stop; ++i) {
                session.apply(insert, {i}, 1);
                ++applied;
            }
            return;
        }
        try {
            session.script(
                "alter table kit_item add column extra {int} not null default 7;"
                "create table kit_other (id {int} primary key){strict}");
        } catch (...) {
            stop = true;
            throw;
        }
        stop = true;
    });
    const auto wider = session.read("select id, n, extra from kit_item where id = 1");
    in_parallel(16, [&](int) {
        session.rows(all);  // of before the change, and whatever `*` now means
        expect_rows("a row after its table has changed", {{1, 1, 7}}, session.rows(wider));
    });
    const auto count = session.read("select count(*) from kit_item");
    expect_equal("rows after units around the change", applied + 1, session.integer(count));
}

void checkpoint(const Context& context) {
    const std::string config = context.options.fresh();
    const int rounds = context.scaled(50, 10);
    Session session(context, config);
    session.script("create table kit_item (id {int} primary key, pad text not null){strict}");
    const auto insert = session.write("insert into kit_item (id, pad) values (?1, ?2)");
    const auto count = session.read("select count(*) from kit_item");
    const auto checkpoint_now = [&](const char* what) {
        pc_error error{};
        error.struct_size = sizeof error;
        expect_status(what, PC_OK, context.storage.checkpoint(session.store(), &error),
                      error.message);
    };
    in_parallel(4, [&](int thread) {
        for (int i = 0; i < rounds; ++i) {
            if (thread == 0) {
                checkpoint_now("checkpoint while units go on");
            } else {
                session.apply(insert, {thread * rounds + i, std::string(1'000, 'p')}, 1);
            }
        }
    });
    expect_equal("rows after checkpoints", 3 * rounds, session.integer(count));
    // A reader in the middle of its query is a reason to do less, not to fail.
    const auto all = session.read("select id from kit_item");
    int row = 0;
    session.query(all, {}, 0, [&](const Row&) {
        if (++row == 2) checkpoint_now("checkpoint while a query runs");
        return true;
    });
    session.close();
    Session again(context, config);
    expect_equal("rows after checkpoints, once reopened", 3 * rounds,
                 again.integer(again.read("select count(*) from kit_item")));
}

}  // namespace

std::vector<Rule> store_rules() {
    return {
        {"open.bad_config", "a configuration that is none is refused with a message", bad_config},
        {"open.exclusive", "a second engine is PC_BUSY, or sees what the first one does",
         exclusive},
        {"open.reopen", "what is closed opens again as it was", reopen},
        {"health.object", "health is a JSON object", health},
        {"catalogue.replace", "a statement that is replaced is replaced everywhere", replace},
        {"checkpoint.keeps", "a checkpoint loses nothing and hinders nobody", checkpoint},
        {"migration.atomic", "a script that fails half-way changes nothing", migration_atomic},
        {"migration.message", "a script that fails says why", migration_message},
        {"migration.live", "statements go on after a change of the schema", migration_live},
    };
}

std::vector<Rule> table_rules() {
    return {{"table.complete", "the table has every function and sane limits", table}};
}

}  // namespace paperclip::check
