"""A report's key figures in words, the same for page and terminal: model in, labelled texts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from alchemiser_cli import formats
from alchemiser_cli.report.model import BacktestReport, Benchmark, Beside, DemoReport
from alchemiser_cli.report.slippage import quality
from alchemiser_cli.report.statistics import (
    Drawdown,
    Floats,
    Performance,
    calmar,
    performance,
    relative,
    turnover,
    worst_drawdowns,
    yearly_returns,
)
from alchemiser_common.text import and_more

_MOST_NAMED = 8
MOST_FALLS = 5
WINDOW = 126
"""Sessions of the rolling Sharpe ratio: half a year."""
MOST_SYMBOLS = 15
SOURCES = "What came from what, of the equity at the beginning"


class Tone(StrEnum):
    """How a figure is coloured."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure: what it is, its value, and what to know about it."""

    label: str
    value: str
    note: str = ""
    tone: Tone = Tone.PLAIN


def demo_facts(report: DemoReport) -> tuple[Fact, ...]:
    """The tiles of a demo."""
    figures = performance(*report.curve)
    legs = report.orders
    cost = quality(legs)
    traded = sum(row.traded for row in report.rows) / len(report.rows)
    lines = [
        Fact(
            "Equity",
            formats.money(figures.final),
            f"from {formats.money(figures.initial)}",
        ),
        Fact("Return", formats.percent(figures.total_return, signed=True), _span(figures), _tone(figures.total_return)),
        Fact("Max drawdown", _depth(figures.max_drawdown), drawdown_note(figures.max_drawdown)),
        Fact("Volatility", formats.percent(figures.volatility, 1), "a year"),
        Fact("Legs traded", f"{len(legs):,}", f"over {formats.count(len(report.rows), 'session')}"),
        Fact("Turnover", formats.percent(traded, 1), "of equity, a mean session"),
    ]
    if cost is not None:
        lines.append(
            Fact("Slippage", formats.basis_points(cost.mean_bps), f"mean, {formats.money(cost.cost, 0)} in all")
        )
    if report.beside is not None:
        lines.append(_beside(report.beside))
    repeated = report.delivery.duplicates
    lines.append(
        Fact(
            "Duplicate orders",
            f"{repeated:,}",
            f"in {formats.count(report.delivery.messages_delivered, 'delivery', 'deliveries')}",
            Tone.BAD if repeated else Tone.GOOD,
        )
    )
    return tuple(lines)


def demo_statistics(report: DemoReport) -> tuple[Fact, ...]:
    """Every line of a demo's table that a backtest's has too."""
    days, equity = report.curve
    invested = sum(weight for row in report.rows for _, weight in row.weights) / len(report.rows)
    return _statistics(days, equity, invested, report.benchmark)


def demo_contributions(report: DemoReport) -> tuple[Fact, ...]:
    """What strategies and symbols came to, in the initial equity."""
    by_symbol = report.by_symbol
    rest = performance(*report.curve).total_return - sum(gain for _, gain in by_symbol)
    last = Fact("Dividends and the rest", formats.percent(rest, signed=True), "of all symbols")
    return (*_contributions(report.by_strategy, by_symbol), last)


def _beside(other: Beside) -> Fact:
    alike = other.sessions - len(other.decided_otherwise)
    decided = f"decided alike in {alike:,} of {formats.count(other.sessions, 'session')}"
    return Fact(
        "Backtest beside",
        formats.percent(other.total_return, signed=True),
        f"{decided}; costs {other.costs_bps:.1f} bp",
        Tone.BAD if other.decided_otherwise else Tone.PLAIN,
    )


def beside_notes(report: DemoReport) -> tuple[str, ...]:
    """Why a demo and the backtest of its days do not have the same return."""
    if report.beside is None:
        return ()
    days = [day.isoformat() for day in report.beside.decided_otherwise]
    other = (f"the backtest decided otherwise on {', '.join(and_more(days, _MOST_NAMED))}",) if days else ()
    return (*other, *report.beside.reasons)


def backtest_tiles(report: BacktestReport) -> tuple[Fact, ...]:
    """The few figures of a backtest that are looked at first."""
    figures = performance(report.days, report.equity)
    return (
        Fact("Return", formats.percent(figures.total_return, 1, signed=True), _span(figures)),
        Fact("CAGR", formats.percent(figures.cagr, signed=True), "a year", _tone(figures.cagr)),
        Fact("Sharpe", formats.ratio(figures.sharpe), "risk-free 0.0%"),
        Fact("Max drawdown", _depth(figures.max_drawdown), drawdown_note(figures.max_drawdown)),
    )


def backtest_facts(report: BacktestReport) -> tuple[Fact, ...]:
    """Every line of a backtest's table."""
    churn = turnover(report.traded[1:])  # the first day only starts the curve
    invested = float(report.weights.sum(axis=1).mean())
    return (
        *_statistics(report.days, report.equity, invested, report.benchmark),
        Fact("Turnover, a day", formats.percent(churn.daily), "one way, mean"),
        Fact("Turnover, a year", f"{formats.ratio(churn.yearly, 1)} times", "of equity, one way"),
        Fact("Costs", f"{report.costs_bps:g} bp", f"of what is exchanged; {report.costs_origin}"),
        Fact("Fill", report.fill),
    )


