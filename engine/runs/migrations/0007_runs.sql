-- A wish that an agent should run. Each ends as a run, or says why not.
create table wakeup_request (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    agent_id text not null references agent (id) on delete cascade,
    source text not null,
    trigger_detail text,
    reason text,
    payload text not null,
    context text not null,
    status text not null,
    skip_reason text,
    turned_away integer not null default 0,
    coalesced_count integer not null default 0,
    run_id text,
    issue_id text,
    requested_by_type text not null,
    requested_by_id text not null,
    idempotency_key text,
    cause_seq integer,
    repeat_of text,
    created_at integer not null,
    updated_at integer not null
) strict;
-- A record of the journal wakes an agent once, however often it is read.
create unique index wakeup_cause on wakeup_request (company_id, cause_seq, agent_id) where cause_seq is not null;
-- So does a wish that names itself.
create unique index wakeup_idempotency on wakeup_request (agent_id, idempotency_key) where idempotency_key is not null;
create index wakeup_deferred on wakeup_request (issue_id, created_at) where status = 'deferred_issue_execution';
-- What was turned away is wished again once.
create unique index wakeup_repeat on wakeup_request (repeat_of) where repeat_of is not null;
create index wakeup_turned_away on wakeup_request (company_id, created_at) where turned_away = 1;
create index wakeup_by_run on wakeup_request (run_id) where run_id is not null;

create table heartbeat_run (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    agent_id text not null references agent (id) on delete cascade,
    invocation_source text not null,
    trigger_detail text,
    status text not null,
    responsible_user_id text,
    started_at integer,
    finished_at integer,
    error text,
    error_code text,
    wakeup_request_id text,
    exit_code integer,
    signal text,
    usage_json text,
    result_json text,
    session_id_before text,
    session_id_after text,
    log_store text,
    log_ref text,
    log_bytes integer,
    log_sha256 text,
    stdout_excerpt text,
    stderr_excerpt text,
    external_run_id text,
    process_pid integer,
    process_group_id integer,
    process_started_at integer,
    process_start_ticks integer,
    process_boot_id text,
    last_output_at integer,
    last_output_seq integer not null default 0,
    last_output_stream text,
    last_output_bytes integer,
    retry_of_run_id text,
    process_loss_retry_count integer not null default 0,
    scheduled_retry_at integer,
    scheduled_retry_attempt integer not null default 0,
    scheduled_retry_reason text,
    liveness_state text,
    liveness_reason text,
    last_useful_action_at integer,
    next_action text,
    context_snapshot text not null,
    task_key text,
    issue_id text,
    reserved integer not null default 0,
    reserved_month integer not null default 0,
    cost_cap integer,
    cost integer not null default 0,
    input_tokens integer not null default 0,
    cached_input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    created_at integer not null,
    updated_at integer not null
) strict;
create index run_by_company on heartbeat_run (company_id, created_at);
create index run_by_agent on heartbeat_run (agent_id, created_at);
-- A run without an end is live. There are few of them among all that ever were.
create index run_live_of_agent on heartbeat_run (agent_id, created_at, id) where finished_at is null;
create index run_live_of_company on heartbeat_run (company_id, created_at, id) where finished_at is null;
create index run_live_of_issue on heartbeat_run (issue_id, created_at, id)
    where finished_at is null and issue_id is not null;
create index run_by_issue on heartbeat_run (issue_id, created_at) where issue_id is not null;
create index run_by_end on heartbeat_run (company_id, finished_at) where finished_at is not null;

create table heartbeat_run_event (
    id integer primary key,
    company_id text not null,
    run_id text not null references heartbeat_run (id) on delete cascade,
    agent_id text not null,
    seq integer not null,
    event_type text not null,
    stream text,
    level text,
    color text,
    message text,
    payload text,
    created_at integer not null
) strict;
create unique index run_event_by_run on heartbeat_run_event (run_id, seq);

create table agent_runtime_state (
    agent_id text primary key references agent (id) on delete cascade,
    company_id text not null,
    adapter_type text not null,
    last_run_id text,
    last_run_status text,
    total_input_tokens integer not null default 0,
    total_output_tokens integer not null default 0,
    total_cached_input_tokens integer not null default 0,
    total_cost integer not null default 0,
    last_error text,
    created_at integer not null,
    updated_at integer not null
) strict, without rowid;

-- The session of an agent's tool, by task.
create table agent_task_session (
    id text primary key,
    company_id text not null,
    agent_id text not null references agent (id) on delete cascade,
    adapter_type text not null,
    task_key text not null,
    session_params_json text,
    session_display_id text,
    last_run_id text,
    last_error text,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index agent_task_session_key on agent_task_session (agent_id, adapter_type, task_key);
