-- name: run.insert
insert into heartbeat_run ({Run.columns}) values ({Run.values})

-- name: run.by_id
select {Run heartbeat_run} from heartbeat_run where id = :id

-- name: run.resolve
select id, company_id from heartbeat_run where id = :id

-- template: run.list
select {Run heartbeat_run} from heartbeat_run where company_id = :company_id {filter}
order by created_at desc, id desc limit :limit
-- part: filter.agent
and agent_id = :agent_id
-- part: filter.issue
and issue_id = :issue_id

-- Of live runs alone: `finished_at is null` is what their indexes are for.
-- name: run.all_in_status
select {Run heartbeat_run} from heartbeat_run
where status = :status and finished_at is null order by created_at, id

-- name: run.open_of_agent
select {Run heartbeat_run} from heartbeat_run
where agent_id = :agent_id and finished_at is null order by created_at, id

-- What a wake for a task joins: a run that has not begun or, when the wake is a heartbeat, one at work.
-- name: run.joined_by
select {Run heartbeat_run} from heartbeat_run
where agent_id = :agent_id and finished_at is null
  and coalesce(task_key, '') = coalesce(:task_key, '')
  and (status in ('queued', 'scheduled_retry') or (status = 'running' and :is_heartbeat = 1))
order by status <> 'queued', created_at, id limit 1

-- name: run.last_ended_of_agent
select {Run heartbeat_run} from heartbeat_run
where agent_id = :agent_id and finished_at is not null order by created_at desc, id desc limit 1

-- name: run.open_of_issue
select {Run heartbeat_run} from heartbeat_run
where issue_id = :issue_id and finished_at is null order by created_at, id

-- What the agent should do next: work in progress first, then ready issues, then wakes without an
-- issue, blocked ones last; by priority, then by age.
-- name: run.next_queued
select {Run r} from heartbeat_run r left join issue i on i.id = r.issue_id
where r.agent_id = :agent_id and r.status = 'queued' and r.finished_at is null
order by case when r.issue_id is null then 2
              when exists (select 1 from issue_blocker b join issue open on open.id = b.blocker_id
                           where b.issue_id = r.issue_id and open.status <> 'done') then 3
              when i.status = 'in_progress' then 0 else 1 end,
         case i.priority when 'critical' then 0 when 'high' then 1 when 'medium' then 2 when 'low' then 3 else 2 end,
         r.created_at, r.id
limit 1

-- name: run.agents_with_queued
select distinct agent_id from heartbeat_run where status = 'queued' and finished_at is null

-- Two wakes become one run while it has not begun.
-- name: run.merge
update heartbeat_run set context_snapshot = :context, updated_at = :now
where id = :id and status = :status

-- name: run.claim
update heartbeat_run set status = 'running', started_at = :now, updated_at = :now,
    reserved = :reserved, reserved_month = :reserved_month, cost_cap = :cost_cap,
    log_store = 'local_file', log_ref = :log_ref, session_id_before = :session_id_before
where id = :id and status = 'queued' returning {Run}

-- The run has never begun, so it may begin again.
-- name: run.requeue
update heartbeat_run set status = 'queued', started_at = null, process_pid = null,
    process_group_id = null, process_started_at = null, process_start_ticks = null,
    process_boot_id = null, reserved = 0, reserved_month = 0, cost_cap = null, updated_at = :now
where id = :id and status = 'running'

-- Before the program is executed: a run that was ended meanwhile gets none.
-- name: run.store_process
update heartbeat_run set process_pid = :pid, process_group_id = :pid, process_started_at = :now,
    process_start_ticks = :start_ticks, process_boot_id = :boot_id, updated_at = :now
where id = :id and status = 'running'

-- name: run.extend_reservation
update heartbeat_run set reserved = reserved + :amount where id = :id and status = 'running'

-- The first who ends a run decides how it ended.
-- name: run.finish
update heartbeat_run set status = :status, finished_at = :now, updated_at = :now, error = :error,
    error_code = :error_code, exit_code = :exit_code, signal = :signal, usage_json = :usage_json,
    result_json = :result_json, session_id_after = :session_id_after, log_bytes = :log_bytes,
    log_sha256 = :log_sha256, stdout_excerpt = :stdout_excerpt, stderr_excerpt = :stderr_excerpt,
    last_output_at = :last_output_at, last_output_seq = :last_output_seq,
    last_output_stream = :last_output_stream, last_output_bytes = :last_output_bytes,
    liveness_state = :liveness_state, liveness_reason = :liveness_reason, cost = :cost,
    input_tokens = :input_tokens, cached_input_tokens = :cached_input_tokens,
    output_tokens = :output_tokens
where id = :id and status = 'running' returning {Run}

