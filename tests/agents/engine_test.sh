#!/bin/sh
# The agents in a real engine: the fake one takes its issue, comments and finishes it by the engine's own
# API; the process one reports what it cost.
# usage: engine_test.sh PAPERCLIPAI
set -eu
program=$1
work=$(mktemp -d)
engine=
trap '[ -z "$engine" ] || { kill "$engine" 2>/dev/null; wait "$engine" || true; }; rm -rf "$work"' EXIT
mkfifo "$work/says"
"$program" --data-dir "$work/data" run --port 0 --quiet --log-level error >"$work/says" &
engine=$!
exec 3<"$work/says"
read -r line <&3
url=$(printf '%s' "$line" | sed -n 's/.* on \(http:[^ ]*\).*/\1/p')

fail() {
    echo "$1"
    exit 1
}
call() {
    method=$1 path=$2 body=${3:-}
    curl -sS -X "$method" -H 'content-type: application/json' ${body:+-d "$body"} "$url/api$path"
}
id_of() { sed -n 's/^{"id":"\([^"]*\)".*/\1/p'; }
beat() { "$program" --data-dir "$work/data" --api-url "$url" heartbeat run --agent-id "$1" >"$work/beat" 2>&1; }

company=$(call POST /companies '{"name":"Acme"}' | id_of)
fake=$(call POST "/companies/$company/agents" \
    "{\"name\":\"Ann\",\"role\":\"engineer\",\"adapterType\":\"fake\",\"adapterConfig\":{\"script\":[
        {\"checkout\":true},{\"say\":\"on {{issue.title}}\"},{\"comment\":\"run {{run.id}}\"},
        {\"create\":{\"title\":\"Second coat\"}},{\"exec\":[\"sh\",\"-c\",\"echo {{run.id}} >> $work/runs\"]},
        {\"usage\":{\"inputTokens\":10,\"costUsd\":0.02}},{\"status\":\"done\"}]}}" | id_of)
issue=$(call POST "/companies/$company/issues" \
    "{\"title\":\"Paint the fence\",\"status\":\"todo\",\"assigneeAgentId\":\"$fake\"}" | id_of)
beat "$fake" || fail "the fake agent's run failed: $(cat "$work/beat")"
call GET "/issues/$issue" | grep -q '"status":"done"' || fail "expected the issue to be done: $(call GET "/issues/$issue") $(cat "$work/beat")"
call GET "/issues/$issue/comments" | grep -q '"body":"run ' || fail "expected a comment"
call GET "/companies/$company/issues" | grep -q "\"parentId\":\"$issue\"" || fail "expected a sub-issue"
[ "$(wc -l <"$work/runs")" -ge 1 ] || fail "expected a line of each run"

process=$(call POST "/companies/$company/agents" \
    '{"name":"Bob","role":"engineer","adapterType":"process","adapterConfig":{"command":"sh",
      "args":["-c","echo \"{\\\"paperclip\\\":{\\\"costUsd\\\":0.05}}\"; echo hello"]}}' | id_of)
beat "$process" || fail "the process agent's run failed: $(cat "$work/beat")"
call GET "/companies/$company/heartbeat-runs?agentId=$process" | grep -q 'hello' || fail "expected what the program printed in the run's result"

# An engine of the command's own takes the command for the board, also while a run of it is alive.
"$program" --data-dir "$work/own" --api-url http://127.0.0.1:1 do "Say late" --adapter process \
    --config '{"command":"sh","args":["-c","sleep 0.5; echo late"]}' >"$work/did" 2>&1 || fail "do: $(cat "$work/did")"
grep -q late "$work/did" || fail "expected what the program printed: $(cat "$work/did")"
