"""One rule set, several backtesters: this engine from text to equity, the others from weights that pandas has made."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from alchemiser_strategy.backtest import Fill, Prices, run_backtest
from alchemiser_strategy.bars import Bars, Floats
from alchemiser_strategy.engine.history import held_history
from alchemiser_strategy.parsers import parse_symphony
from benchmarks import market
from benchmarks.figures import Figure, Timing, milliseconds, publish, timed, timing_of
from benchmarks.rotation import DAYS, SYMBOLS, TEXT

SUBJECT = "peers: rotation over 10 ETFs, fill at close, no costs"
_REPEATS = {"vectorbt": 20, "bt": 3, "backtrader": 2}
_TESTS = Path(__file__).parents[1]


def figures() -> list[Figure]:
    """Ours, then each peer with the ratio of its time to ours and the largest difference of the results."""
    bars = market.last_complete(SYMBOLS, DAYS)
    weights, equity = from_text_to_equity(bars)
    ours = timed(lambda: from_text_to_equity(bars), 40, warm_ups=3)
    note = f"{bars.days:,} days, {market.source()}"
    found = [milliseconds(SUBJECT, "alchemiser: text to equity", ours, aim=12, note=note)]
    python = os.environ.get("BENCH_PEERS_PYTHON", "")
    if not Path(python).is_file():
        reason = os.environ.get("BENCH_PEERS_REASON", "BENCH_PEERS_PYTHON names no interpreter")
        return [*found, _absent("peers", reason)]
    for name, repeats in _REPEATS.items():
        ours = timed(lambda: from_text_to_equity(bars), 20)
        found += _against(name, repeats, python, bars, ours, weights, equity)
    return found


def from_text_to_equity(bars: Bars) -> tuple[Floats, Floats]:
    """Parse, weigh every day, hold: (days, symbols) weights and (days,) equity from 1."""
    fresh = Bars(bars.dates, bars.symbols, bars.closes)
    prices = Prices(fresh.symbols, fresh.closes, fresh.closes)
    result = run_backtest([(held_history(parse_symphony(TEXT), fresh), 1.0)], prices, fill=Fill.CLOSE)
    return result.weights, result.equity


def _against(
    name: str, repeats: int, python: str, bars: Bars, ours: Timing, weights: Floats, equity: Floats
) -> list[Figure]:
    with TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npz"
        days = np.array(bars.dates, dtype="datetime64[D]")
        np.savez(given, closes=bars.closes, days=days, symbols=np.array(bars.symbols))
        run = subprocess.run(
            [python, "-m", "benchmarks.peer_portfolios", name, str(given), str(made), str(repeats)],
            env={**os.environ, "PYTHONPATH": str(_TESTS), "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        if run.returncode != 0:
            return [_absent(name, (run.stderr.strip().splitlines() or ["no message"])[-1])]
        seconds = json.loads(run.stdout)
        theirs = np.load(made)
        apart = np.abs(theirs["weights"] - weights).max()
        drift = np.abs(theirs["equity"] / equity - 1).max()
    timing = timing_of(seconds["walls"], seconds["cpus"])
    note = (
        f"from weights; {seconds['cold'] * 1e3:,.0f} ms the first time, after {seconds['import']:.1f} s of import; "
        f"pandas made the weights in {seconds['pandas'] * 1e3:,.0f} ms"
    )
    return [
        milliseconds(SUBJECT, f"{name}: weights to equity", timing, note=note),
        Figure(
            subject=SUBJECT,
            name=f"{name}: time, alchemiser = 1",
            value=timing.wall / ours.wall,
            unit="x",
            least=timing.least / ours.least,
            cpu=timing.cpu / ours.cpu,
        ),
        _difference(f"{name}: largest difference of weights", float(apart), 1e-12),
        _difference(f"{name}: largest relative difference of equity", float(drift), 1e-9),
    ]


def _difference(name: str, value: float, aim: float) -> Figure:
    return Figure(subject=SUBJECT, name=name, value=value, unit="", aim=aim)


def _absent(name: str, reason: str) -> Figure:
    return Figure(subject=SUBJECT, name=f"{name}: not measured", value=0, unit="", note=reason)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    publish(figures())