-- name: run.cancel_waiting
update heartbeat_run set status = 'cancelled', finished_at = :now, updated_at = :now,
    error = :error, error_code = :error_code
where id = :id and status in ('queued', 'scheduled_retry') returning {Run}

-- name: run.cancel_waiting_of_agent
update heartbeat_run set status = 'cancelled', finished_at = :now, updated_at = :now,
    error = :error, error_code = :error_code
where agent_id = :agent_id and finished_at is null and status in ('queued', 'scheduled_retry')
returning coalesce(issue_id, '')

-- name: run.promote_retry
update heartbeat_run set status = 'queued', updated_at = :now
where id = :id and status = 'scheduled_retry' and scheduled_retry_at <= :now returning {Run}

-- name: run.comment_by_run
select 1 from issue_comment where created_by_run_id = :run_id limit 1

-- name: run.event
insert into heartbeat_run_event (company_id, run_id, agent_id, seq, event_type, stream, level, message, payload, created_at)
select :company_id, :run_id, :agent_id,
       1 + (select coalesce(max(seq), 0) from heartbeat_run_event known where known.run_id = :run_id),
       :event_type, 'system', :level, :message, :payload, :now

-- name: run.events
select {RunEvent} from heartbeat_run_event where run_id = :run_id and seq > :after order by seq limit :limit

-- name: wakeup.insert
insert into wakeup_request (id, company_id, agent_id, source, trigger_detail, reason, payload,
    context, status, skip_reason, turned_away, run_id, issue_id, requested_by_type,
    requested_by_id, idempotency_key, cause_seq, repeat_of, coalesced_count, created_at, updated_at)
values (:id, :company_id, :agent_id, :source, :trigger_detail, :reason, :payload, :context, :status,
    :skip_reason, :turned_away, :run_id, :issue_id, :requested_by_type, :requested_by_id, :idempotency_key,
    :cause_seq, :repeat_of, :coalesced_count, :now, :now)

-- name: wakeup.known_cause
select 1 from wakeup_request where company_id = :company_id and cause_seq = :cause_seq and agent_id = :agent_id

-- name: wakeup.known_repeat
select 1 from wakeup_request where repeat_of = :id

-- The run that an earlier wish of that name became.
-- name: wakeup.by_idempotency_key
select coalesce(run_id, ''), coalesce(skip_reason, '') from wakeup_request
where agent_id = :agent_id and idempotency_key = :key

-- name: wakeup.set_status_of_run
update wakeup_request set status = :status, updated_at = :now,
    turned_away = (:turned_away = 1 and source <> 'timer')
where run_id = :run_id and status in ('queued', 'claimed')

-- After the steps that charge: what a budget cut off is repeated once the scope that it paused goes on.
-- name: wakeup.cut_off_by_budget
update wakeup_request set turned_away = 1
where run_id = :run_id and status = 'cancelled' and source <> 'timer'
  and (exists (select 1 from agent where agent.id = wakeup_request.agent_id and agent.pause_reason = 'budget')
       or exists (select 1 from company where company.id = wakeup_request.company_id
                    and company.pause_reason = 'budget'))

-- Those whose agents can run now.
-- name: wakeup.turned_away
select w.id, w.agent_id, w.source, coalesce(w.trigger_detail, ''), coalesce(w.reason, ''), w.payload,
    coalesce(r.context_snapshot, w.context)
from wakeup_request w join agent a on a.id = w.agent_id join company c on c.id = w.company_id
left join heartbeat_run r on r.id = w.run_id
where w.company_id = :company_id and w.turned_away = 1 and c.status = 'active'
  and a.status in ('active', 'idle', 'running', 'error')
order by w.created_at, w.id

-- name: wakeup.repeated
update wakeup_request set turned_away = 0, updated_at = :now where id = :id

-- name: wakeup.deferred_of_issue
select id, agent_id, source, coalesce(trigger_detail, ''), coalesce(reason, ''), payload, context
from wakeup_request where issue_id = :issue_id and status = 'deferred_issue_execution'
order by created_at, id limit 1

-- name: wakeup.issues_with_deferred
select distinct issue_id from wakeup_request where status = 'deferred_issue_execution'

-- name: wakeup.defer_again
update wakeup_request set context = :context, coalesced_count = coalesced_count + 1, updated_at = :now
where issue_id = :issue_id and agent_id = :agent_id and status = 'deferred_issue_execution'

-- name: wakeup.deferred_context
select context from wakeup_request
where issue_id = :issue_id and agent_id = :agent_id and status = 'deferred_issue_execution'

-- A deferred wish has its turn, if nothing was added to it meanwhile.
-- name: wakeup.resolve_deferred
update wakeup_request set status = :status, run_id = :run_id, turned_away = :turned_away, updated_at = :now
where id = :id and status = 'deferred_issue_execution' and context = :context

