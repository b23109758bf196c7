-- name: project.insert
insert into project ({Project.columns}) values ({Project.values})

-- name: project.by_id
select {Project} from project where id = :id

-- name: project.resolve
select id, company_id from project where id = :id

-- name: project.resolve_url_key
select id, company_id from project where company_id = :company_id and url_key = :url_key

-- name: project.of_company
select {Project} from project where company_id = :company_id order by created_at, id

-- template: project.patch
update project set {set} where id = :id returning {Project}

-- name: project.delete
delete from project where id = :id and not exists (select 1 from issue where issue.project_id = :id)

-- name: project.task_count
select count(*) from issue where project_id = :id and hidden_at is null

-- name: project.clear_goals
delete from project_goal where project_id = :project_id

-- name: project.add_goal
insert into project_goal (project_id, goal_id, position)
select :project_id, goal.id, :position from goal where goal.id = :goal_id and goal.company_id = :company_id

-- name: project.goals
select goal.id, goal.title from project_goal link join goal on goal.id = link.goal_id
where link.project_id = :project_id order by link.position

-- name: workspace.insert
insert into project_workspace ({Workspace.columns}) values ({Workspace.values})

-- name: workspace.of_project
select {Workspace} from project_workspace where project_id = :project_id order by is_primary desc, created_at, id

-- name: workspace.by_id
select {Workspace} from project_workspace where id = :id and project_id = :project_id

-- name: workspace.demote_others
update project_workspace set is_primary = 0 where project_id = :project_id and id <> :id and is_primary = 1

-- template: workspace.patch
update project_workspace set {set} where id = :id returning {Workspace}

-- name: workspace.delete
delete from project_workspace where id = :id and project_id = :project_id returning {Workspace}
