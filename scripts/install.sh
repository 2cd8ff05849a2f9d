#!/bin/sh
# Make .venv from a lock: install.sh PYTHON LOCK
#
# uv does the work because it is several times quicker than pip; where it cannot reach the package
# index that pip is configured for, pip does the same from the same lock.
set -eu
python=$1
lock=$2
venv=.venv

if ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    echo "usher needs Python 3.11; \`$python\` is not it. Say: make PYTHON=/path/to/python3.11 ..." >&2
    exit 1
fi
if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    echo "creating $venv with $("$python" --version)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
fi

uv_pin=$(grep '^uv==' requirements-dev.lock)
if [ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "${uv_pin#uv==}" ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$uv_pin"
fi

# uv does not read pip's configuration: hand over an index of the user's own, if there is one.
index=${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then
    UV_DEFAULT_INDEX=$index
    export UV_DEFAULT_INDEX
fi

VIRTUAL_ENV=$PWD/$venv
export VIRTUAL_ENV
echo "installing $lock"
if ! "$venv/bin/uv" pip install --quiet --compile-bytecode --no-deps -r "$lock"; then
    echo "uv could not; trying pip" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$lock"
fi
# Editable, built by the hatchling that the lock has just installed: nothing more is fetched.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    --no-build-isolation --editable .
# Our own modules too: where PYTHONDONTWRITEBYTECODE is set, every start would compile them again.
"$venv/bin/python" -m compileall -q app channels core guardrails handlers ingest knowledge
