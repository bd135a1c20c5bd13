#!/usr/bin/env bash
# Run the SAM command line from .venv-sam, made on first use from its pinned lock. Usage: tools/sam.sh ARGUMENTS...
# Exit code 3 with one line if the environment cannot be made.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
[ -x .venv/bin/uv ] || tools/setup.sh >&2

lock=tools/deploy/requirements.lock
env=$PWD/.venv-sam
if [ "$(cat "$env/.ready" 2>/dev/null)" != "$(cksum <"$lock")" ]; then
    echo "sam: making .venv-sam with the SAM command line" >&2
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! { .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$env" &&
        .venv/bin/uv pip sync --quiet --python "$env/bin/python" --require-hashes "$lock"; } 2>"$log"; then
        echo "sam: .venv-sam could not be made: $(head -1 "$log")" >&2
        exit 3
    fi
    cksum <"$lock" >"$env/.ready"
    rm -f "$log"
fi
export SAM_CLI_TELEMETRY=0
cd "$here"
exec "$env/bin/sam" "$@"
