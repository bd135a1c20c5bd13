#!/usr/bin/env bash
# Run the SAM command line from .venv-sam, made on first use from its pinned lock. Usage: tools/sam.sh ARGUMENTS...
# `tools/sam.sh python ARGUMENTS...` runs that environment's Python instead: SAM's translator is only there.
# Exit code 3 with one line if the environment cannot be made.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
[ -x .venv/bin/uv ] || tools/setup.sh >&2

lock=tools/deploy/requirements.lock
env=$PWD/.venv-sam
ready() { [ "$(cat "$env/.ready" 2>/dev/null)" = "$(cksum <"$lock")" ]; }

make_environment() {
    echo "sam: making .venv-sam with the SAM command line" >&2
    local log
    log=$(mktemp)
    if ! { .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$env" &&
        .venv/bin/uv pip sync --quiet --python "$env/bin/python" --require-hashes "$lock"; } 2>"$log"; then
        echo "sam: .venv-sam could not be made: $(head -1 "$log")" >&2
        rm -f "$log"
        exit 3
    fi
    rm -f "$log"
    cksum <"$lock" >"$env/.ready"
}

if ! ready; then
    # Tests ask from several processes at once: the lock belongs to this shell's file, and ends with it.
    exec 9>.venv/.making-sam
    .venv/bin/python -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
    ready || make_environment
    exec 9>&-
fi
export SAM_CLI_TELEMETRY=0
cd "$here"
if [ "${1:-}" = python ]; then shift && exec "$env/bin/python" "$@"; fi
exec "$env/bin/sam" "$@"
