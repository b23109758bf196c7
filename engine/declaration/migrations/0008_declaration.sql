-- A company that was declared: what was applied last.
create table declaration (
    company_id text primary key references company (id) on delete cascade,
    slug text not null unique,
    revision integer not null,
    document text not null,
    document_hash text not null,
    applied_at integer not null,
    applied_by text not null
) strict;

-- What a declaration has made or adopted: which object a key stands for, and the value that each
-- declared field had when it was applied (a JSON object). The third side of every later comparison.
create table declared_object (
    company_id text not null references company (id) on delete cascade,
    kind text not null,
    slug text not null,
    object_id text not null,
    fields text not null,
    primary key (company_id, kind, slug)
) strict, without rowid;
create unique index declared_object_by_id on declared_object (object_id, kind);
