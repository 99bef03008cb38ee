#!/bin/sh
# The other Pythons of this machine, from 3.11 on: on PATH, or among the versions that pyenv keeps.
#   pythons.sh each MAIN TARGET   makes TARGET with each of them, in a venv of its own; MAIN is the one to leave out
#   pythons.sh say MAIN           says which there are and which are missing
set -u

VERSIONS='3.11 3.12 3.13 3.14'

# A shim of pyenv may be on PATH and yet not run.
runs_as() {
    [ "$("$2" -c 'import ensurepip, sys, venv; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$1" ]
}

pyenv_root() {
    if [ -n "${PYENV_ROOT:-}" ]; then
        echo "$PYENV_ROOT"
    else
        pyenv root 2>/dev/null || echo "${HOME:-}/.pyenv"
    fi
}

find_python() {
    for candidate in "$(command -v "python$1")" "$(pyenv_root)/versions/$1".*/bin/"python$1"; do
        if [ -n "$candidate" ] && runs_as "$1" "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

action=$1 main=$2 target=${3:-}
full=$("$main" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || exit 1
found='' missing=''

for version in $VERSIONS; do
    [ "$version" != "$full" ] || continue
    if python=$(find_python "$version"); then
        found="$found $version"
        if [ "$action" = each ]; then
            echo "Python $version: make $target"
            "${MAKE:-make}" --no-print-directory "$target" PYTHON="$python" || exit 1
        fi
    else
        missing="$missing $version"
    fi
done

if [ "$action" = say ]; then
    echo "Tested on Python $full (everything) and on${found:- no other} (core, topology, state, output, cli, tour);" \
        "not found:${missing:- none}"
fi
