"""Holding means holding, through the three services on the simulated exchange: who holds is not traded."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.simulated import Market
from alchemiser_common.ids import Pipeline, Side
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.messages.report import RunStatus
from alchemiser_simulator.control.faults import PartialFills, When
from alchemiser_simulator.market.changes import Renamed, changed
from alchemiser_simulator.market.history import Split
from alchemiser_trading.books.book_store import StoredBooks, compare_books
from support.portfolio_days import PortfolioDays, market_of, portfolio_days, symphony, weekdays

FIRST = date(2020, 2, 3)
DAYS = weekdays(date(2019, 9, 2), 300)
START = DAYS.index(FIRST)
TODAY, TOMORROW, THIRD = DAYS[START : START + 3]


YEARLY = symphony(":rebalance-frequency :yearly", "AAA", "BBB")
LOOSE = symphony(":rebalance-threshold 0.2", "AAA", "BBB")
DAILY = symphony(":rebalance-frequency :daily", "BBB", "CCC")


def flat(price: float) -> list[float]:
    return [price] * len(DAYS)


def stepping(price: float, day: date, factor: float) -> list[float]:
    """At that price until `day`, which opens at another one and stays there."""
    return [price * factor if each >= day else price for each in DAYS]


def status(line: PortfolioDays) -> list[SignalStatus]:
    decision = line.runs[-1].decision
    assert decision is not None
    return [signal.status for signal in decision.signals]


def trades(line: PortfolioDays) -> list[tuple[str, Side]]:
    report = line.runs[-1].summary.report
    assert report is not None
    assert report.status in {RunStatus.COMPLETED, RunStatus.PARTIAL}, report.reason
    return [(leg.symbol, leg.side) for leg in report.legs if leg.filled > 0]


@pytest.mark.parametrize("rule", [YEARLY, LOOSE], ids=["yearly", "threshold"])
@pytest.mark.parametrize("pipeline", list(Pipeline))
def test_a_price_that_opens_two_per_cent_higher_and_stays_trades_nothing(
    tmp_path: Path, pipeline: Pipeline, rule: str
) -> None:
    market = market_of(DAYS, {"AAA": stepping(100.0, TOMORROW, 1.02), "BBB": flat(50.0)})
    with portfolio_days(tmp_path, market, TODAY, {"own": rule}, pipeline=pipeline) as line:
        line.day(TODAY)
        assert sorted(trades(line)) == [("AAA", Side.BUY), ("BBB", Side.BUY)]
        placed, held = line.orders(), line.held()
        for day in (TOMORROW, THIRD):
            run = line.day(day)
            assert status(line) == [SignalStatus.HOLD]
            assert run.plan is not None
            assert (run.plan.legs, run.plan.skipped) == ((), ())
            assert (line.orders(), line.held()) == (placed, held)
        report = run.summary.report
        assert report is not None
        assert [item.target - item.actual for item in report.residuals] == [0.0, 0.0]
        assert compare_books(line.platform.state, "demo", line.platform.broker.holdings().positions) == ()


def test_leveraged_funds_that_move_for_weeks_are_bought_once(tmp_path: Path) -> None:
    """Daily moves of 4 and 3 %, opens apart from the closes before; one rule for the year."""
    chance = np.random.default_rng(6)
    up, down = (np.exp(np.cumsum(chance.normal(0.001, scale, len(DAYS)))) for scale in (0.04, 0.03))
    closes = {"AAA": np.round(60 * up, 2).tolist(), "BBB": np.round(25 * down, 2).tolist()}
    opens = {name: _gapped(path, chance) for name, path in closes.items()}
    sessions = DAYS[START : START + 45]
    with portfolio_days(tmp_path, market_of(DAYS, closes, opens=opens), TODAY, {"own": YEARLY}) as line:
        line.day(sessions[0])
        placed, held = line.orders(), line.held()
        for day in sessions[1:]:
            line.day(day)
            assert status(line) == [SignalStatus.HOLD], day
            assert (line.orders(), trades(line)) == (placed, []), day
        assert line.held() == held
        weights = [item.weight for item in line.runs[-1].decision.targets]  # type: ignore[union-attr]
        assert max(weights) > 0.53, "they have drifted far from half and half"


def _gapped(closes: Sequence[float], chance: np.random.Generator) -> list[float]:
    before = [closes[0], *closes[:-1]]
    return [round(price * float(np.exp(chance.normal(0, 0.01))), 2) for price in before]


def test_what_a_partial_fill_left_is_held_and_not_completed(tmp_path: Path) -> None:
    market = market_of(DAYS, {"AAA": stepping(100.0, TOMORROW, 1.02), "BBB": flat(50.0)})
    some = PartialFills(
        match=When(method="POST", symbol="AAA"), fraction=Decimal("0.4"), max_fills=1, then="done_for_day", count=20
    )
    with portfolio_days(tmp_path, market, TODAY, {"own": YEARLY}) as line:
        line.exchange.control.add_fault(some)
        run = line.day(TODAY)
        assert run.summary.status == RunStatus.PARTIAL.value
        placed, held = line.orders(), line.held()
        assert held["AAA"] < 400 < held["BBB"]
        line.exchange.control.clear_faults()
        for day in (TOMORROW, THIRD):
            line.day(day)
            assert (status(line), line.orders(), line.held()) == ([SignalStatus.HOLD], placed, held)


def test_beside_a_strategy_that_rebalances_daily_only_that_one_is_traded(tmp_path: Path) -> None:
    """Both have BBB: a rise of it is sold by the daily one alone, out of its own shares."""
    prices = {"AAA": flat(100.0), "BBB": stepping(50.0, TOMORROW, 1.3), "CCC": flat(20.0)}
    with portfolio_days(tmp_path, market_of(DAYS, prices), TODAY, {"daily": DAILY, "yearly": YEARLY}) as line:
        line.day(TODAY)
        before = StoredBooks.load(line.platform.state, "demo").books
        line.day(TOMORROW)
        after = StoredBooks.load(line.platform.state, "demo").books
        assert status(line) == [SignalStatus.TARGET, SignalStatus.HOLD]
        assert [symbol for symbol, _ in trades(line)] == ["BBB", "CCC"]
        assert after["yearly"] == before["yearly"]
        assert after["daily"].quantity("BBB") < before["daily"].quantity("BBB")


def test_a_split_overnight_is_held_through(tmp_path: Path) -> None:
    closes = {"AAA": [25.0 if day >= TOMORROW else 100.0 for day in DAYS], "BBB": flat(50.0)}
    market = market_of(DAYS, closes, splits=(Split("AAA", TOMORROW, 4.0),))
    with portfolio_days(tmp_path, market, TODAY, {"own": YEARLY}) as line:
        line.day(TODAY)
        placed, held = line.orders(), line.held()
        for day in (TOMORROW, THIRD):
            line.day(day)
            assert (status(line), line.orders()) == ([SignalStatus.HOLD], placed)
        assert line.held() == {"AAA": held["AAA"] * 4, "BBB": held["BBB"]}
        books = StoredBooks.load(line.platform.state, "demo").books
        assert set(books) == {"own"}, "no share came to nobody"
        assert books["own"].quantity("AAA") == held["AAA"] * 4


def test_a_new_name_overnight_is_held_through(tmp_path: Path) -> None:
    """The strategy's file has the old one, which the broker does not know any more."""
    market = market_of(DAYS, {"AAA": flat(100.0), "BBB": flat(50.0)})
    history = changed(market.history, [Renamed(symbol="AAA", day=TOMORROW, into="NEW")])
    renamed = Market(history, market.calendar, "")
    with portfolio_days(tmp_path, renamed, TODAY, {"own": YEARLY}) as line:
        line.day(TODAY)
        placed, held = line.orders(), line.held()
        for day in (TOMORROW, THIRD):
            line.day(day)
            assert (status(line), line.orders()) == ([SignalStatus.HOLD], placed)
        assert line.held() == {"NEW": held["AAA"], "BBB": held["BBB"]}
        assert StoredBooks.load(line.platform.state, "demo").books["own"].quantity("NEW") == held["AAA"]


def test_the_targets_of_the_year_before_are_left_when_the_year_is_over(tmp_path: Path) -> None:
    """A hold is no stop: on the first session of the next period it goes back to its targets."""
    last, new = DAYS.index(date(2019, 12, 31)), DAYS.index(date(2020, 1, 1))
    market = market_of(DAYS, {"AAA": stepping(100.0, DAYS[last], 1.5), "BBB": flat(50.0)})
    with portfolio_days(tmp_path, market, DAYS[last - 1], {"own": YEARLY}) as line:
        line.day(DAYS[last - 1])
        line.day(DAYS[last])
        assert trades(line) == []
        line.day(DAYS[new])
        assert trades(line) == [], "decided on the bar of the old year"
        line.day(DAYS[new] + timedelta(days=1))
        assert status(line) == [SignalStatus.TARGET]
        assert trades(line) == [("AAA", Side.SELL), ("BBB", Side.BUY)]
