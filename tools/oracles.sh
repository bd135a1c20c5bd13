#!/usr/bin/env bash
# Make .venv-oracles, with the libraries that our statistics are held against in tests, and run those tests.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv/bin/alchemiser ] || tools/setup.sh

lock=tests/oracles/requirements.lock
env=$PWD/.venv-oracles
if [ "$(cat "$env/.ready" 2>/dev/null)" != "$(cksum <"$lock")" ]; then
    .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$env"
    .venv/bin/uv pip sync --quiet --python "$env/bin/python" --require-hashes "$lock"
    cksum <"$lock" >"$env/.ready"
fi
exec .venv/bin/pytest -q tests/unit/cli/report/test_statistics_oracles.py
