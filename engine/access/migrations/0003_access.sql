-- An agent's long-lived credential. The token itself is shown once and kept nowhere.
create table agent_api_key (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    agent_id text not null,
    name text not null,
    key_hash text not null unique,
    scope text not null,
    responsible_user_id text not null,
    created_at integer not null,
    last_used_at integer,
    revoked_at integer
) strict;
create index agent_api_key_by_agent on agent_api_key (agent_id);
