-- name: journal.append
insert into journal (company_id, record_id, type, at, actor_type, actor_id, action, entity_type,
                     entity_id, agent_id, run_id, responsible_user_id, details)
values (:company_id, :record_id, :type, :at, :actor_type, :actor_id, :action, :entity_type,
        :entity_id, :agent_id, :run_id, :responsible_user_id, :details)

-- The numbering of at most :limit records; what it returns is in no particular order.
-- name: journal.number
update journal set seq = numbered.seq
from (select pending.id,
             (select coalesce(max(known.seq), 0) from journal known
              where known.company_id = pending.company_id and known.seq is not null)
             + row_number() over (partition by pending.company_id order by pending.id) as seq
      from (select id, company_id from journal where seq is null order by id limit :limit) pending
     ) numbered
where journal.id = numbered.id
returning journal.company_id, journal.seq, journal.record_id, journal.type, journal.at,
          journal.actor_type, journal.actor_id, journal.action, journal.entity_type,
          journal.entity_id, journal.agent_id, journal.run_id, journal.responsible_user_id,
          journal.details

-- name: journal.after
select {Record} from journal
where company_id = :company_id and seq > :seq order by seq limit :limit

-- name: journal.span
select coalesce(min(seq), 0), coalesce(max(seq), 0) from journal
where company_id = :company_id and seq is not null

-- Where each company that has records stands, for one consumer. Goes from company to company, not
-- through all their records.
-- name: journal.positions
with recursive known (company_id) as (
    select min(company_id) from journal where seq is not null
    union all
    select (select min(company_id) from journal
            where company_id > known.company_id and seq is not null)
    from known where known.company_id is not null
)
select known.company_id, coalesce(cursor.seq, 0),
       (select max(seq) from journal where company_id = known.company_id and seq is not null)
from known
left join journal_cursor cursor on cursor.company_id = known.company_id and cursor.consumer = :consumer
where known.company_id is not null

-- name: journal.save_cursor
insert into journal_cursor (consumer, company_id, seq) values (:consumer, :company_id, :seq)
on conflict (consumer, company_id) do update set seq = max(journal_cursor.seq, excluded.seq)
