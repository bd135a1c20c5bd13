#!/usr/bin/env bash
# Make .venv from the hash-pinned locks. Safe to repeat: does nothing while the locks are unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.ready
wanted=$(cat requirements-dev.lock tools/uv.lock {libs,services}/*/pyproject.toml cli/pyproject.toml .python-version | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

find_python() {
    local candidate
    for candidate in python3.13 "$(pyenv root 2>/dev/null)"/versions/3.13*/bin/python "$HOME"/.pyenv/versions/3.13*/bin/python python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    if command -v pyenv >/dev/null; then
        echo "setup: no Python 3.13 found; pyenv builds one, this takes some minutes" >&2
        pyenv install --skip-existing 3.13 >&2
        echo "$(pyenv root)"/versions/3.13*/bin/python
        return
    fi
    echo "setup: Python 3.13 is needed and was not found. Install it (python3.13 on PATH) or install pyenv, then try again." >&2
    exit 1
}

python=$(find_python)
echo "setup: making .venv with $("$python" --version)"
rm -f "$stamp"
if [ "$(.venv/bin/python --version 2>/dev/null)" != "$("$python" --version)" ]; then
    "$python" -m venv --clear .venv
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/uv.lock
echo "setup: installing the pinned dependencies"
.venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes requirements-dev.lock tools/uv.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation \
    -e libs/common -e libs/prices -e libs/readmodel -e libs/simulator -e services/data -e services/strategy \
    -e services/trading -e services/monolith -e cli
echo "$wanted" > "$stamp"
echo "setup: ready"
