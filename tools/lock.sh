#!/usr/bin/env bash
# Resolve the lock files again: pins and hashes only, no addresses.
# Usage: tools/lock.sh [SERVICE|local|dev|uv|bench|sam|mutation]...
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}

own_packages=(common simulator data strategy trading monolith cli)
skip=()
for name in "${own_packages[@]}"; do skip+=(--no-emit-package "alchemiser-$name"); done

compile() { # OUTPUT INPUT...
    local output=$1; shift
    "$uv" pip compile --quiet --universal --python-version 3.13 --generate-hashes \
        --no-annotate --no-header "${skip[@]}" -o "$output" "$@"
    echo "$output: $(grep -c '==' "$output") packages"
}

targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(uv dev bench sam mutation local data strategy trading monolith)
for target in "${targets[@]}"; do
    case $target in
        uv) compile tools/uv.lock tools/uv.in ;;
        bench) compile tests/benchmarks/requirements.lock tests/benchmarks/requirements.in ;;
        sam) compile tools/deploy/requirements.lock tools/deploy/requirements.in ;;
        mutation) compile tests/mutation/requirements.lock tests/mutation/requirements.in -c requirements-dev.lock ;;
        local) compile tools/local/requirements.lock tools/local/requirements.in --extra aws \
                libs/common/pyproject.toml libs/simulator/pyproject.toml ;;
        dev) compile requirements-dev.lock requirements-dev.in tools/local/requirements.in --all-extras \
                libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml ;;
        *) compile "services/$target/requirements.lock" "services/$target/pyproject.toml" ;;
    esac
done
