"""The default portfolio's decision on 49 symbols x 252 bars: warm, as the command, and as the Lambda does it."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.messages.wire import decode, encode
from alchemiser_strategy.bars import Bars
from benchmarks import market
from benchmarks.figures import Figure, milliseconds, of_processes, processes, publish, timed
from benchmarks.inputs import DAYS, SYMBOLS, default_portfolio, snapshot_of
from support.command import environment
from support.price_files import write_closes

SUBJECT = f"decision: default portfolio, {SYMBOLS} symbols x {DAYS} bars"
_RUNS = 9


def figures() -> list[Figure]:
    """Warm evaluations first, then whole processes."""
    bars = market.last_complete(market.built_in_symbols(), DAYS)
    message = encode(snapshot_of(bars))
    return [*_warm(message), *_cold(bars, message)]


def _warm(message: str) -> list[Figure]:
    portfolio, snapshot = default_portfolio(), decode(message, MarketSnapshot)
    deciding = timed(lambda: portfolio.evaluate(snapshot), 300, warm_ups=20)
    whole = timed(lambda: encode(portfolio.evaluate(decode(message, MarketSnapshot))), 100, warm_ups=5)
    building = timed(default_portfolio, 50, warm_ups=3)
    size = f"message of {len(message) / 1e3:.0f} kB"
    return [
        milliseconds(SUBJECT, "snapshot to decision, warm", deciding, aim=5, note=market.source()),
        milliseconds(SUBJECT, "message to message, warm", whole, note=size),
        milliseconds(SUBJECT, "build the portfolio", building),
    ]


def _cold(bars: Bars, message: str) -> list[Figure]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        data, snapshot = folder / "bars.parquet", folder / "snapshot.json"
        write_tidy(bars, data)
        snapshot.write_text(message, "utf-8")
        command = [str(Path(sys.executable).with_name("alchemiser")), "decide", "--data", str(data), "--json"]
        plain = environment()
        ours = environment({"PYTHONPATH": str(Path(__file__).parents[1])})
        decide = processes(command, folder, plain, _RUNS)
        function = [sys.executable, "-m", "benchmarks.lambda_path", str(snapshot)]
        bare = processes(function, folder, ours, _RUNS)
        nothing = processes([sys.executable, "-c", "import numpy, pydantic"], folder, plain, _RUNS)
    return [
        *of_processes(SUBJECT, "process: alchemiser decide", decide, time_aim=500, peak_aim=120),
        *of_processes(SUBJECT, "process: message to decision", bare, time_aim=500, peak_aim=120, note="as the Lambda"),
        *of_processes(SUBJECT, "process: imports numpy, pydantic", nothing, time_aim=None, peak_aim=None),
    ]


def write_tidy(bars: Bars, path: Path) -> None:
    """As a user's file is kept after its first use."""
    write_closes(path, bars.dates, bars.symbols, bars.closes)


if __name__ == "__main__":
    publish(figures())
