"""Our statistics against two libraries that others maintain; `make oracles` makes their environment."""

import json
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.report import statistics
from alchemiser_cli.report.statistics import Floats

ROOT = Path(__file__).parents[4]
PYTHON = ROOT / ".venv-oracles" / "bin" / "python"
WINDOW = 126

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="the libraries are not installed: make oracles")

type Case = tuple[list[date], Floats, Floats]


def cases() -> list[Case]:
    """A fund that gains, one that loses, one that is nearly the benchmark, and one that goes the other way."""
    made = []
    for seed, beta, drift, noise in (
        (1, 0.8, 0.0006, 0.008),
        (2, 1.5, -0.001, 0.01),
        (3, 1.0, 0, 1e-4),
        (4, -2, 0, 0.01),
    ):
        rng = np.random.default_rng(seed)
        days = np.busday_offset("2020-01-01", np.arange(700), roll="forward").astype(object).tolist()
        other = rng.normal(0.0004, 0.01, len(days) - 1)
        mine = beta * other + rng.normal(drift, noise, len(days) - 1)
        made.append((days, *(np.concatenate([[1.0], np.cumprod(1 + path)]) for path in (mine, other))))
    return made


def test_every_figure_is_what_each_library_that_has_it_says() -> None:
    asked = [
        {"days": [str(day) for day in days], "equity": mine.tolist(), "benchmark": other.tolist(), "window": WINDOW}
        for days, mine, other in cases()
    ]
    script = ROOT / "tests" / "oracles" / "figures.py"
    done = subprocess.run([PYTHON, script], input=json.dumps(asked), capture_output=True, text=True, check=True)
    held: set[str] = set()
    for case, told in zip(cases(), json.loads(done.stdout), strict=True):
        ours = figures(case)
        for library, theirs in told.items():
            for name, value in theirs.items():
                assert value == pytest.approx(ours[name], rel=1e-8, abs=1e-10), f"{library} {name}"
                held.add(name)
    assert held == set(ours)


def figures(case: Case) -> dict[str, object]:
    days, mine, other = case
    whole, beside = statistics.performance(days, mine), statistics.relative(mine, other)
    rolling = statistics.rolling_sharpe(statistics.daily_returns(mine), WINDOW)
    assert whole.max_drawdown is not None
    assert beside.correlation is not None
    return {
        "total_return": whole.total_return,
        "cagr": whole.cagr,
        "volatility": whole.volatility,
        "sharpe": whole.sharpe,
        "sortino": whole.sortino,
        "max_drawdown": whole.max_drawdown.depth,
        "calmar": statistics.calmar(mine),
        "beta": beside.beta,
        "alpha": beside.alpha,
        "correlation": beside.correlation,
        "correlation_squared": beside.correlation**2,
        "excess": beside.excess,
        "up_capture": beside.up_capture,
        "down_capture": beside.down_capture,
        "rolling_sharpe": rolling[~np.isnan(rolling)].tolist(),
        "worst": [fall.depth for fall in statistics.worst_drawdowns(days, mine, 5)],
        "years": {str(year.year): year.total for year in statistics.monthly_returns(days, mine)},
    }