def _statistics(days: Sequence[date], equity: Floats, invested: float, benchmark: Benchmark | None) -> tuple[Fact, ...]:
    return (
        *performance_facts(performance(days, equity)),
        Fact("Calmar ratio", formats.ratio(calmar(equity)), "CAGR over the deepest fall"),
        Fact("Invested", formats.percent(invested, 1), "of equity, a mean day"),
        *_benchmark_facts(equity, benchmark),
    )


def _benchmark_facts(equity: Floats, benchmark: Benchmark | None) -> tuple[Fact, ...]:
    """The lines beside a benchmark of the same days."""
    if benchmark is None:
        return ()
    beside, name = relative(equity, benchmark.levels), benchmark.symbol
    captured = f"{formats.percent(beside.up_capture, 0)} / {formats.percent(beside.down_capture, 0)}"
    held = f"CAGR {formats.percent(beside.cagr, signed=True)}, deepest fall {formats.percent(beside.max_drawdown)}"
    return (
        Fact(f"{name}, held", formats.percent(beside.total_return, signed=True), held),
        Fact("Excess return", formats.percent(beside.excess, signed=True), f"over {name}"),
        Fact("Alpha", formats.percent(beside.alpha, signed=True), f"a year, beside {name}"),
        Fact("Beta", formats.ratio(beside.beta), f"to {name}"),
        Fact("Correlation", formats.ratio(beside.correlation), f"with {name}, daily returns"),
        Fact("Capture, up / down", captured, f"of {name}'s yearly growth on days it rose, fell"),
    )


def year_facts(days: Sequence[date], equity: Floats, benchmark: Benchmark | None) -> tuple[Fact, ...]:
    """Each year's return, beside the benchmark's."""
    other = {} if benchmark is None else dict(yearly_returns(days, benchmark.levels))
    name = "" if benchmark is None else benchmark.symbol
    return tuple(
        Fact(
            str(year),
            formats.percent(value, signed=True),
            f"{name} {formats.percent(other[year], signed=True)}" if year in other else "",
        )
        for year, value in yearly_returns(days, equity)
    )


def fall_lines(days: Sequence[date], equity: Floats) -> tuple[Fact, ...]:
    """The deepest falls."""
    falls = worst_drawdowns(days, equity, MOST_FALLS)
    return tuple(Fact(f"Fall {number}", _depth(fall), drawdown_note(fall)) for number, fall in enumerate(falls, 1))


def backtest_contributions(report: BacktestReport) -> tuple[Fact, ...]:
    """What strategies, symbols and costs came to, in the equity at the beginning."""
    costs = Fact("Costs", formats.percent(-report.paid, signed=True), "paid in all")
    return (*_contributions(report.by_strategy, report.by_symbol), costs)


def _contributions(
    by_strategy: Sequence[tuple[str, float]], by_symbol: Sequence[tuple[str, float]]
) -> tuple[Fact, ...]:
    rest = by_symbol[MOST_SYMBOLS:]
    return (
        *(Fact(name, formats.percent(gain, signed=True), "strategy") for name, gain in by_strategy),
        *(Fact(name, formats.percent(gain, signed=True), "symbol") for name, gain in by_symbol[:MOST_SYMBOLS]),
        *(
            (Fact(f"{len(rest)} others", formats.percent(sum(gain for _, gain in rest), signed=True), "symbols"),)
            if rest
            else ()
        ),
    )


def performance_facts(figures: Performance) -> tuple[Fact, ...]:
    """The lines that any equity curve has."""
    return (
        Fact("Total return", formats.percent(figures.total_return, signed=True), _span(figures)),
        Fact("CAGR", formats.percent(figures.cagr, signed=True), "252 sessions a year"),
        Fact("Volatility", formats.percent(figures.volatility), "a year"),
        Fact("Sharpe ratio", formats.ratio(figures.sharpe), "risk-free rate 0.00%"),
        Fact("Sortino ratio", formats.ratio(figures.sortino), "risk-free rate 0.00%"),
        Fact("Max drawdown", _depth(figures.max_drawdown), drawdown_note(figures.max_drawdown)),
        Fact("Best day", formats.percent(figures.best.value, signed=True), formats.day(figures.best.day)),
        Fact("Worst day", formats.percent(figures.worst.value, signed=True), formats.day(figures.worst.day)),
        Fact("Days with a gain", formats.percent(figures.positive_sessions, 1)),
    )


def drawdown_note(fall: Drawdown | None) -> str:
    """When a drawdown began, was deepest and ended."""
    if fall is None:
        return "never below a peak"
    end = f"back on {formats.day(fall.recovery)}" if fall.recovery else "not recovered"
    return f"{formats.day(fall.start)} to {formats.day(fall.trough)}, {end}"


def _depth(fall: Drawdown | None) -> str:
    return formats.percent(fall.depth if fall else 0.0)


def _span(figures: Performance) -> str:
    return f"over {formats.count(figures.sessions, 'session')}"


def _tone(value: float | None) -> Tone:
    if value is None or value == 0:
        return Tone.PLAIN
    return Tone.GOOD if value > 0 else Tone.BAD
