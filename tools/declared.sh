#!/usr/bin/env bash
# Check that each package declares what it imports, and imports what it declares: deptry, once for each pyproject.toml
# below the root with that file's settings, then for what has no package of its own (tests, tools, deploy) against
# requirements-dev.in. Works offline, from .venv. Exit code 1 with the findings.
set -euo pipefail
cd "$(dirname "$0")/.."
deptry=$PWD/.venv/bin/deptry
failed=0

check() { # FOLDER ROOT...
    local folder=$1 said; shift
    if ! said=$(cd "$folder" && "$deptry" --no-ansi "$@" 2>&1); then
        grep -E 'DEP[0-9]{3}|[Ee]rror' <<<"$said" | sed "s|^|$folder/|; s|^\./||" >&2
        failed=1
    fi
}

for file in $(git ls-files '*/pyproject.toml'); do check "$(dirname "$file")" src; done
check . tests tools deploy
exit $failed
