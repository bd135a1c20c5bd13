"""A demo beside a backtest of the same days: whether both decided the same, and what the rest of the difference is.

The backtest has the demo's fractions, cash reserve and mean slippage; its orders fill at the day's open, where it is
valued too: the demo trades, and is valued, a little later, in whole shares.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from alchemiser_cli.backtesting import benchmark_prices, to_the_end
from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.report.model import Benchmark, Beside, DemoReport
from alchemiser_cli.report.slippage import quality
from alchemiser_cli.research import Share, symbols_of
from alchemiser_common.messages.snapshot import BarPolicy
from alchemiser_common.settings import Anchor, Settings
from alchemiser_simulator import PriceHistory
from alchemiser_strategy.backtest import Fill, run_backtest
from alchemiser_strategy.corporate_actions import CorporateActions
from alchemiser_strategy.strategy_history import strategy_history

SAME = 1e-9
"""Of weights."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a session of the demo decided: fractions of equity by symbol, None if it came to no decision."""

    day: date
    targets: Mapping[str, float] | None


def beside(
    report: DemoReport, decided: Sequence[Decided], shares: Sequence[Share], history: PriceHistory, settings: Settings
) -> Beside | None:
    """The backtest of the demo's days; None where the first has no session before it to decide on."""
    dates = history.dates
    first, last = bisect_left(dates, decided[0].day), bisect_left(dates, decided[-1].day) + 1
    if first == 0:
        return None
    file = PriceFile(history, settings.data.carry_gaps)
    bars = file.bars(symbols_of(shares))
    histories = [strategy_history(share.strategy, bars, dates[first - 1]).between(first - 1, last) for share in shares]
    weights: dict[date, dict[str, float]] = {day: {} for day in dates[first:last]}
    for share, one in zip(shares, histories, strict=True):
        for row, day in enumerate(dates[first:last]):
            for symbol, weight in zip(one.symbols, one.weights[row].tolist(), strict=True):
                if weight:
                    weights[day][symbol] = weights[day].get(symbol, 0.0) + share.fraction * weight
    other = [item.day for item in decided if not _same(item.targets, weights[item.day])]
    invested = 1 - float(settings.trading.cash_reserve)
    cost = quality(report.orders)
    bps = max(0.0, float(cost.mean_bps)) if cost else 0.0
    whole, follows = to_the_end(file, file.prices(symbols_of(shares)), CorporateActions())
    prices = whole.between(first - 1, last)
    at_opens = replace(prices, closes=np.where(np.isnan(prices.opens), prices.closes, prices.opens))
    result = run_backtest(
        [(one, share.fraction * invested) for one, share in zip(histories, shares, strict=True)],
        at_opens,
        costs_bps=bps,
        fill=Fill.NEXT_CLOSE,
        actions=follows,
    )
    return Beside(
        total_return=float(result.equity[-1] - 1),
        sessions=len(decided),
        decided_otherwise=tuple(other),
        costs_bps=bps,
        reasons=_reasons(report, settings, file.history.given_open is None),
    )


def demo_benchmark(report: DemoReport, history: PriceHistory, asked: str | None) -> Benchmark | None:
    """The benchmark at the opens of the demo's sessions; None if none is wanted, or the file has not all of them.

    `asked` and errors as of `benchmark_prices`.
    """
    prices = benchmark_prices(PriceFile(history), asked)
    if prices is None:
        return None
    first = bisect_left(history.dates, report.started)
    rows = [first, *(bisect_left(history.dates, row.day) for row in report.rows)]
    levels = np.where(np.isnan(prices.opens), prices.closes, prices.opens)[rows, 0]
    return Benchmark(prices.symbols[0], levels / levels[0]) if np.isfinite(levels).all() else None


def _same(live: Mapping[str, float] | None, row: Mapping[str, float]) -> bool:
    return live is not None and all(
        abs(live.get(symbol, 0.0) - row.get(symbol, 0.0)) <= SAME for symbol in {*live, *row}
    )


def _reasons(report: DemoReport, settings: Settings, no_opens: bool) -> tuple[str, ...]:
    """What the demo does and a backtest does not."""
    anchor = "after the open" if settings.schedule.anchor is Anchor.OPEN else "before the close"
    reasons = [
        f"the demo trades and is valued {settings.schedule.offset_minutes} minutes {anchor}, the backtest at the open",
        "the demo trades whole shares, and no order that is too small",
    ]
    if settings.data.bar_policy is BarPolicy.PROVISIONAL:
        reasons.append("the demo decides on the day's provisional bars, the backtest on completed ones")
    if no_opens:
        reasons.append("the data have no opens: the demo's exchange derives them, the backtest takes the close instead")
    if odd := sum(row.status != "completed" for row in report.rows):
        reasons.append(f"{odd} of the demo's sessions did not complete")
    return tuple(reasons)
