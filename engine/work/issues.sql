-- With the number that company.next_issue_number gave in the same unit.
-- name: issue.insert
insert into issue ({Issue.columns but issue_number identifier}, issue_number, identifier)
select {Issue.values but issue_number identifier}, issue_counter, issue_prefix || '-' || issue_counter
from company where id = :company_id

-- name: issue.number
select issue_number, identifier from issue where id = :id

-- name: issue.by_id
select {Issue issue} from issue where id = :id

-- name: issue.resolve
select id, company_id from issue where id = :id

-- name: issue.resolve_identifier
select id, company_id from issue where identifier = :identifier

-- name: issue.by_idempotency_key
select {Issue issue} from issue_idempotency known join issue on issue.id = known.issue_id
where known.company_id = :company_id and known.key = :key and known.created_at > :since

-- name: issue.remember_key
insert into issue_idempotency (company_id, key, issue_id, created_at)
values (:company_id, :key, :issue_id, :created_at)
on conflict (company_id, key) do update set issue_id = excluded.issue_id, created_at = excluded.created_at
where issue_idempotency.created_at <= :since

-- name: issue.forget_keys
delete from issue_idempotency where company_id = :company_id and created_at <= :since

-- What an agent just opened under the same title it need not open again.
-- name: issue.recent_with_title
select {Issue issue} from issue
where company_id = :company_id and created_by_agent_id = :agent_id and created_at > :since
  and lower(trim(title)) = lower(trim(:title)) and parent_id is :parent_id
  and status not in ('done', 'cancelled')
order by created_at desc limit 1

