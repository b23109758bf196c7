#!/bin/sh
# The way of somebody who writes a plugin: `plugin new`, make, `plugin check`, `plugin run`; with gcc, the
# installed SDK and nothing else of the tree.
# usage: plugin_author_test.sh BUILD PAPERCLIPAI CMAKE
set -eu
build=$1 program=$2 cmake=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR="$work/tmp" PAPERCLIP_HOME="$work/home" PAPERCLIP_API_KEY=of-another-engine
"$cmake" --install "$build" --component sdk --prefix "$work/sdk" >/dev/null
installed=$(dirname "$program")/../lib/paperclip/plugins

fail() {
    echo "$1: $(cat "$work/says")"
    exit 1
}
# says STATUS TEXT ARGUMENT…: the program ends with that status and prints that text.
says() {
    status=$1 text=$2 got=0
    shift 2
    "$program" "$@" >"$work/says" 2>&1 </dev/null || got=$?
    [ "$got" = "$status" ] || fail "paperclipai $*: expected status $status, got $got"
    grep -qF -- "$text" "$work/says" || fail "paperclipai $*: expected \"$text\""
}

for language in c cpp; do
    name=hello-$language
    says 0 "$work/own/$name" plugin new "$name" --lang "$language" --output "$work/own"
    says 1 "build the plugin first" plugin run "$work/own/$name"
    make -s -C "$work/own/$name" PAPERCLIP_SDK="$work/sdk" CC=gcc CXX=g++
    (cd "$work/own/$name" && says 0 "keeps the" plugin check .)
    says 0 "result.summary: Hello" plugin run "$work/own/$name" --prompt "Say hello"
    says 0 '"status":"succeeded"' --json plugin run "$work/own/$name/plugin.json"
    # Nothing of the example's own name is left.
    if grep -rE 'echo[-_]c|echo\.c' "$work/own/$name"; then exit 1; fi
done
make -s -C "$work/own/hello-c" 2>"$work/says" && fail "expected make to miss the SDK"
grep -q 'PAPERCLIP_SDK=X' "$work/says" || fail "expected make to say where the SDK is named"

# Nothing is overwritten, nothing is made for a name that no plugin can have.
echo mine >"$work/own/hello-c/hello-c.c"
says 1 "exists already" plugin new hello-c --lang c --output "$work/own"
echo mine >"$work/own/taken"
says 1 "exists already" plugin new taken --output "$work/own"
[ "$(cat "$work/own/hello-c/hello-c.c" "$work/own/taken" | sort -u)" = mine ] || fail "expected the files as they were"
for name in Hello hello_c ../hello -hello 'hello c' ''; do
    says 2 "NAME" plugin new --output "$work/none" -- "$name"
done
[ ! -e "$work/none" ] || fail "expected no folder"

# A run tells what it was given, what it printed and cost, and how it ended.
fake=$installed/agent-fake
printf 'Paint the fence\nand the gate' >"$work/task"
says 0 "Working on SIN-1: Paint the fence" plugin run "$fake" --input "$work/task"
says 0 "usage.costUsd: 0.03" plugin run "$fake" --prompt x
says 1 "run failed: Broke" plugin run "$fake" --config '{"script":[{"fail":{"message":"Broke"}}]}'
says 2 "sai" plugin run "$fake" --config '{"script":[{"sai":"x"}]}'
says 2 "--config: Malformed JSON" plugin run "$fake" --config '{'
says 2 "--type: expected one of" plugin run "$fake" --type other
says 2 "offers no agent" plugin run "$installed/storage-sqlite"
# Longer than it takes to look at it once.
says 0 "late" plugin run "$installed/agent-process" \
    --config '{"command":"sh","args":["-c","sleep 0.5; echo late"]}'

# Ctrl-C cancels the run; its program is ended before the command is.
mkfifo "$work/begun"
"$program" plugin run "$installed/agent-process" \
    --config "{\"command\":\"sh\",\"args\":[\"-c\",\"echo \$\$ >$work/begun; exec sleep 1000\"]}" >"$work/says" &
command=$!
read -r pid <"$work/begun"
kill -TERM "$command"
got=0
wait "$command" || got=$?
[ "$got" = 1 ] || fail "expected a cancelled run to end with 1, got $got"
grep -q "run cancelled" "$work/says" || fail "expected the run to be cancelled"
if kill -0 "$pid" 2>/dev/null; then fail "expected the program to be ended"; fi

[ -z "$(ls "$work/tmp")" ] || fail "left behind: $(ls "$work/tmp")"
[ ! -e "$work/home" ] || fail "expected no instance"
