create table agent (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    name text not null,
    url_key text not null,
    role text not null,
    title text,
    icon text,
    status text not null,
    reports_to text references agent (id),
    capabilities text,
    adapter_type text not null,
    adapter_config text not null,
    runtime_config text not null,
    default_environment_id text,
    budget_monthly integer not null,
    pause_reason text,
    paused_at integer,
    error_reason text,
    permissions text not null,
    last_heartbeat_at integer,
    metadata text,
    live_runs integer not null default 0,
    failures_in_a_row integer not null default 0,
    last_error_code text,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index agent_url_key on agent (company_id, url_key) where status <> 'terminated';
create index agent_by_company on agent (company_id, created_at);
create index agent_by_manager on agent (reports_to) where reports_to is not null;
