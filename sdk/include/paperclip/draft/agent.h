/* paperclip.agent/1 (draft): an agent backend.
 *
 * A backend is a state machine: the host gives it inputs, it answers with actions, the host
 * executes them. It does no I/O, has no thread, child, descriptor or clock of its own; so it can be
 * cancelled whatever it does, replayed after a crash, and tested from a list of inputs.
 *
 *   START            the run begins; the request was given to open()
 *   LINE, EXIT       a child printed a line, ended
 *   HTTP_*           an answer to an HTTP action
 *   TIMER            a timer ran out
 *   CANCEL           somebody wants the run to end; the host ends it anyway if RESULT does not come
 *   RECOVER          the host was restarted; `text` is the last HANDLE. Before it, the inputs of
 * the run so far were given again, and the actions that had been executed were dropped. Requests
 * that were on their way are answered with HTTP_END and an error.
 *
 * Rules (each a test of the conformance kit, id in brackets):
 *   - step() returns within 50 ms                                            [agent.step_time]
 *   - exactly one RESULT, after which nothing but inputs to be ignored       [agent.one_result]
 *   - the same inputs give the same actions                                  [agent.deterministic]
 *   - unknown kinds of input are ignored                                     [agent.unknown_input]
 *   - no thread, descriptor, child or signal handler is left behind          [agent.no_residue]
 */
#ifndef PAPERCLIP_DRAFT_AGENT_H
#define PAPERCLIP_DRAFT_AGENT_H

#include "../abi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PC_AGENT_INTERFACE "paperclip.agent/1"

typedef struct pc_run pc_run;

/* What START asks for. */
#define PC_START_RUN 0
#define PC_START_PROBE 1  /* does the configuration work? RESULT's summary is JSON checks */
#define PC_START_MODELS 2 /* which models are there? RESULT's summary is a JSON list */

/* Borrowed until open() returns. */
typedef struct pc_request {
    uint32_t struct_size;
    int32_t kind; /* PC_START_… */
    pc_str adapter_type;
    pc_str run_id;
    pc_str agent_id;
    pc_str company_id;
    pc_str config;  /* the agent's adapterConfig: JSON, valid by config_schema */
    pc_str context; /* what the agent is woken for: JSON */
    pc_str prompt;  /* the same as text for a model; empty for none */
    pc_str cwd;     /* the folder to work in: absolute, there */
    pc_str session; /* of the task's last run: JSON as SESSION gave it, or empty */
    pc_str api_url; /* of the engine, without /api */
    /* The environment that a child of this run gets, in the order name, value, name, value … The
     * host adds the token; a backend only adds or removes what its tool needs. */
    const pc_str* environment;
    uint32_t environment_count; /* of strings: twice the variables */
    uint32_t timeout_sec;       /* 0: none; the host enforces it too */
    uint32_t grace_sec;         /* between TERM and KILL */
    uint32_t reserved;
    int64_t
        budget_micros; /* the most that this run may cost, millionths of a dollar; -1: no limit */
} pc_request;

#define PC_IN_START 1
#define PC_IN_LINE 2 /* child, stream, text: without its line end */
#define PC_IN_EXIT \
    3 /* child, code: exit status, or -1 and signal; text: why, when it did not start */
#define PC_IN_HTTP_HEAD 4 /* id, code: status; text: headers, a line each */
#define PC_IN_HTTP_BODY 5 /* id, text: the next bytes */
#define PC_IN_HTTP_END 6  /* id, code: 0, or PC_HTTP_… with text */
#define PC_IN_TIMER 7     /* id */
#define PC_IN_CANCEL 8    /* code: PC_CANCEL_…, text */
#define PC_IN_RECOVER 9   /* text */

#define PC_STREAM_OUT 1
#define PC_STREAM_ERR 2

#define PC_HTTP_OK 0
#define PC_HTTP_REFUSED 1 /* an address that may not be reached, a malformed URL */
#define PC_HTTP_FAILED 2  /* connection, TLS or protocol */
#define PC_HTTP_TIMEOUT 3
#define PC_HTTP_LOST 4 /* the host was restarted while it was on its way */

#define PC_CANCEL_USER 1
#define PC_CANCEL_TIMEOUT 2
#define PC_CANCEL_BUDGET 3
#define PC_CANCEL_SILENCE 4
#define PC_CANCEL_SHUTDOWN 5
#define PC_CANCEL_HALT 6 /* the agent was paused or terminated */

/* Borrowed for the call. Members that a kind does not name are 0. */
typedef struct pc_input {
    uint32_t struct_size;
    int32_t kind;
    int64_t now_us; /* microseconds since 1970 UTC */
    uint64_t id;
    int32_t child;
    int32_t stream;
    int32_t code;
    int32_t signal;
    pc_str text;
} pc_input;

