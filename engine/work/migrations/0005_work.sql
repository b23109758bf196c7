create table goal (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    title text not null,
    description text,
    level text not null,
    status text not null,
    parent_id text references goal (id),
    owner_agent_id text references agent (id),
    target_date text,
    created_at integer not null,
    updated_at integer not null
) strict;
create index goal_by_company on goal (company_id, created_at);
create index goal_by_parent on goal (parent_id) where parent_id is not null;
create index goal_default on goal (company_id, status, created_at)
    where level = 'company' and status in ('active', 'planned');

create table project (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    url_key text not null,
    name text not null,
    description text,
    status text not null,
    lead_agent_id text references agent (id),
    target_date text,
    color text,
    icon text,
    env text,
    pause_reason text,
    paused_at integer,
    execution_workspace_policy text,
    archived_at integer,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index project_url_key on project (company_id, url_key);

create table project_goal (
    project_id text not null references project (id) on delete cascade,
    goal_id text not null references goal (id) on delete cascade,
    position integer not null,
    primary key (project_id, goal_id)
) strict, without rowid;

create table project_workspace (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    project_id text not null references project (id) on delete cascade,
    name text not null,
    source_type text not null,
    cwd text,
    repo_url text,
    repo_ref text,
    default_ref text,
    visibility text not null,
    setup_command text,
    cleanup_command text,
    remote_provider text,
    remote_workspace_ref text,
    shared_workspace_key text,
    metadata text,
    runtime_config text,
    is_primary integer not null,
    created_at integer not null,
    updated_at integer not null
) strict;
create index project_workspace_by_project on project_workspace (project_id, created_at);

-- The lease is the one lock of an issue: the live run that works on it. It ends in the unit that ends
-- the run. lease_epoch grows with each holder.
create table issue (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    project_id text references project (id),
    project_workspace_id text,
    goal_id text references goal (id),
    parent_id text references issue (id),
    title text not null,
    description text,
    status text not null,
    status_version integer not null default 0,
    work_mode text not null,
    priority text not null,
    assignee_agent_id text references agent (id),
    assignee_user_id text,
    created_by_agent_id text,
    created_by_user_id text,
    responsible_user_id text,
    issue_number integer,
    identifier text,
    origin_kind text not null,
    origin_id text,
    origin_run_id text,
    origin_fingerprint text not null,
    request_depth integer not null,
    billing_code text,
    assignee_adapter_overrides text,
    execution_policy text,
    execution_state text,
    execution_workspace_id text,
    execution_workspace_preference text,
    execution_workspace_settings text,
    started_at integer,
    completed_at integer,
    cancelled_at integer,
    hidden_at integer,
    lease_run_id text,
    lease_epoch integer not null default 0,
    lease_at integer,
    lease_checked_out integer not null default 0,
    row_version integer not null default 0,
    created_at integer not null,
    updated_at integer not null
) strict;
create unique index issue_identifier on issue (identifier);
create index issue_by_company on issue (company_id, created_at);
create index issue_by_update on issue (company_id, updated_at);
create index issue_by_status on issue (company_id, status, created_at);
create index issue_by_assignee on issue (assignee_agent_id, status) where assignee_agent_id is not null;
create index issue_by_project on issue (project_id, created_at) where project_id is not null;
create index issue_by_goal on issue (goal_id) where goal_id is not null;
create index issue_by_parent on issue (parent_id) where parent_id is not null;
create index issue_by_lease on issue (lease_run_id) where lease_run_id is not null;

create table issue_blocker (
    issue_id text not null references issue (id) on delete cascade,
    blocker_id text not null references issue (id) on delete cascade,
    created_at integer not null,
    primary key (issue_id, blocker_id)
) strict, without rowid;
create index issue_blocker_by_blocker on issue_blocker (blocker_id);

-- Kept for a week: the same key makes the same issue.
create table issue_idempotency (
    company_id text not null references company (id) on delete cascade,
    key text not null,
    issue_id text not null references issue (id) on delete cascade,
    created_at integer not null,
    primary key (company_id, key)
) strict, without rowid;

create table issue_comment (
    id text primary key,
    company_id text not null references company (id) on delete cascade,
    issue_id text not null references issue (id) on delete cascade,
    author_type text not null,
    author_agent_id text,
    author_user_id text,
    created_by_run_id text,
    body text not null,
    presentation text,
    metadata text,
    deleted_at integer,
    deleted_by_type text,
    deleted_by_agent_id text,
    deleted_by_user_id text,
    deleted_by_run_id text,
    created_at integer not null,
    updated_at integer not null
) strict;
create index issue_comment_by_issue on issue_comment (issue_id, created_at, id);
create index issue_comment_by_run on issue_comment (created_by_run_id) where created_by_run_id is not null;
