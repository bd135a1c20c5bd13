"""Runs the benchmarks, each in a process of its own, and prints figures, aims and whether they hold.

python -m benchmarks.report [--json FILE] [SUBJECT]...
(decision, backtest, symphony, peers, growth, trading, styles, functions, dashboard; default: all)
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import market
from benchmarks.figures import Figure, table

SUBJECTS = ("decision", "backtest", "symphony", "peers", "growth", "trading", "styles", "functions", "dashboard")


def main() -> int:
    """Exit code 1 if a subject could not be measured; a missed aim is a figure, not a failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help="only these")
    given = parser.parse_args()
    unknown = sorted(set(given.subjects) - set(SUBJECTS))
    if unknown:
        parser.error(f"no subject {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    machine = _machine()
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in machine.items()))
    figures: list[Figure] = []
    failed = False
    for subject in given.subjects or SUBJECTS:
        found = _measured(subject)
        failed = failed or found is None
        figures += found or []
        sys.stdout.write(table(found or []))
        sys.stdout.flush()
    missed = [figure for figure in figures if figure.holds is False]
    aims = sum(figure.aim is not None for figure in figures)
    sys.stdout.write(f"\n{aims - len(missed)} of {aims} aims hold\n")
    if given.json:
        rows = [{**asdict(figure), "holds": figure.holds} for figure in figures]
        given.json.write_text(json.dumps({**machine, "figures": rows}, indent=1) + "\n", "utf-8")
    return int(failed)


def _measured(subject: str) -> list[Figure] | None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.bench_{subject}"], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        sys.stdout.write(f"\n{subject}: not measured, the benchmark failed (see above)\n")
        return None
    return [Figure(**row) for row in json.loads(done.stdout)]


def _machine() -> dict[str, str]:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "data": market.source(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {load} at the start",
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