-- name: runtime_state.add_run
insert into agent_runtime_state (agent_id, company_id, adapter_type, last_run_id, last_run_status,
    total_input_tokens, total_output_tokens, total_cached_input_tokens, total_cost, last_error,
    created_at, updated_at)
values (:agent_id, :company_id, :adapter_type, :run_id, :status, :input_tokens, :output_tokens,
    :cached_input_tokens, :cost, :error, :now, :now)
on conflict (agent_id) do update set adapter_type = excluded.adapter_type,
    last_run_id = excluded.last_run_id, last_run_status = excluded.last_run_status,
    total_input_tokens = total_input_tokens + excluded.total_input_tokens,
    total_output_tokens = total_output_tokens + excluded.total_output_tokens,
    total_cached_input_tokens = total_cached_input_tokens + excluded.total_cached_input_tokens,
    total_cost = total_cost + excluded.total_cost, last_error = excluded.last_error,
    updated_at = excluded.updated_at

-- name: runtime_state.by_agent
select {RuntimeState} from agent_runtime_state where agent_id = :agent_id

-- name: session.find
select coalesce(session_params_json, ''), coalesce(session_display_id, '') from agent_task_session
where agent_id = :agent_id and adapter_type = :adapter_type and task_key = :task_key

-- name: session.save
insert into agent_task_session (id, company_id, agent_id, adapter_type, task_key,
    session_params_json, session_display_id, last_run_id, created_at, updated_at)
values (:id, :company_id, :agent_id, :adapter_type, :task_key, :params, :display_id, :run_id, :now, :now)
on conflict (agent_id, adapter_type, task_key) do update set
    session_params_json = excluded.session_params_json,
    session_display_id = excluded.session_display_id, last_run_id = excluded.last_run_id,
    last_error = null, updated_at = excluded.updated_at

-- name: session.drop
delete from agent_task_session
where agent_id = :agent_id and adapter_type = :adapter_type and task_key = :task_key

-- name: session.drop_all
delete from agent_task_session where agent_id = :agent_id

-- name: session.drop_of_task
delete from agent_task_session where agent_id = :agent_id and task_key = :task_key

-- name: session.of_agent
select {TaskSession} from agent_task_session where agent_id = :agent_id order by updated_at desc

-- What goes on in a company, newest first, and below it the last finished runs up to :min_count.
-- name: run.with_agent
with live as (
    select id from heartbeat_run
    where company_id = :company_id and finished_at is null and status in ('queued', 'running')
), last as (
    select id from heartbeat_run where company_id = :company_id and finished_at is not null
    order by finished_at desc limit max(0, :min_count - (select count(*) from live))
)
select a.name, a.adapter_type, {Run r} from heartbeat_run r join agent a on a.id = r.agent_id
where r.id in (select id from live union all select id from last)
order by r.finished_at is null desc, r.created_at desc, r.id desc limit :limit

-- name: run.with_agent_of_issue
select a.name, a.adapter_type, {Run r} from heartbeat_run r join agent a on a.id = r.agent_id
where r.issue_id = :issue_id and r.finished_at is null and r.status in ('queued', 'running')
order by r.created_at desc, r.id desc

-- The issues that a run was for, or did something to.
-- name: run.issues
select {Issue} from issue
where issue.id = (select issue_id from heartbeat_run where id = :id)
   or issue.id in (select entity_id from journal where run_id = :id and entity_type = 'issue')
order by issue.created_at, issue.id

-- name: run.of_issue
select a.adapter_type, {Run r} from heartbeat_run r join agent a on a.id = r.agent_id
where r.issue_id = :issue_id
   or r.id in (select run_id from journal where entity_id = :issue_id and entity_type = 'issue'
               and type = 'activity.logged' and run_id is not null)
order by r.created_at desc, r.id desc limit 200

-- name: scheduler.heartbeats
select a.id, a.company_id, c.name, c.issue_prefix, a.name, a.url_key, a.role, a.title, a.status,
       a.adapter_type, a.runtime_config, a.last_heartbeat_at
from agent a join company c on c.id = a.company_id
where a.status <> 'terminated' order by c.name, a.name, a.id

-- What makes a queued run a retry of another.
-- name: run.set_retry
update heartbeat_run set status = :status, process_loss_retry_count = :process_loss_retry_count,
    scheduled_retry_at = :scheduled_retry_at, scheduled_retry_attempt = :scheduled_retry_attempt,
    scheduled_retry_reason = :scheduled_retry_reason
where id = :id

-- name: run.is_running
select 1 from heartbeat_run where id = :id and status = 'running'

-- name: run.agents_with_queued_of_company
select distinct agent_id from heartbeat_run
where company_id = :company_id and status = 'queued' and finished_at is null
