"""A backtest from a file of prices: what is counted on, and what a person must know of it. No output of its own."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from alchemiser_cli import formats
from alchemiser_cli.price_file import PriceFile, price_file
from alchemiser_cli.price_moves import suspicious_moves
from alchemiser_cli.report.model import BacktestReport, Benchmark
from alchemiser_cli.research import Share, reach, symbols_of
from alchemiser_cli.simulated import Market
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.text import and_more
from alchemiser_strategy.backtest import Backtest, Fill, Prices, run_backtest
from alchemiser_strategy.bars import Bars, Bools
from alchemiser_strategy.corporate_actions import CorporateActions, ShareAction
from alchemiser_strategy.strategy_history import strategy_history

DEFAULT_BENCHMARK = "SPY"
DEFAULT_COSTS = 2.0
"""Basis points of what is exchanged: about what half a spread of a large fund costs."""
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Costs:
    """Basis points of what is exchanged, and where the figure comes from, in words."""

    bps: float = DEFAULT_COSTS
    origin: str = "assumed"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a backtest trades."""

    first: date | None = None
    """None: the first day on which every strategy decides."""
    last: date | None = None
    fill: Fill | None = None
    """None: the next open where the file has opens, otherwise the next close."""
    costs: Costs = Costs()
    benchmark: str | None = None
    """A symbol to buy and hold beside it. None: SPY, if the file has it on all days; an empty one: none."""


def backtest_of(
    market: Market, file: PriceFile, shares: Sequence[Share], terms: Terms, actions: CorporateActions | None = None
) -> BacktestReport:
    """The strategies on the market's file. With `actions`, which are the market's, on prices as they traded.

    Raises InvalidSettings: fewer than two sessions, or a fill at opens that the file does not have.
    """
    wanted = symbols_of(shares)
    bars = file.bars(wanted)
    known = [strategy_history(share.strategy, bars).known for share in shares]
    first, last = _rows(bars.dates, known, terms)
    # Each strategy begins at target on the first day, as it would if it were traded from then on.
    histories = [strategy_history(share.strategy, bars, bars.dates[first]).between(first, last) for share in shares]
    parts = [(history, share.fraction) for history, share in zip(histories, shares, strict=True)]
    prices = file.prices(wanted) if actions is None else file.traded_prices(actions.reachable(wanted))
    given = prices.between(first, last)
    fill = _fill(terms.fill, file, given, slice(first, last))
    table, follows = to_the_end(file, prices, actions or CorporateActions())
    result = run_backtest(parts, table.between(first, last), costs_bps=terms.costs.bps, fill=fill, actions=follows)
    benchmark, why_none = _benchmark(file, terms, slice(first, last))
    named = tuple((share.strategy.name, share.fraction) for share in shares)
    by_symbol = zip(result.symbols, result.gains.sum(axis=0).tolist(), strict=True)
    return BacktestReport(
        title=formats.portfolio(named),
        strategies=named,
        days=result.days,
        equity=result.equity,
        weights=result.weights,
        symbols=result.symbols,
        costs_bps=terms.costs.bps,
        costs_origin=terms.costs.origin,
        fill=fill.value,
        source=market.history.source,
        notice=market.notice,
        traded=result.turnover,
        benchmark=benchmark,
        by_strategy=tuple(zip([name for name, _ in named], result.gains.sum(axis=1).tolist(), strict=True)),
        by_symbol=tuple(sorted(((name, gain) for name, gain in by_symbol if gain), key=lambda item: -item[1])),
        paid=result.paid,
        without=tuple(sorted(file.without)),
        remarks=(
            *file.remarks,
            *why_none,
            *_at_close(result),
            *_carried(file, result, first),
            *_ended(follows, actions, result),
            *_young(shares, bars, first),
            *suspicious_moves(bars, max(0, first - reach(shares)), last),
        ),
    )


def _rows(days: Sequence[date], known: Sequence[Bools], terms: Terms) -> tuple[int, int]:
    """Rows first..last (exclusive): from the first day given, or from the first on which every strategy decides."""
    ready = max(int(np.argmax(one)) if one.any() else len(days) for one in known)
    first = bisect_left(days, terms.first) if terms.first else ready
    last = bisect_right(days, terms.last) if terms.last else len(days)
    if last - first < 2:
        enough = f"from {days[ready]} on" if ready < len(days) else "on no day"
        raise InvalidSettings(
            f"{max(last - first, 0)} sessions to simulate, at least 2 are needed: the data hold {days[0]} to "
            f"{days[-1]}, and all strategies have enough history {enough}; choose --from and --to accordingly"
        )
    return first, last


def _fill(asked: Fill | None, file: PriceFile, prices: Prices, rows: slice) -> Fill:
    """What is asked for, or what the file allows for."""
    traded = np.stack([file.present(symbol)[rows] for symbol in prices.symbols], axis=1)
    opens = bool((np.isfinite(prices.opens) & traded).any())
    if asked is Fill.NEXT_OPEN and not opens:
        raise InvalidSettings(
            "--fill next-open: the data have no opens on these days, and none are invented; give "
            "data with opens, or --fill next-close"
        )
    return asked or (Fill.NEXT_OPEN if opens else Fill.NEXT_CLOSE)


