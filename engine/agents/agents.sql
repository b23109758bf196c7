-- name: agent.insert
insert into agent ({Agent.columns}) values ({Agent.values})

-- name: agent.by_id
select {Agent} from agent where id = :id

-- name: agent.by_url_key
select {Agent} from agent where company_id = :company_id and url_key = :url_key and status <> 'terminated'

-- Terminated ones too: the org chart needs them.
-- name: agent.of_company
select {Agent} from agent where company_id = :company_id order by created_at, id

-- name: agent.resolve
select id, company_id from agent where id = :id

-- name: agent.resolve_url_key
select id, company_id from agent where company_id = :company_id and url_key = :url_key and status <> 'terminated'

-- The guard is the configuration that a merged one was made from.
-- template: agent.patch
update agent set {set} where id = :id and status <> 'terminated' {guard} returning {Agent}
-- part: guard.config
and adapter_config = :seen_config

-- Changes nothing; its guard is that nobody is above themselves, after the steps before it.
-- name: agent.is_in_chart
update agent set reports_to = reports_to where id = :id and not exists (
    with recursive above (id) as (
        select reports_to from agent where id = :id
        union
        select agent.reports_to from above join agent on agent.id = above.id
    )
    select 1 from above where id = :id
)

-- name: agent.pause
update agent set status = 'paused', pause_reason = :reason, paused_at = :now, updated_at = :now
where id = :id and status not in ('terminated', 'pending_approval', 'paused') returning {Agent}

-- name: agent.resume
update agent set status = case when live_runs > 0 then 'running' else 'idle' end, pause_reason = null,
    paused_at = null, error_reason = null, failures_in_a_row = 0, updated_at = :now
where id = :id and status = 'paused' returning {Agent}

-- name: agent.clear_error
update agent set status = 'idle', error_reason = null, failures_in_a_row = 0, updated_at = :now
where id = :id and status = 'error' returning {Agent}

-- name: agent.terminate
update agent set status = 'terminated', updated_at = :now
where id = :id and status <> 'terminated' returning {Agent}

-- One more live run of the agent, if it may run and its own limit allows it.
-- name: agent.run_started
update agent set live_runs = live_runs + 1, status = 'running', updated_at = :now
where id = :id and live_runs < :max_concurrent_runs
  and status in ('active', 'idle', 'running', 'error')

-- One live run fewer. Paused and terminated stay what they are.
-- name: agent.run_ended
update agent set live_runs = live_runs - 1, last_heartbeat_at = :now, updated_at = :now,
    status = case when status not in ('active', 'idle', 'running', 'error') then status
                  when live_runs > 1 then 'running'
                  when :failed = 1 then 'error' else 'idle' end,
    error_reason = case when :failed = 1 then :error_reason else null end,
    failures_in_a_row = case when :failed = 0 then 0
                             when last_error_code is :error_code then failures_in_a_row + 1
                             else 1 end,
    last_error_code = case when :failed = 1 then :error_code else null end
where id = :id

-- A run was taken back before it began.
-- name: agent.run_withdrawn
update agent set live_runs = live_runs - 1, updated_at = :now,
    status = case when status = 'running' and live_runs = 1 then 'idle' else status end
where id = :id

-- Everybody whom the clock may wake.
-- name: agent.scheduled
select a.id, a.company_id, a.runtime_config, a.created_at, a.last_heartbeat_at, c.timezone
from agent a join company c on c.id = a.company_id
where a.status in ('active', 'idle', 'running', 'error') and c.status = 'active'

-- name: agent.scheduled_one
select a.id, a.company_id, a.runtime_config, a.created_at, a.last_heartbeat_at, c.timezone
from agent a join company c on c.id = a.company_id
where a.id = :id and a.status in ('active', 'idle', 'running', 'error') and c.status = 'active'

-- name: agent.ids_of_company
select id from agent where company_id = :company_id

-- name: agent.pause_over_budget
update agent set status = 'paused', pause_reason = 'budget', paused_at = :now, updated_at = :now
where id = :id and status in ('active', 'idle', 'running', 'error')
  and exists (select 1 from budget_policy p join budget_window w on w.policy_id = p.id
              where p.scope_type = 'agent' and p.scope_id = agent.id and p.window_kind = 'month'
                and w.window_start = :month and w.spent >= p.amount)

-- name: agent.resume_within_budget
update agent set status = case when live_runs > 0 then 'running' else 'idle' end,
    pause_reason = null, paused_at = null, updated_at = :now
where id = :id and status = 'paused' and pause_reason = 'budget'
  and not exists (select 1 from budget_policy p join budget_window w on w.policy_id = p.id
                  where p.scope_type = 'agent' and p.scope_id = agent.id and p.window_kind = 'month'
                    and w.window_start = :month and w.spent >= p.amount)

-- name: agent.pause_on_failures
update agent set status = 'paused', pause_reason = 'system', paused_at = :now, updated_at = :now
where id = :id and status = 'error' and (failures_in_a_row >= :limit or :permanent = 1)

-- name: agent.near
select {Agent} from agent where id = :manager
union all
select * from (select {Agent} from agent
               where reports_to = :id and company_id = :company_id and status <> 'terminated' limit 20)
union all
select * from (select {Agent} from agent
               where reports_to = :manager and id <> :id and company_id = :company_id
                 and status <> 'terminated' limit 20)
