#!/usr/bin/env bash
# Build the documentation as a site in build/site, every link checked. Makes .venv-site with its builder if it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x .venv/bin/alchemiser ] || tools/setup.sh

lock=tools/site_pages/requirements.lock
env=$PWD/.venv-site
if [ "$(cat "$env/.ready" 2>/dev/null)" != "$(cksum <"$lock")" ]; then
    echo "site: making .venv-site" >&2
    .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$env"
    .venv/bin/uv pip sync --quiet --python "$env/bin/python" --require-hashes "$lock"
    cksum <"$lock" >"$env/.ready"
fi
COLUMNS=100 NO_COLOR=1 PYTHONPATH=tools .venv/bin/python -m site_pages build/docs
"$env/bin/zensical" build --strict --clean
echo "site: build/site/index.html"
