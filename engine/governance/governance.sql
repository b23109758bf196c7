-- name: budget.set_policy
insert into budget_policy (id, company_id, scope_type, scope_id, window_kind, amount, created_at, updated_at)
values (:id, :company_id, :scope_type, :scope_id, :window_kind, :amount, :now, :now)
on conflict (scope_id, scope_type, window_kind) do update set amount = excluded.amount, updated_at = excluded.updated_at

-- name: budget.drop_policy
delete from budget_policy where scope_id = :scope_id and scope_type = :scope_type and window_kind = :window_kind

-- What bounds a run of an agent: its own policies and its company's, with the open window of each.
-- name: budget.applicable
select p.id, p.scope_type, p.window_kind, p.amount, coalesce(w.spent, 0), coalesce(w.reserved, 0)
from budget_policy p
left join budget_window w on w.policy_id = p.id and w.window_start = :month
where (p.scope_type = 'company' and p.scope_id = :company_id)
   or (p.scope_type = 'agent' and p.scope_id = :agent_id)

-- name: budget.open_windows
insert into budget_window (policy_id, window_start)
select p.id, :month from budget_policy p
where p.window_kind = 'month'
  and ((p.scope_type = 'company' and p.scope_id = :company_id)
       or (p.scope_type = 'agent' and p.scope_id = :agent_id))
on conflict do nothing

-- All windows that apply, or none: the unit expects as many rows as there are policies.
-- name: budget.reserve
update budget_window set reserved = reserved + :amount
where window_start = :month
  and policy_id in (select p.id from budget_policy p where p.window_kind = 'month'
                    and ((p.scope_type = 'company' and p.scope_id = :company_id)
                         or (p.scope_type = 'agent' and p.scope_id = :agent_id)))
  and spent + reserved + :amount <= (select p.amount from budget_policy p where p.id = policy_id)

-- Charges are never refused and never clamped. :released was reserved in the month of :reserved_month.
-- name: budget.release
update budget_window set reserved = max(0, reserved - :released)
where window_start = :reserved_month
  and policy_id in (select p.id from budget_policy p where p.window_kind = 'month'
                    and ((p.scope_type = 'company' and p.scope_id = :company_id)
                         or (p.scope_type = 'agent' and p.scope_id = :agent_id)))

-- name: budget.charge
update budget_window set spent = spent + :cost
where window_start = :month
  and policy_id in (select p.id from budget_policy p where p.window_kind = 'month'
                    and ((p.scope_type = 'company' and p.scope_id = :company_id)
                         or (p.scope_type = 'agent' and p.scope_id = :agent_id)))

-- name: budget.add_spend
insert into spend (company_id, agent_id, month, spent, input_tokens, cached_input_tokens, output_tokens)
values (:company_id, :agent_id, :month, :cost, :input_tokens, :cached_input_tokens, :output_tokens)
on conflict (company_id, month, agent_id) do update set
    spent = spent + excluded.spent,
    input_tokens = input_tokens + excluded.input_tokens,
    cached_input_tokens = cached_input_tokens + excluded.cached_input_tokens,
    output_tokens = output_tokens + excluded.output_tokens

-- Of an agent; :agent_id is empty for the company itself.
-- name: budget.spent_in_month
select spent from spend where company_id = :company_id and month = :month and agent_id = :agent_id

-- name: budget.spent_by_agents
select agent_id, spent from spend
where company_id = :company_id and month = :month and agent_id > ''

-- name: budget.recent_costs
select cost from heartbeat_run
where agent_id = :agent_id and finished_at is not null order by created_at desc limit 20

-- name: cost_event.insert
insert into cost_event ({CostEvent.columns}) values ({CostEvent.values})

-- name: company.timezone
select timezone from company where id = :id

-- template: activity.list
select {ActivityRow} from journal
where company_id = :company_id and type = 'activity.logged' {filter} order by id desc limit :limit
-- part: filter.agent
and agent_id = :agent_id
-- part: filter.entity_type
and entity_type = :entity_type
-- part: filter.entity_id
and entity_id = :entity_id

-- name: dashboard.agents
select sum(status in ('active', 'idle', 'running', 'error')), sum(status = 'running'),
       sum(status = 'paused'), sum(status = 'error')
from agent where company_id = :company_id and status <> 'terminated'

-- name: dashboard.issues
select sum(status in ('backlog', 'todo', 'in_progress', 'in_review', 'blocked')),
       sum(status = 'in_progress'), sum(status = 'blocked'), sum(status = 'done')
from issue where company_id = :company_id and hidden_at is null

-- Runs that ended since :since: day, status, error code, whether it repeats another, how many.
-- name: dashboard.runs
select (finished_at / 86400000000), status, coalesce(error_code, ''),
       retry_of_run_id is not null, count(*)
from heartbeat_run
where company_id = :company_id and finished_at >= :since
group by 1, 2, 3, 4
