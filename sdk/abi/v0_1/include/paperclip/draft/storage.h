/* paperclip.storage/1 (draft): where the engine keeps its state.
 *
 * The plugin knows SQL and nothing of companies. The engine gives it a catalogue of statements in
 * the plugin's dialect; a change is a unit, a list of catalogued statements with the number of rows
 * that each must touch, run in one transaction by one call; a read is one catalogued statement.
 *
 * The main promises of a plugin, with the rules of the conformance kit (sdk/check/storage, which
 * has the others too):
 *   unit.atomic, durable.kill       a unit is applied whole or not at all
 *   unit.guard, unit.guard_index    a step whose row count differs from `expect` undoes the unit:
 *                                   PC_CONFLICT with the index of the first such step
 *   unit.neighbour                  a unit that fails does not sink those that wait with it
 *   unit.durable                    no answer, not even PC_CONFLICT, before the transaction that it
 *                                   was decided in is durable: power may fail right after `done`
 *   unit.done_once, close.answers   `done` is called exactly once for every submitted unit
 *   unit.same_id                    a unit submitted again under its id has no further effect
 *   order.read_your_writes          a query sees every unit whose `done` was called before it began
 *   order.snapshot                  and one state of the store from its first row to its last
 *   migration.atomic                a script is one transaction
 */
#ifndef PAPERCLIP_DRAFT_STORAGE_H
#define PAPERCLIP_DRAFT_STORAGE_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PC_STORAGE_INTERFACE "paperclip.storage/1"

typedef struct pc_store pc_store;

#define PC_VALUE_NULL 0
#define PC_VALUE_INTEGER 1
#define PC_VALUE_REAL 2
#define PC_VALUE_TEXT 3
#define PC_VALUE_BLOB 4

/* Times are integers, microseconds since 1970 UTC; money is an integer, millionths of a dollar. */
typedef struct pc_value {
    int32_t type;
    uint32_t reserved;
    int64_t integer;
    double real;
    pc_str bytes; /* of a text or a blob */
} pc_value;

#define PC_STATEMENT_READ 1u /* runs in a query; otherwise it runs in units */

/* Copied by the plugin. Parameters are positional, in the dialect's form (?1, $1). */
typedef struct pc_statement {
    uint32_t struct_size;
    uint32_t id;
    uint32_t flags;
    uint32_t parameter_count;
    pc_str name; /* for errors and logs */
    pc_str sql;  /* one statement */
} pc_statement;

#define PC_ANY_ROWS ((int64_t)-1)

typedef struct pc_step {
    uint32_t struct_size;
    uint32_t statement;
    int64_t expect; /* rows changed (rows returned, for a select), or PC_ANY_ROWS */
    const pc_value* values;
    uint32_t value_count;
    uint32_t reserved;
} pc_step;

/* Borrowed until `done` is called. */
typedef struct pc_unit {
    uint32_t struct_size;
    uint32_t step_count;
    const pc_step* steps;
    /* Empty, or up to 64 bytes that name this unit for an hour: see unit.same_id. */
    pc_str id;
    /* The unit may be withdrawn (PC_TIMEOUT) when its transaction has not begun that many
     * microseconds after submit; 0 is no limit. */
    int64_t timeout_us;
    /* Rows that a step returns, in order, before `done`; void if the unit is not PC_OK. May be
     * NULL. The values are borrowed for the call. Runs on a thread of the plugin. */
    void (*row)(void* ctx, uint32_t step, const pc_value* values, uint32_t count);
    void* ctx; /* for `row` and `done` */
    void (*done)(void* ctx, pc_status status, uint32_t step, const pc_error* error);
} pc_unit;

/* Borrowed for the call. */
typedef struct pc_query {
    uint32_t struct_size;
    uint32_t statement;
    const pc_value* values;
    uint32_t value_count;
    uint32_t reserved;
    int64_t timeout_us; /* waiting for a connection and running; 0 is no limit */
    /* Called for each row with borrowed values; any answer but 0 ends the query. */
    int32_t (*row)(void* ctx, const pc_value* values, uint32_t count);
    void* ctx;
} pc_query;

#define PC_STORAGE_MULTI_WRITER (1u << 0) /* several engines may have it open */
#define PC_STORAGE_BACKUP (1u << 1)       /* backup, verify and restore are offered */

typedef struct pc_storage_limits {
    uint32_t struct_size;
    uint32_t flags;
    uint32_t max_parameters;
    uint32_t max_steps;
} pc_storage_limits;

typedef struct pc_storage {
    uint32_t struct_size;
    uint32_t reserved;
    pc_str dialect; /* "sqlite" or "postgresql" */
    pc_storage_limits limits;

    /* JSON Schema of the configuration. [control] */
    pc_status (*config_schema)(const pc_writer* out, pc_error* error);
    /* Opens, or creates, the store that `config` (JSON) names. PC_BUSY: another engine has it.
     * [control] */
    pc_status (*open)(pc_str config, pc_store** store, pc_error* error);
    /* Answers what is still queued, makes it durable, closes. Total. [control] */
    void (*close)(pc_store* store);
    /* Adds statements; an id that is known is replaced. Prepared when first used. [any] */
    pc_status (*catalogue)(pc_store* store, const pc_statement* statements, uint32_t count,
                           pc_error* error);
    /* Hands in a unit and returns; PC_OK means that `done` will be called, perhaps before this
     * returns. Anything else: it will not be. [any] */
    pc_status (*submit)(pc_store* store, const pc_unit* unit, pc_error* error);
    /* Runs a read on the calling thread. [worker] */
    pc_status (*query)(pc_store* store, const pc_query* query, pc_error* error);
    /* Runs a script of several statements in one transaction of its own: a migration. [worker] */
    pc_status (*exec_script)(pc_store* store, pc_str script, pc_error* error);
    /* Moves what is committed to its final place as far as readers allow. [worker] */
    pc_status (*checkpoint)(pc_store* store, pc_error* error);
    /* Sizes and counters as a JSON object. [worker] */
    pc_status (*health)(pc_store* store, const pc_writer* out, pc_error* error);
    /* Writes a consistent copy of the open store to the file `path`, which must not exist; durable
     * when it returns. Units go on meanwhile. [worker] */
    pc_status (*backup)(pc_store* store, pc_str path, pc_error* error);
    /* Reads the whole backup at `path` and checks it: PC_CORRUPT when anything is damaged.
     * [worker] */
    pc_status (*verify)(pc_str path, pc_error* error);
    /* Verifies the backup at `path`, then puts it where `config` says; the store must not be open.
     * A crash leaves the old store or the new one. [control] */
    pc_status (*restore)(pc_str config, pc_str path, pc_error* error);
} pc_storage;

#ifdef __cplusplus
}
#endif

#endif
