-- name: goal.insert
insert into goal ({Goal.columns}) values ({Goal.values})

-- name: goal.by_id
select {Goal} from goal where id = :id

-- name: goal.resolve
select id, company_id from goal where id = :id

-- name: goal.of_company
select {Goal} from goal where company_id = :company_id order by created_at, id

-- template: goal.patch
update goal set {set} where id = :id returning {Goal}

-- Changes nothing; its guard is that the goal is not below itself, after the steps before it.
-- name: goal.is_in_tree
update goal set parent_id = parent_id where id = :id and not exists (
    with recursive above (id) as (
        select parent_id from goal where id = :id
        union
        select goal.parent_id from above join goal on goal.id = above.id
    )
    select 1 from above where id = :id
)

-- Only a goal that nothing hangs on goes.
-- name: goal.delete
delete from goal where id = :id
  and not exists (select 1 from goal child where child.parent_id = :id)
  and not exists (select 1 from issue where issue.goal_id = :id)
returning {Goal}

-- The goal that issues without one belong to.
-- name: goal.default_of_company
select id from goal
where company_id = :company_id and level = 'company' and status in ('active', 'planned')
order by status, created_at limit 1

-- A goal and those above it, the goal first.
-- name: goal.chain
with recursive chain (id, depth) as (
    select :id, 0
    union all
    select goal.parent_id, chain.depth + 1 from chain join goal on goal.id = chain.id
    where goal.parent_id is not null and chain.depth < 20
)
select {Goal goal} from chain join goal on goal.id = chain.id order by chain.depth
