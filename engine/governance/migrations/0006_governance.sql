-- A limit on what a scope may spend. window_kind 'run' bounds each run, 'month' the calendar month in
-- the company's time zone. Amounts are millionths of a dollar.
create table budget_policy (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    scope_type text not null,
    scope_id text not null,
    window_kind text not null,
    amount integer not null,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index budget_policy_scope on budget_policy (scope_id, scope_type, window_kind);
create index budget_policy_by_company on budget_policy (company_id);

-- What a policy's window has seen. Work is admitted only while spent + reserved stays within the
-- policy's amount; what is reported afterwards is charged whatever it comes to.
create table budget_window (
    policy_id text not null references budget_policy (id) on delete cascade,
    window_start integer not null,
    spent integer not null default 0,
    reserved integer not null default 0,
    primary key (policy_id, window_start)
) strict, without rowid;

-- Sums of cost_event by month; agent_id '' is the company.
create table spend (
    company_id text not null references company (id) on delete cascade,
    agent_id text not null,
    month integer not null,
    spent integer not null default 0,
    input_tokens integer not null default 0,
    cached_input_tokens integer not null default 0,
    output_tokens integer not null default 0,
    primary key (company_id, month, agent_id)
) strict, without rowid;

create table cost_event (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    agent_id text not null,
    issue_id text,
    project_id text,
    goal_id text,
    heartbeat_run_id text,
    billing_code text,
    provider text not null,
    biller text not null,
    billing_type text not null,
    cost_status text not null,
    model text not null,
    input_tokens integer not null,
    cached_input_tokens integer not null,
    output_tokens integer not null,
    cost integer not null,
    occurred_at integer not null,
    created_at integer not null
) strict;
create index cost_event_by_company on cost_event (company_id, occurred_at);
create index cost_event_by_run on cost_event (heartbeat_run_id) where heartbeat_run_id is not null;
