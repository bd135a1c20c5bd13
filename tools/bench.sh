#!/usr/bin/env bash
# Measure speed and memory beside their aims. Usage: tools/bench.sh [--json FILE] [SUBJECT]...  (docs/performance.md)
# Makes .venv-bench for the peers if it is not there; ALCHEMISER_MARKET_DATA names a folder of real closes.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
[ -x .venv/bin/alchemiser ] || tools/setup.sh

lock=tests/benchmarks/requirements.lock
env=$PWD/.venv-bench
make_peers() { # an environment of their own: nothing of theirs gets into .venv
    [ "$(cat "$env/.ready" 2>/dev/null)" = "$(cksum <"$lock")" ] && return
    echo "bench: making .venv-bench with the peers" >&2
    .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$env" &&
        .venv/bin/uv pip sync --quiet --python "$env/bin/python" --require-hashes "$lock" &&
        cksum <"$lock" >"$env/.ready"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if make_peers 2> >(tee "$log" >&2); then
    export BENCH_PEERS_PYTHON=$env/bin/python
else
    BENCH_PEERS_REASON="their environment could not be made: $(grep -v '^bench:' "$log" | head -1)"
    export BENCH_PEERS_REASON
fi

bin=$PWD/.venv/bin
export PYTHONPATH=$PWD/tests
cd "$here"
"$bin/python" -m benchmarks.report "$@"