-- template: issue.list
select {Issue issue} from issue
where issue.company_id = :company_id and issue.hidden_at is null {filter}
{order} limit :limit offset :offset
-- part: filter.status
and issue.status in (:status...)
-- part: filter.assignee
and issue.assignee_agent_id = :assignee
-- part: filter.unassigned
and issue.assignee_agent_id is null
-- part: filter.assignee_user
and issue.assignee_user_id = :assignee_user
-- part: filter.project
and issue.project_id = :project
-- part: filter.goal
and issue.goal_id = :goal
-- part: filter.parent
and issue.parent_id = :parent
-- part: filter.text
and (issue.title like :text escape '\' or issue.identifier like :text escape '\' or issue.description like :text escape '\')
-- part: order.created
order by issue.created_at desc, issue.id desc
-- part: order.updated_desc
order by issue.updated_at desc, issue.id desc
-- part: order.updated_asc
order by issue.updated_at asc, issue.id asc

-- What changed of an issue. The guard is the version that the change was decided on.
-- template: issue.patch
update issue set {set} {lease} where id = :id {guard} returning {Issue issue}
-- part: guard.version
and row_version = :seen_version
-- part: lease.end
, lease_run_id = null, lease_at = null, lease_checked_out = 0

-- Changes nothing; its guard is that the issue is not below itself, after the steps before it.
-- name: issue.is_in_tree
update issue set parent_id = parent_id where id = :id and not exists (
    with recursive above (id) as (
        select parent_id from issue where id = :id
        union
        select issue.parent_id from above join issue on issue.id = above.id
    )
    select 1 from above where id = :id
)

-- name: issue.delete
delete from issue where id = :id and not exists (select 1 from issue child where child.parent_id = :id)

-- name: issue.add_blocker
insert into issue_blocker (issue_id, blocker_id, created_at)
select :issue_id, blocker.id, :now from issue blocker
where blocker.id = :blocker_id and blocker.company_id = :company_id and not exists (
    with recursive waits (id) as (
        select :blocker_id
        union
        select issue_blocker.blocker_id from waits join issue_blocker on issue_blocker.issue_id = waits.id
    )
    select 1 from waits where id = :issue_id
)

-- name: issue.clear_blockers
delete from issue_blocker where issue_id = :issue_id

-- name: issue.blocked_by
select {IssueLink issue} from issue_blocker link join issue on issue.id = link.blocker_id
where link.issue_id = :id order by issue.created_at

-- name: issue.blocks
select {IssueLink issue} from issue_blocker link join issue on issue.id = link.issue_id
where link.blocker_id = :id order by issue.created_at

-- A blocker is resolved when it is done; a cancelled one is not.
-- name: issue.unresolved_blockers
select {IssueLink issue} from issue_blocker link join issue on issue.id = link.blocker_id
where link.issue_id = :id and issue.status <> 'done' order by issue.created_at

-- Who can go on because :id is done: everything else that they waited for is done too.
-- name: issue.unblocked_by
select {Issue issue} from issue_blocker link join issue on issue.id = link.issue_id
where link.blocker_id = :id and issue.status not in ('done', 'cancelled')
  and not exists (select 1 from issue_blocker other join issue open on open.id = other.blocker_id
                  where other.issue_id = issue.id and open.status <> 'done')

-- name: issue.open_children
select count(*), sum(status not in ('done', 'cancelled')) from issue where parent_id = :id

-- From the parent upwards.
-- name: issue.ancestors
with recursive chain (id, depth) as (
    select parent_id, 1 from issue where id = :id and parent_id is not null
    union all
    select issue.parent_id, chain.depth + 1 from chain join issue on issue.id = chain.id
    where issue.parent_id is not null and chain.depth < 50
)
select {IssueLink issue} from chain join issue on issue.id = chain.id order by chain.depth

-- name: issue.inbox
select issue.id, issue.identifier, issue.title, issue.status, issue.priority, issue.project_id,
       issue.goal_id, issue.parent_id, issue.updated_at, issue.lease_run_id
from issue where issue.assignee_agent_id = :agent_id and issue.hidden_at is null
  and issue.status in ('todo', 'in_progress', 'blocked')
order by case issue.status when 'in_progress' then 0 when 'todo' then 1 else 2 end,
         case issue.priority when 'critical' then 0 when 'high' then 1 when 'medium' then 2 else 3 end,
         issue.created_at

-- Has the agent anything to do? What waits for others is nothing to do.
-- name: issue.has_work
select 1 from issue where issue.assignee_agent_id = :agent_id and issue.hidden_at is null
  and issue.status in ('todo', 'in_progress')
  and not exists (select 1 from issue_blocker link join issue open on open.id = link.blocker_id
                  where link.issue_id = issue.id and open.status <> 'done')
limit 1

-- The run that a lease is taken for must be the agent's, and live.
-- name: issue.run_is_live
select 1 from heartbeat_run where id = :run_id and agent_id = :agent_id and status = 'running'

-- Exactly one gets the issue: this row is the lock. A lease whose run has ended is no lease.
-- template: issue.checkout
update issue set assignee_agent_id = :agent_id, assignee_user_id = null,
    status_version = status_version + (status <> 'in_progress'), status = 'in_progress',
    row_version = row_version + 1, started_at = coalesce(started_at, :now),
    completed_at = null, cancelled_at = null, updated_at = :now,
    lease_run_id = :run_id, lease_epoch = lease_epoch + 1,
    lease_at = case when :run_id is null then null else :now end,
    lease_checked_out = :run_id is not null
where id = :id and status in (:statuses...)
  and (assignee_agent_id is null and assignee_user_id is null
       or assignee_agent_id = :agent_id)
  and (lease_run_id is null or lease_run_id = :run_id
       or not exists (select 1 from heartbeat_run holder
                      where holder.id = issue.lease_run_id and holder.status = 'running'))
  and not exists (select 1 from issue_blocker link join issue open on open.id = link.blocker_id
                  where link.issue_id = issue.id and open.status <> 'done')
  and not exists (select 1 from project
                  where project.id = issue.project_id and project.paused_at is not null)
returning {Issue issue}

-- The assignee's run takes up what is in progress already.
-- name: issue.adopt
update issue set lease_run_id = :run_id, lease_epoch = lease_epoch + 1, lease_at = :now,
    lease_checked_out = 1, row_version = row_version + 1, updated_at = :now
where id = :id and status = 'in_progress' and assignee_agent_id = :agent_id
  and (lease_run_id is null or lease_run_id = :run_id
       or not exists (select 1 from heartbeat_run holder
                      where holder.id = issue.lease_run_id and holder.status = 'running'))
returning {Issue issue}

-- The run that starts for an issue takes its lease if nobody has it; it checks it out later.
-- name: issue.lease_for_run
update issue set lease_run_id = :run_id, lease_epoch = lease_epoch + 1, lease_at = :now,
    lease_checked_out = 0, row_version = row_version + 1
where id = :id and assignee_agent_id = :agent_id
  and (lease_run_id is null
       or not exists (select 1 from heartbeat_run holder
                      where holder.id = issue.lease_run_id and holder.status = 'running'))

-- name: issue.release
update issue set status_version = status_version + (status <> 'todo'), status = 'todo',
    assignee_agent_id = null, assignee_user_id = null, lease_run_id = null, lease_at = null,
    lease_checked_out = 0, row_version = row_version + 1, updated_at = :now
where id = :id and row_version = :seen_version
returning {Issue issue}

-- In the unit that ends a run.
-- name: issue.end_leases_of_run
update issue set lease_run_id = null, lease_at = null, lease_checked_out = 0,
    row_version = row_version + 1
where lease_run_id = :run_id

-- name: comment.insert
insert into issue_comment ({Comment.columns}) values ({Comment.values})

-- name: comment.by_id
select {Comment} from issue_comment where id = :id and issue_id = :issue_id

-- template: comment.list
select {Comment} from issue_comment where issue_id = :issue_id {filter} {order} limit :limit
-- part: filter.after
and (created_at, id) >= (select created_at, id from issue_comment where id = :after and issue_id = :issue_id)
-- part: order.asc
order by created_at, id
-- part: order.desc
order by created_at desc, id desc

-- name: comment.delete
update issue_comment set body = '', deleted_at = :now, deleted_by_type = :type,
    deleted_by_agent_id = :agent_id, deleted_by_user_id = :user_id, deleted_by_run_id = :run_id,
    updated_at = :now
where id = :id and issue_id = :issue_id and deleted_at is null returning {Comment}

-- name: comment.position
select count(*), (select id from issue_comment where issue_id = :issue_id order by created_at desc, id desc limit 1),
       max(created_at) from issue_comment where issue_id = :issue_id

-- Agents whose name or key a text may mention.
-- name: comment.mentionable
select id, name, url_key from agent where company_id = :company_id and status <> 'terminated'
