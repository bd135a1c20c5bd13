"""Real processes, really killed: SIGKILL at a random moment, again and again, until one delivery comes through."""

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from support.exploration import PRICES, check
from support.trading_process import STILL_RUNNING
from support.trading_rig import Rig, exchange, quiet_market
from support.trading_runs import SWITCH

RUNS = int(os.environ.get("PROVE_KILLS", "20"))
TESTS = Path(__file__).parents[2]


def test_a_process_killed_at_any_moment_loses_and_doubles_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    kills: Counter[int] = Counter()
    for seed in range(RUNS):
        folder = tmp_path / str(seed)
        with exchange(quiet_market(PRICES), folder) as rig:
            rig.control.set_holding("CCC", Decimal("1000.123456789"))
            kills[_until_done(rig, folder, random.Random(seed))] += 1
            rig.clock.restart(rig.control.clock().now)
            report = rig.trade(rig.decision(SWITCH))
            assert check(rig, report) == "completed", f"seed {seed}"
    total = sum(number * runs for number, runs in kills.items())
    record_property("runs with real processes", f"{RUNS}, {total} processes killed with SIGKILL")


def _until_done(rig: Rig, folder: Path, chance: random.Random) -> int:
    """Kill the first few deliveries; the number killed before they could end."""
    killed = 0
    for delivery in range(12):
        command = [
            sys.executable,
            "-m",
            "support.trading_process",
            rig.control_url,
            str(folder),
            f"process-{delivery}",
        ]
        process = subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if delivery < 4:
            try:
                process.wait(chance.uniform(0.0, 1.5))
            except subprocess.TimeoutExpired:
                process.kill()
                killed += 1
        output, _ = process.communicate(timeout=60)
        if process.returncode == 0:
            return killed
        assert process.returncode in {-9, STILL_RUNNING}, output
        rig.control.advance(rig.settings.execution.lease_seconds + 1)
    raise AssertionError("12 deliveries did not end the run")
