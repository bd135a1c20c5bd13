#!/usr/bin/env bash
# Resolve the lock files again: pins and hashes only, no addresses. What is tested is what ships: development comes
# first, and every other lock takes the versions that it chose (tests/unit/dependencies holds them to it).
# Usage: tools/lock.sh [--upgrade] [SERVICE|local|dev|uv|bench|oracles|sam|mutation|site]...
# Without --upgrade pins stay as they are where what is asked for allows it. Without targets it ends with
# the direct dependencies that had no release in 18 months (tools/dependencies/waivers.toml): exit code 1 if
# one of them has no waiver.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}

upgrade=()
if [ "${1:-}" = --upgrade ]; then upgrade=(--upgrade) && shift; fi

packages=()
for file in libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml; do packages+=("$file"); done
skip=()
for file in "${packages[@]}"; do skip+=(--no-emit-package "$(sed -n 's/^name = "\(.*\)"$/\1/p' "$file")"); done

compile() { # OUTPUT INPUT...
    local output=$1; shift
    "$uv" pip compile --quiet --universal --python-version 3.13 --generate-hashes \
        --no-annotate --no-header "${upgrade[@]}" "${skip[@]}" -o "$output" "$@"
    echo "$output: $(grep -c '==' "$output") packages"
}

# The pins of development, but for the packages that SAM's command line wants otherwise.
pins_for_sam() {
    grep '==' requirements-dev.lock | sed 's/ *\\$//' | grep -vxE "($(grep -v '^#' tools/deploy/own-pins.txt | paste -sd '|'))==.*"
}

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(uv dev bench oracles sam mutation site local data strategy trading monolith)
for target in "${targets[@]}"; do
    case $target in
        uv) compile tools/uv.lock tools/uv.in ;;
        dev) compile requirements-dev.lock requirements-dev.in tools/local/requirements.in --all-extras "${packages[@]}" ;;
        bench) compile tests/benchmarks/requirements.lock tests/benchmarks/requirements.in -c requirements-dev.lock ;;
        oracles) compile tests/oracles/requirements.lock tests/oracles/requirements.in -c requirements-dev.lock ;;
        sam) compile tools/deploy/requirements.lock tools/deploy/requirements.in -c <(pins_for_sam) ;;
        site) compile tools/site_pages/requirements.lock tools/site_pages/requirements.in -c requirements-dev.lock ;;
        mutation) compile tests/mutation/requirements.lock tests/mutation/requirements.in -c requirements-dev.lock ;;
        local) compile tools/local/requirements.lock tools/local/requirements.in --extra aws \
                libs/common/pyproject.toml libs/simulator/pyproject.toml -c requirements-dev.lock ;;
        *) compile "services/$target/requirements.lock" "services/$target/pyproject.toml" -c requirements-dev.lock ;;
    esac
done
if [ $# -eq 0 ]; then PYTHONPATH=tools .venv/bin/python -m dependencies; fi
