-- name: declaration.by_slug
select {Applied} from declaration where slug = :slug

-- name: declaration.by_company
select {Applied} from declaration where company_id = :company_id

-- name: declaration.all
select {Applied} from declaration order by applied_at, company_id

-- name: declaration.insert
insert into declaration ({Applied.columns}) values ({Applied.values})

-- The guard against two who apply at once: only who read the newest revision writes the next.
-- name: declaration.update
update declaration set revision = revision + 1, document = :document, document_hash = :document_hash,
    applied_at = :applied_at, applied_by = :applied_by
where company_id = :company_id and revision = :revision and slug = :slug

-- name: declared.of_company
select {DeclaredObject} from declared_object where company_id = :company_id order by kind, slug

-- name: declared.put
insert into declared_object ({DeclaredObject.columns}) values ({DeclaredObject.values})
on conflict (company_id, kind, slug) do update set object_id = excluded.object_id, fields = excluded.fields

-- name: declared.drop
delete from declared_object where company_id = :company_id and kind = :kind and slug = :slug

-- name: declared.policies
select scope_type, scope_id, window_kind, amount from budget_policy where company_id = :company_id

-- The monthly budgets that the API shows beside the policies. Set alone: what a budget paused is not
-- resumed by a declaration.
-- name: declared.set_agent_budget
update agent set budget_monthly = :amount, updated_at = :now where id = :id

-- name: declared.set_company_budget
update company set budget_monthly = :amount, updated_at = :now where id = :id
