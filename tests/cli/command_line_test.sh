#!/bin/sh
# What the program says to people and to scripts when something is wrong: exit codes, --json, messages.
# usage: command_line_test.sh PAPERCLIPAI
set -eu
program=$1
work=$(mktemp -d)
engines=
trap '[ -z "$engines" ] || kill -9 $engines 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
export PAPERCLIP_HOME="$work/home" PAPERCLIP_API_URL=http://127.0.0.1:1
mkdir "$work/tmp"
export TMPDIR="$work/tmp"

# says STATUS TEXT ARGUMENT…: the program ends with that status and prints that text.
says() {
    status=$1 text=$2 got=0
    shift 2
    "$program" "$@" >says 2>&1 </dev/null || got=$?
    if [ "$got" != "$status" ] || ! grep -qF -- "$text" says; then
        echo "paperclipai $*: expected status $status and \"$text\", got $got: $(cat says)"
        exit 1
    fi
}

says 2 'folder is required' validate
says 2 '"code":"usage"' validate --json
says 0 'Usage' --json --help
says 4 '"code":"engine_unreachable"' export acme --json
says 2 'expected what is to be done' do ' ' --adapter fake
says 2 'expected UTF-8' do "$(printf 'a\377')" --adapter fake
says 2 'installed are: fake, http, process' do hello --adapter nope

# A folder of any name begins a company that is valid and in canonical form.
for folder in acme 'My Company!' no; do
    says 0 '"file"' init "$folder" --json
    says 0 'is valid' validate "$folder"
    says 0 '"differs":false' fmt --check "$folder" --json
done
says 1 'exists already' init acme

# What stands in a file does not command the terminal.
printf 'schema: paperclip.company/v1\nslug: acme\n"\\e[2J": 1\n' >acme/company.yaml
says 2 '\x1b[2J' validate acme

# Looking makes nothing, and what is no backup harms nothing.
says 0 'not there yet' doctor --data-dir nowhere
[ ! -e nowhere ]
echo junk >junk.db
says 2 'junk.db cannot be restored, the instance is as it was' restore junk.db --data-dir nowhere
[ ! -e nowhere ]

# start FOLDER COMPANY: an engine on a data folder, with a company; sets engine and url.
start() {
    mkfifo "$1.says"
    "$program" --data-dir "$1" run --port 0 --quiet --log-level error >"$1.says" &
    engine=$!
    engines="$engines $engine"
    exec 3<"$1.says"
    read -r line <&3
    url=$(printf '%s' "$line" | sed -n 's/.* on \(http:[^ ]*\).*/\1/p')
    curl -sS -H 'content-type: application/json' -d "{\"name\":\"$2\"}" "$url/api/companies" >/dev/null
}

# A backup was made by the engine of --api-url, whatever instance that had.
start mine OnlyMine
mine=$engine
start other OnlyOthers
export PAPERCLIP_API_URL="$url"
[ "$(stat -c %a mine/engine.json)" = 600 ]
says 0 'written and verified' backup mine.db --data-dir mine
grep -q OnlyMine mine.db && ! grep -q OnlyOthers mine.db
says 0 'in use by the engine at' doctor --data-dir mine
says 4 'in use by another engine' restore mine.db --data-dir mine

# What an engine says of itself goes when it stops, and misleads nobody when it was killed.
kill -9 "$mine"
wait "$mine" || true
[ -e mine/engine.json ]
says 0 'written and verified' backup killed.db --data-dir mine
grep -q OnlyMine killed.db
[ ! -e mine/engine.json ]
kill "$engine"
wait "$engine"
[ ! -e other/engine.json ]
says 0 'the store that was there is' restore mine.db --data-dir other
ls other/paperclip.db.replaced-* >/dev/null
