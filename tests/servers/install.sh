#!/bin/sh
# Installs the servers that the tests start themselves, where they are missing: PostgreSQL, MariaDB, Redis.
# No service is started and no cluster made. Elsewhere than on Debian and Ubuntu it says what to install.
set -eu

has() {
    PATH="$PATH:/usr/sbin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/bin" command -v "$1" >/dev/null 2>&1
}

missing=''
add() { missing="$missing $1"; }

ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || has postgres || add postgresql
has mariadbd || has mysqld || add mariadb-server
has redis-server || has valkey-server || add redis-server
has openssl || add openssl

if [ -z "$missing" ]; then
    exit 0
fi

if ! has apt-get || [ "$(id -u)" -ne 0 ]; then
    echo "The tests with real servers need:$missing" >&2
    if has apt-get; then
        echo "Run as root: sh tests/servers/install.sh" >&2
    else
        echo "Install them with this system's package manager; they need not be started." >&2
    fi
    # In CI a server that is missing is a failure; elsewhere its tests are skipped, and say so.
    [ "${CI:-}" = true ] && exit 1
    exit 0
fi

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d/omnidb-tests.conf
log=$(mktemp)

clean_up() {
    if [ -n "${made_policy:-}" ]; then rm -f "$policy"; fi
    if [ -n "${made_clusters:-}" ]; then
        rm -f "$clusters"
        rmdir /etc/postgresql-common/createcluster.d /etc/postgresql-common 2>/dev/null || true
    fi
    rm -f "$log"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Debian asks this program before it starts a service; 101 is "no".
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
# PostgreSQL's package makes a cluster called main, unless told not to before it is unpacked.
if [ ! -e "$clusters" ]; then
    made_clusters=yes
    mkdir -p "$(dirname "$clusters")"
    echo 'create_main_cluster = false' >"$clusters"
fi

quietly() {
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        echo "Failed: $*" >&2
        exit 1
    fi
}

export DEBIAN_FRONTEND=noninteractive
echo "Installing for the tests:$missing" >&2
quietly apt-get -o DPkg::Lock::Timeout=120 -qq update
# shellcheck disable=SC2086 # one word each
quietly apt-get -o DPkg::Lock::Timeout=120 -qq -y --no-install-recommends install $missing