def benchmark_prices(file: PriceFile, asked: str | None) -> Prices | None:
    """Opens and closes of the benchmark alone, whatever is left out of the strategies; None if none is wanted.

    `asked` as in `Terms`. Raises InvalidSettings if the file lacks what is asked for.
    """
    if asked == "":
        return None
    symbol = (asked or DEFAULT_BENCHMARK).upper()
    if asked is not None:
        price_file(file.history, [symbol], named="--benchmark")
    return PriceFile(file.history, file.carry_gaps).prices([symbol])


def _benchmark(file: PriceFile, terms: Terms, rows: slice) -> tuple[Benchmark | None, Sequence[str]]:
    """The benchmark's line, or why there is none."""
    prices = benchmark_prices(file, terms.benchmark)
    if prices is None:
        return None, ()
    (symbol,), closes = prices.symbols, prices.closes[rows, 0]
    if not np.isfinite(closes).all():
        return None, [f"no benchmark: the data have no {symbol} on all of these days"]
    return Benchmark(symbol, closes / closes[0]), ()


def _last_rows(file: PriceFile, symbols: Iterable[str]) -> Mapping[str, int]:
    """The row of each symbol's last bar, of those that have any."""
    there = {symbol: np.flatnonzero(file.present(symbol)) for symbol in symbols}
    return {symbol: int(rows[-1]) for symbol, rows in there.items() if len(rows)}


def to_the_end(file: PriceFile, prices: Prices, actions: CorporateActions) -> tuple[Prices, CorporateActions]:
    """Both, so that every holding has a value on every day of the file.

    What has no bar any more while the days go on is cash at its last close, from the next day on; a gap that the end of
    the file cuts off takes the close before.
    """
    days, found, ends, closes = file.history.dates, [], dict(actions.ends), prices.closes.copy()
    for symbol, row in _last_rows(file, prices.symbols).items():
        column = prices.symbols.index(symbol)
        if row >= len(days) - 1 - file.carry_gaps:
            closes[row + 1 :, column] = closes[row, column]
        elif symbol not in ends:
            found.append(ShareAction(symbol, days[row + 1], {}, float(closes[row, column])))
            ends[symbol] = days[row + 1]
    return replace(prices, closes=closes), CorporateActions((*actions.actions, *found), ends)


def _at_close(result: Backtest) -> Sequence[str]:
    if not result.at_close:
        return []
    days = ", ".join(and_more([day.isoformat() for day in result.at_close], _MOST_NAMED))
    count = formats.count(len(result.at_close), "day")
    return [f"on {count} an open was lacking of what was held or wanted; the orders were filled at the close: {days}"]


def _carried(file: PriceFile, result: Backtest, first: int) -> Sequence[str]:
    """Gaps over which a holding was valued at the close before."""
    lines = []
    for column, symbol in enumerate(result.symbols):
        rows = np.flatnonzero(~file.present(symbol)[first : first + len(result.days)] & (result.weights[:, column] > 0))
        last = _last_rows(file, [symbol]).get(symbol, -1) - first
        gaps = [int(row) for row in rows if row < last or last >= len(file.history.dates) - 1 - first - file.carry_gaps]
        lines += [f"{symbol} {result.days[row]}" for row in gaps]
    if not lines:
        return []
    named = ", ".join(and_more(lines, _MOST_NAMED))
    return [
        (
            f"bars are missing of what was held; the close before was carried over (gaps of up to "
            f"{formats.count(file.carry_gaps, 'session')}): {named}"
        )
    ]


def _ended(follows: CorporateActions, actions: CorporateActions | None, result: Backtest) -> Sequence[str]:
    """Symbols whose bars end while the days go on."""
    told = {} if actions is None else actions.ends
    return [
        f"{symbol} has no bar from {day} on: what was held of it was sold at its last close"
        for symbol, day in sorted(follows.ends.items())
        if symbol not in told and day <= result.days[-1] and _was_held(result, symbol)
    ]


def _was_held(result: Backtest, symbol: str) -> bool:
    return symbol in result.symbols and bool((result.weights[:, result.symbols.index(symbol)] > 0).any())


def _young(shares: Sequence[Share], bars: Bars, first: int) -> Sequence[str]:
    """Since when symbols count that had not all bars that they need on the first day."""
    needed: dict[str, int] = {}
    for share in shares:
        for symbol, count in share.strategy.universe.items():
            needed[symbol] = max(count, needed.get(symbol, 0))
    since: list[tuple[int, str]] = []
    for symbol in bars.symbols:
        there = np.flatnonzero(~np.isnan(bars.of(symbol)))
        row = int(there[0]) + needed[symbol] - 1 if len(there) else bars.days
        if row > first:
            since.append((row, symbol))
    if not since:
        return []
    words = [f"{symbol} {bars.dates[row] if row < bars.days else 'never'}" for row, symbol in sorted(since)]
    return [
        (
            f"{len(since)} of {len(bars.symbols)} symbols had too few bars on {bars.dates[first]}; they count in full "
            f"since: {', '.join(and_more(words, _MOST_NAMED))}"
        )
    ]