/* A program. No shell is involved: argv[0] is looked for in PATH of `environment`. */
typedef struct pc_spawn {
    uint32_t struct_size;
    int32_t child; /* names it in LINE and EXIT; each number once a run */
    const pc_str* argv;
    uint32_t argc;
    uint32_t environment_count;
    const pc_str* environment; /* name, value, …; values may be {"$secret":"NAME"} */
    pc_str cwd;
    pc_str input; /* its standard input; closed after it unless `keep_stdin` */
    int32_t keep_stdin;
    int32_t reserved;
} pc_spawn;

#define PC_SIGNAL_INT 1
#define PC_SIGNAL_TERM 2
#define PC_SIGNAL_KILL 3

typedef struct pc_http {
    uint32_t struct_size;
    uint32_t timeout_ms; /* 0: the host's own */
    uint64_t id;         /* names it in HTTP_… inputs; each number once a run */
    pc_str method;
    pc_str url;
    /* name, value, …; a value may be, or end in, {"$secret":"NAME"}: "Bearer {"$secret":"…"}" */
    const pc_str* headers;
    uint32_t header_count; /* of strings */
    uint32_t reserved;
    pc_str body;
} pc_http;

/* Totals since the run began, never differences: a repeated report changes nothing. */
typedef struct pc_usage {
    uint32_t struct_size;
    uint32_t reserved;
    int64_t input_tokens;
    int64_t cached_input_tokens;
    int64_t output_tokens;
    int64_t cost_micros; /* millionths of a dollar; -1: not known */
    pc_str provider;     /* "anthropic"; empty: not known */
    pc_str biller;
    pc_str billing_type; /* the API's word: "metered_api", "subscription_included", … */
    pc_str model;
} pc_usage;

/* What a run came to; the scheduler acts on the class. */
#define PC_CLASS_OK 0
#define PC_CLASS_AGENT_ERROR 1 /* the agent's program failed */
#define PC_CLASS_AUTH 2        /* credentials are missing or refused */
#define PC_CLASS_RATE_LIMIT 3  /* try again at retry_at_us */
#define PC_CLASS_QUOTA 4       /* likewise, of an account's allowance */
#define PC_CLASS_TIMEOUT 5
#define PC_CLASS_CANCELLED 6
#define PC_CLASS_LOST 7 /* nobody knows how it ended */
#define PC_CLASS_CONFIG 8
#define PC_CLASS_MAX_TURNS 9
#define PC_CLASS_REFUSAL 10
#define PC_CLASS_INTERNAL 11

typedef struct pc_result {
    uint32_t struct_size;
    int32_t error_class;
    pc_str error_code; /* a stable word, or empty */
    pc_str message;    /* for people, when it is not OK */
    pc_str summary;    /* what the agent says it did */
    pc_str data;       /* JSON object kept with the run, or empty */
    int64_t retry_at_us;
    int32_t clear_session;
    int32_t reserved;
} pc_result;

/* What a step may ask the host to do; executed in order after step() has returned. The structs and
 * what they point to are copied before the call returns. */
typedef struct pc_actions {
    uint32_t struct_size;
    uint32_t reserved;
    void* ctx;
    void (*spawn)(void* ctx, const pc_spawn* spawn);
    void (*write_stdin)(void* ctx, int32_t child, pc_str bytes, int32_t close);
    void (*signal)(void* ctx, int32_t child, int32_t signal);
    void (*http)(void* ctx, const pc_http* http);
    void (*timer)(void* ctx, uint64_t id, uint32_t milliseconds);
    /* A line of the run's log, as the child's stream or the engine's own (stream 0). Lines of
     * children are logged by the host; this is for what the backend itself has to say. */
    void (*log)(void* ctx, int32_t stream, pc_str text);
    void (*session)(void* ctx, pc_str json, pc_str display_id);
    void (*usage)(void* ctx, const pc_usage* usage);
    void (*handle)(void* ctx, pc_str bytes);
    void (*result)(void* ctx, const pc_result* result);
} pc_actions;

typedef struct pc_agent {
    uint32_t struct_size;
    uint32_t reserved;
    /* JSON: {"adapterTypes":[{"type":…,"label":…,"capabilities":{…}}]}. [control] */
    pc_status (*describe)(const pc_writer* out, pc_error* error);
    /* JSON Schema of an adapter type's configuration. [control] */
    pc_status (*config_schema)(pc_str adapter_type, const pc_writer* out, pc_error* error);
    /* Makes the state of one run. [control] */
    pc_status (*open)(const pc_request* request, pc_run** run, pc_error* error);
    /* Total; after it nothing of the run is used. [control] */
    void (*close)(pc_run* run);
    /* One input, any number of actions. Calls for one run never overlap. An answer other than PC_OK
     * ends the run with PC_CLASS_INTERNAL. [run] */
    pc_status (*step)(pc_run* run, const pc_input* input, const pc_actions* actions);
} pc_agent;

#ifdef __cplusplus
}
#endif

#endif
