#!/bin/sh
# The tour of `make demo`: one failover from beginning to end, on three SQLite files that stand for three servers.
# Uses its own data and its own state, under demo-data/. Stops with 1 when a command does not end as it should.
set -u
cd "$(dirname "$0")/../.." || exit 1
PATH="$PWD/${BIN:-.venv/bin}:$PATH"
OMNIDB_CONFIG=configs/demo.yaml
OMNIDB_STATE=sqlite:///demo-data/state.db
export PATH OMNIDB_CONFIG OMNIDB_STATE
unset OMNIDB_OUTPUT

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# show CODE COMMAND: echoes the command, runs it, and shows the exit code where it is the message.
show() {
  expected=$1
  printf '\n%s$%s %s\n' "$dim" "$plain" "$2"
  sh -c "$2" 2>&1
  code=$?
  [ "$code" -eq 0 ] || printf '%s(exit code %s)%s\n' "$dim" "$code" "$plain"
  if [ "$code" -ne "$expected" ]; then
    printf '\nThe tour stops here: exit code %s was expected.\n' "$expected" >&2
    exit 1
  fi
}

put_back() { [ ! -e demo-data/primary.away ] || mv demo-data/primary.away demo-data/primary.db; }
trap put_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rm -rf demo-data
python docs/demo/data.py demo-data || exit 1

say "1. All is well: three connections. replica is the backup of primary, archive of replica."
show 0 'omnidb status'
show 0 'omnidb exec primary "SELECT item, pieces FROM orders"'

say "2. The primary's file is removed. The next check fails, and the replica serves."
show 0 'mv demo-data/primary.db demo-data/primary.away'
show 10 'omnidb status'

say "3. Why? Every candidate, in order, with its verdict."
show 0 'omnidb route primary'

say "4. The replica answers the same query now. A write there is refused."
show 0 'omnidb exec primary "SELECT item, pieces FROM orders"'
show 24 'omnidb exec primary "DELETE FROM orders"'

say "5. The file is back. Two passing checks in a row close the circuit."
show 0 'mv demo-data/primary.away demo-data/primary.db'
show 10 'omnidb status'
show 0 'omnidb status'

say "6. Maintenance: hold the replica, for all accounts that share this state. A hold that leaves no eligible endpoint is refused."
show 0 'omnidb circuit open replica --for 30m --reason "kernel update"'
show 0 'omnidb exec replica "SELECT count(*) AS orders FROM orders"'
show 20 'omnidb exec replica --no-failover "SELECT 1"'
show 32 'omnidb circuit open primary archive'
show 0 'omnidb circuit close replica'
show 0 'omnidb status'

say "7. The history has every change, with who and why."
show 0 'omnidb events'

cat <<END

${bold}Everything is as it was.${plain} Now try it yourself:

  . ${BIN:-.venv/bin}/activate
  export OMNIDB_CONFIG=configs/demo.yaml OMNIDB_STATE=sqlite:///demo-data/state.db
  omnidb watch                    # and, in a second terminal: mv demo-data/primary.db demo-data/primary.away
  omnidb --help

With your own databases: docs/getting-started.md
END
