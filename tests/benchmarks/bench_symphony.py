"""A generated symphony of 2 MB: from its file to today's explained decision, and to the weights of every day.

`python -m benchmarks.bench_symphony SYMPHONY CLOSES` does both once, for the figures of a whole process.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from alchemiser_cli.price_file import PriceFile
from alchemiser_simulator import read_history
from alchemiser_strategy.bars import Bars
from alchemiser_strategy.engine.explain import explain
from alchemiser_strategy.engine.graph import lay_out
from alchemiser_strategy.engine.history import history
from alchemiser_strategy.parsers import load_symphony
from benchmarks import market
from benchmarks.figures import Figure, milliseconds, of_processes, processes, publish, timed
from benchmarks.symphony_generator import like_big
from support.command import environment
from support.price_files import write_closes

SUBJECT = "symphony: 2 MB, 1,000 ifs, 250 filters (120 of portfolios), 190 deep"
_SEED, _DAYS = 1, 6_684


def figures() -> list[Figure]:
    """Warm in this process, the parts of it, and a whole process that does both."""
    with TemporaryDirectory() as name:
        text, closes = Path(name) / "generated.clj", Path(name) / "closes.parquet"
        real = market.real_file()
        if real is None:
            _write(market.random_bars(market.names(300), _DAYS), closes)
        data = real or closes
        text.write_text(like_big(_SEED, _columns(data)), "utf-8")
        bars = _bars(text, data)
        note = f"{text.stat().st_size / 1e6:.1f} MB, {len(bars.symbols)} symbols x {bars.days:,} days, "
        return [
            *_warm(text, bars, note + (market.source() if real else "seeded random walks")),
            *_process(name, text, data),
        ]


def decide(text: Path, bars: Bars) -> dict[str, float]:
    """From the file to the weights after the last bar, explained."""
    return dict(explain(load_symphony(text), _fresh(bars)).weights or {})


def weigh(text: Path, bars: Bars) -> dict[str, float]:
    """From the file to the weights of every day; returns the last day's."""
    every = history(load_symphony(text), _fresh(bars))
    return {symbol: float(share) for symbol, share in zip(every.symbols, every.weights[-1], strict=True) if share > 0}


def _warm(text: Path, bars: Bars, note: str) -> list[Figure]:
    today, every = decide(text, bars), weigh(text, bars)
    apart = max((abs(today.get(symbol, 0) - every.get(symbol, 0)) for symbol in today | every), default=np.inf)
    symphony = load_symphony(text)
    return [
        milliseconds(SUBJECT, "file to decision, explained", timed(lambda: decide(text, bars), 9), aim=300, note=note),
        milliseconds(SUBJECT, "file to weights of every day", timed(lambda: weigh(text, bars), 9), aim=500),
        milliseconds(
            SUBJECT,
            "of which reading the file",
            timed(lambda: load_symphony(text), 9),
            note=f"{symphony.stated:,} nodes stated, {len(lay_out(symphony.root).nodes):,} portfolios evaluated",
        ),
        milliseconds(SUBJECT, "of which arranging the bars", timed(lambda: _fresh(bars), 9)),
        Figure(
            subject=SUBJECT,
            name="largest difference, decision and last day",
            value=apart,
            unit="",
            aim=1e-12,
        ),
    ]


def _process(folder: str, text: Path, data: Path) -> list[Figure]:
    command = [sys.executable, "-m", "benchmarks.bench_symphony", str(text), str(data)]
    tests = {"PYTHONPATH": str(Path(__file__).parents[1])}
    runs = processes(command, Path(folder), environment(tests), 5)
    note = "start, read closes, decide, weigh every day"
    return of_processes(SUBJECT, "process: both once", runs, time_aim=None, peak_aim=400, note=note)


def _fresh(bars: Bars) -> Bars:
    return Bars(bars.dates, bars.symbols, bars.closes)


def _bars(text: Path, data: Path) -> Bars:
    return PriceFile(read_history(data)).bars(lay_out(load_symphony(text).root).symbols)


def _columns(data: Path) -> list[str]:
    return list(read_history(data).symbols)


def _write(bars: Bars, path: Path) -> None:
    """As the tidy file that is read without an import."""
    write_closes(path, bars.dates, bars.symbols, bars.closes)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        held = _bars(Path(sys.argv[1]), Path(sys.argv[2]))
        decide(Path(sys.argv[1]), held)
        weigh(Path(sys.argv[1]), held)
    else:
        publish(figures())
