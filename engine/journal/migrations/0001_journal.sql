-- What happened, one row a record. A record is written in the unit of the change it tells of, without
-- a number; the relay then numbers the committed ones of each company 1, 2, 3, …
create table journal (
    id integer primary key,
    company_id text not null,
    seq integer,
    record_id text not null,
    type text not null,
    at integer not null,
    actor_type text not null,
    actor_id text not null,
    action text not null default '',
    entity_type text not null default '',
    entity_id text not null default '',
    agent_id text,
    run_id text,
    responsible_user_id text,
    details text
) strict;
create unique index journal_by_seq on journal (company_id, seq) where seq is not null;
create index journal_unnumbered on journal (id) where seq is null;
create index journal_by_entity on journal (entity_id, entity_type, id) where type = 'activity.logged';
create index journal_by_agent on journal (company_id, agent_id, id)
    where type = 'activity.logged' and agent_id is not null;
create index journal_by_run on journal (run_id, entity_type, entity_id) where run_id is not null;
create index journal_activity on journal (company_id, id) where type = 'activity.logged';

-- Up to where each consumer has worked through each company's records.
create table journal_cursor (
    consumer text not null,
    company_id text not null,
    seq integer not null,
    primary key (consumer, company_id)
) strict, without rowid;
