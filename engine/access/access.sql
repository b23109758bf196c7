-- Only an agent that may act gets a key.
-- name: agent_key.insert
insert into agent_api_key ({AgentKey.columns}, key_hash)
select :id, :company_id, :agent_id, :name, :scope, :responsible_user_id, :created_at, :last_used_at,
       :revoked_at, :key_hash
from agent where agent.id = :agent_id and agent.status not in ('terminated', 'pending_approval')

-- name: agent_key.list
select {AgentKey} from agent_api_key where agent_id = :agent_id order by created_at, id

-- name: agent_key.by_hash
select {AgentKey k} from agent_api_key k join agent a on a.id = k.agent_id
where k.key_hash = :key_hash and k.revoked_at is null
  and a.status not in ('terminated', 'pending_approval')

-- name: agent_key.revoke
update agent_api_key set revoked_at = :now
where id = :id and agent_id = :agent_id and revoked_at is null

-- name: agent_key.revoke_all
update agent_api_key set revoked_at = :now where agent_id = :agent_id and revoked_at is null

-- name: agent_key.touch
update agent_api_key set last_used_at = :now where id = :id

-- A run's token and process tree count only while the run lives.
-- name: access.live_run
select r.agent_id, r.company_id, coalesce(r.responsible_user_id, c.default_responsible_user_id)
from heartbeat_run r join company c on c.id = r.company_id join agent a on a.id = r.agent_id
where r.id = :id and r.status = 'running' and a.status not in ('terminated', 'pending_approval')
