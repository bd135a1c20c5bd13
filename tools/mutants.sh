#!/usr/bin/env bash
# Change the trading core in small ways and see whether its tests notice. Usage: tools/mutants.sh [--json FILE] [MODULE]...
# A module is a file below alchemiser_trading without .py, such as cash; without one, all that decide (minutes).
# Makes .venv-mutants if it is not there; works on a copy in .mutants, on one core.
# Exit code 1 if a test fails without any change or a change was not tried, 2 if the call is wrong.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
root=$PWD
[ -x .venv/bin/alchemiser ] || tools/setup.sh

case "${1:-}" in -h | --help) sed -n '2,5s/^# //p' tools/mutants.sh && exit ;; esac
report=()
if [ "${1:-}" = --json ]; then
    file=${2:-}
    [ -n "$file" ] || { echo "mutants: --json needs the name of a file" >&2 && exit 2; }
    report=(--json "$(cd "$here" && realpath "$file")")
    shift 2
fi
modules=("$@")
[ ${#modules[@]} -gt 0 ] || modules=(
    plan holdings limits prices account_sum transfers
    evidence smart_execution order_watch leg_ends legs reconcile cash pricing journal lease
    books ledger corporate_actions following attribution splits renames
)
files=()
for module in "${modules[@]}"; do
    found=$(find services/trading/src/alchemiser_trading -name "$module.py" -not -name '__*')
    [ -n "$found" ] && files+=("${found#services/trading/}") && continue
    echo "mutants: alchemiser_trading has no module '$module'; name one without .py, such as plan" >&2
    exit 2
done

lock=tests/mutation/requirements.lock
env=$root/.venv-mutants
if [ "$(cat "$env/.ready" 2>/dev/null)" != "$(cksum <"$lock")" ]; then
    echo "mutants: making .venv-mutants with mutmut" >&2
    .venv/bin/uv venv --quiet --clear --python .venv/bin/python "$env"
    .venv/bin/uv pip sync --quiet --python "$env/bin/python" --require-hashes "$lock"
    cksum <"$lock" >"$env/.ready"
fi
# Laid over .venv, but without its trading service: only the mutated copy can be imported.
site=$("$env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$root/.venv/${site#"$env/"}" "$root/libs/common/src" >"$site/alchemiser.pth"

stage=$root/.mutants
rm -rf "$stage"
mkdir -p "$stage/src" "$stage/tests/unit"
cp -r services/trading/src/alchemiser_trading "$stage/src/"
# mutmut leaves decorated functions alone: in the copy a property's body is a method, on the same line.
perl -0pi -e 's/^( +)\@property\n( +def )(\w+)\(self\)/$1$3 = property(lambda self: self.of_$3())\n$2of_$3(self)/mg' \
    "$stage"/src/alchemiser_trading/*.py "$stage"/src/alchemiser_trading/*/*.py
cp -r tests/support "$stage/tests/"
cp -r tests/unit/trading "$stage/tests/unit/"
cp tests/mutation/plugin.py "$stage/tests/mutation_plugin.py"
mkdir "$stage/docs" && cp docs/trading.md "$stage/docs/" # a test compares it with the code
mutate=$(printf '"%s", ' "${files[@]}")
{
    cat pyproject.toml
    cat <<EOT

[tool.mutmut]
source_paths = ["src"]
also_copy = ["docs"]
only_mutate = [$mutate]
do_not_mutate_patterns = ['_log\.']
pytest_add_cli_args_test_selection = ["tests/unit/trading"]
pytest_add_cli_args = ["-p", "mutation_plugin", "-p", "no:cacheprovider", "-p", "no:xdist"]
timeout_multiplier = 5.0
timeout_constant = 4.0
use_git_change_detection = false
track_dependencies = false
EOT
} >"$stage/pyproject.toml"

cd "$stage"
export PATH=$root/.venv/bin:$PATH PYTHONPATH=$stage/tests PYTHONHASHSEED=0
unset ALCHEMISER_MARKET_DATA
nice -n 15 "$env/bin/mutmut" run --max-children 1 >&2
"$env/bin/python" "$root/tests/mutation/report.py" "${report[@]}" "$stage" "${files[@]}"
