-- name: company.insert
insert into company ({Company.columns}) values ({Company.values})

-- name: company.by_id
select {Company} from company where id = :id

-- name: company.list
select {Company} from company order by created_at, id

-- name: company.prefix_is_taken
select 1 from company where issue_prefix = :issue_prefix

-- template: company.patch
update company set {set} where id = :id returning {Company}

-- name: company.next_issue_number
update company set issue_counter = issue_counter + 1 where id = :id

-- One more live run, if the company's own limit allows it.
-- name: company.run_started
update company set live_runs = live_runs + 1
where id = :id and status = 'active'
  and (max_concurrent_runs is null or live_runs < max_concurrent_runs)

-- name: company.run_ended
update company set live_runs = live_runs - 1 where id = :id

-- name: company.exists
select 1 from company where id = :id

-- name: company.standing
select status, pause_reason from company where id = :id

-- name: company.pause_over_budget
update company set status = 'paused', pause_reason = 'budget', paused_at = :now, updated_at = :now
where id = :id and status = 'active'
  and exists (select 1 from budget_policy p join budget_window w on w.policy_id = p.id
              where p.scope_type = 'company' and p.scope_id = company.id and p.window_kind = 'month'
                and w.window_start = :month and w.spent >= p.amount)

-- name: company.resume_within_budget
update company set status = 'active', pause_reason = null, paused_at = null, updated_at = :now
where id = :id and status = 'paused' and pause_reason = 'budget'
  and not exists (select 1 from budget_policy p join budget_window w on w.policy_id = p.id
                  where p.scope_type = 'company' and p.scope_id = company.id and p.window_kind = 'month'
                    and w.window_start = :month and w.spent >= p.amount)
