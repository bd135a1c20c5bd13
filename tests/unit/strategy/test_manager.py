"""The manager nets what strategies say, keeps what it must, and is a pure function of the snapshot."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pytest

from alchemiser_common.errors import InvalidSettings, PermanentError
from alchemiser_common.messages.decision import Explanation, SignalStatus, TradeDecision
from alchemiser_common.settings import UnknownPolicy
from alchemiser_strategy.engine.builder import Builder
from alchemiser_strategy.errors import StrategyFailed, StrategyUnknown
from alchemiser_strategy.manager import Allocated, MultiStrategyManager
from alchemiser_strategy.registry import build_portfolio, built_in_strategies
from alchemiser_strategy.strategy import MarketView, Strategy, StrategyResult, TreeStrategy
from alchemiser_strategy.user_strategies import MakeStrategy
from unit.strategy.cases import WAVES, bars_of, sessions, snapshot_of, wave

DEFAULT = {"nuclear": 0.3, "tecl": 0.5, "klm": 0.2}


@dataclass(frozen=True)
class Says:
    """A user's strategy that says what it is told to."""

    name: str = "mine"
    status: SignalStatus = SignalStatus.TARGET
    weights: Mapping[str, float] | Exception = ()  # type: ignore[assignment]
    universe: Mapping[str, int] = field(default_factory=lambda: {"AAA": 1, "BBB": 1})

    def evaluate(self, view: MarketView) -> StrategyResult:
        if isinstance(self.weights, Exception):
            raise self.weights
        return StrategyResult(self.status, dict(self.weights), Explanation(summary="as told"))


def by_name(*strategies: Strategy) -> dict[str, MakeStrategy]:
    return {strategy.name: partial(lambda it: it, strategy) for strategy in strategies}


def two_symbols(**late: int) -> dict[str, Any]:
    closes = {"AAA": np.linspace(100, 120, 30), "BBB": np.linspace(100, 90, 30)}
    return {symbol: np.where(np.arange(30) < late.get(symbol, 0), np.nan, closes[symbol]) for symbol in closes}


def weights(decision: TradeDecision) -> dict[str, float]:
    return {target.symbol: target.weight for target in decision.targets}


def test_targets_are_netted_and_say_which_strategy_asked_for_how_much() -> None:
    one = Says("one", weights={"AAA": 0.5, "BBB": 0.5})
    two = Says("two", weights={"BBB": 0.4})
    decision = build_portfolio({"two": 0.75, "one": 0.25}, by_name(two, one)).evaluate(
        snapshot_of(bars_of(two_symbols()))
    )
    assert weights(decision) == pytest.approx({"AAA": 0.125, "BBB": 0.425})
    assert [signal.strategy for signal in decision.signals] == ["one", "two"], "signals go by name"
    shares = {share.strategy: share.weight for share in decision.targets[1].shares}
    assert shares == pytest.approx({"one": 0.125, "two": 0.3})


def test_equal_snapshots_give_equal_bytes_whatever_the_order_of_settings() -> None:
    snapshot = snapshot_of(bars_of(wave(*WAVES[0])))
    first = build_portfolio(DEFAULT).evaluate(snapshot)
    again = type(snapshot).model_validate_json(snapshot.model_dump_json())
    second = build_portfolio(dict(reversed(DEFAULT.items()))).evaluate(again)
    assert first.model_dump_json() == second.model_dump_json()
    assert first.snapshot_hash == snapshot.content_hash()
    assert (first.not_after, first.run_id, first.session) == (snapshot.not_after, snapshot.run_id, date(2026, 11, 23))


DECIDE_BLINDFOLD = """
import builtins, datetime, os, random, socket, sys, time
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.settings import UnknownPolicy
from alchemiser_strategy.registry import build_portfolio

snapshot = MarketSnapshot.model_validate_json(sys.stdin.read())
shares = {"nuclear": 0.3, "tecl": 0.5, "klm": 0.1, "klm-ensemble": 0.1}
manager = build_portfolio(shares, on_unknown=UnknownPolicy.CASH)

def forbidden(*args, **kwargs):
    raise AssertionError(f"the strategies reached outside: {args} {kwargs}")

class NoClock(datetime.datetime):
    now = forbidden

places = [(socket, "socket"), (builtins, "open"), (os, "open"), (time, "time"), (time, "monotonic"),
          (time, "perf_counter"), (random, "random"), (os, "urandom"), (os, "getenv"), (datetime, "datetime")]
kept = [(owner, name, getattr(owner, name)) for owner, name in places]
for owner, name in places:
    setattr(owner, name, NoClock if name == "datetime" else forbidden)
decision = manager.evaluate(snapshot)
for owner, name, value in kept:
    setattr(owner, name, value)
print(len(decision.targets))
"""


def test_deciding_touches_no_socket_no_file_no_clock_and_no_chance() -> None:
    """In a process of its own: another test's server must not miss its clock."""
    snapshot = snapshot_of(bars_of(wave(*WAVES[1])))
    done = subprocess.run(
        [sys.executable, "-c", DECIDE_BLINDFOLD],
        input=snapshot.model_dump_json(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0


def test_without_data_the_run_ends_and_says_what_was_missing() -> None:
    prices = wave(*WAVES[0], days=120)
    del prices["KMLM"]
    with pytest.raises(StrategyUnknown) as caught:
        build_portfolio({"tecl": 1.0}).evaluate(snapshot_of(bars_of(prices)))
    assert "strategy tecl" in str(caught.value)
    assert "moving-average-price(200) of SPY has 120 bars and needs 200" in str(caught.value)
    assert isinstance(caught.value, PermanentError)


def test_only_what_the_path_needs_can_be_missing() -> None:
    prices = wave(*WAVES[0])
    del prices["UVXY"], prices["BIL"], prices["SPXL"]  # read only in a bear market, held only by other branches
    assert weights(build_portfolio({"tecl": 1.0}).evaluate(snapshot_of(bars_of(wave(*WAVES[0]))))) == {"TECL": 1.0}
    bull = prices | {"SPY": np.linspace(100, 120, 252) + np.resize([0.0, 3.0], 252)}
    assert weights(build_portfolio({"tecl": 1.0}).evaluate(snapshot_of(bars_of(bull)))) == {"TECL": 1.0}


def test_by_policy_a_strategy_without_data_keeps_its_previous_targets_or_goes_to_cash() -> None:
    snapshot = snapshot_of(
        bars_of({"SPY": [1.0, 2.0]}), previous={"tecl": (sessions(2)[-1], {"BIL": 0.75, "UVXY": 0.25})}
    )
    kept = build_portfolio({"tecl": 1.0}, on_unknown=UnknownPolicy.KEEP).evaluate(snapshot)
    assert weights(kept) == {"BIL": 0.75, "UVXY": 0.25}
    assert kept.signals[0].status is SignalStatus.UNKNOWN
    assert build_portfolio({"tecl": 1.0}, on_unknown=UnknownPolicy.CASH).evaluate(snapshot).targets == ()
    with pytest.raises(StrategyUnknown, match="no previous targets to keep"):
        build_portfolio({"tecl": 1.0}, on_unknown=UnknownPolicy.KEEP).evaluate(snapshot_of(bars_of({"SPY": [1.0]})))


def test_hold_says_what_the_previous_targets_have_become() -> None:
    bars = bars_of(two_symbols())
    snapshot = snapshot_of(bars, previous={"mine": (bars.dates[1], {"BBB": 0.6})})
    decision = build_portfolio({"mine": 1.0}, by_name(Says(status=SignalStatus.HOLD))).evaluate(snapshot)
    growth = bars.closes[-1, 1] / bars.closes[0, 1]
    assert weights(decision) == pytest.approx({"BBB": 0.6 * growth / (0.4 + 0.6 * growth)}, abs=1e-12)


@pytest.mark.parametrize(
    ("weights_said", "complaint"),
    [
        (ZeroDivisionError("no names left"), "strategy mine raised ZeroDivisionError: no names left"),
        ({"AAA": -0.1}, "strategy mine wants -0.1 of AAA"),
        ({"AAA": float("nan")}, "strategy mine wants nan of AAA"),
        ({"AAA": 0.7, "BBB": 0.7}, "strategy mine wants 1.4 of its capital"),
        ({"ZZZ": 1.0}, "strategy mine wants 'ZZZ', which is not among its symbols"),
    ],
)
def test_a_strategy_that_misbehaves_is_named(weights_said: Mapping[str, float] | Exception, complaint: str) -> None:
    manager = build_portfolio({"mine": 1.0}, by_name(Says(weights=weights_said)))
    with pytest.raises(StrategyFailed, match=complaint.replace("(", r"\(")):
        manager.evaluate(snapshot_of(bars_of(two_symbols())))


@pytest.mark.parametrize(
    ("allocations", "complaint"),
    [
        ({}, "empty"),
        ({"tcl": 1.0}, "'tcl'; known strategies: klm, klm-ensemble, nuclear, nuclear-volatility, tecl"),
        ({"tecl": 0.5, "klm": 0.4}, "add up to 0.9; they must add up to 1"),
        ({"tecl": 1.5, "klm": -0.5}, "tecl is 1.5"),
        ({"tecl": 1.0, "klm": 0.0}, "klm is 0.0"),
    ],
)
def test_wrong_allocations_are_refused(allocations: dict[str, float], complaint: str) -> None:
    with pytest.raises(InvalidSettings, match=complaint):
        build_portfolio(allocations)


def test_a_users_strategy_cannot_take_a_built_in_name() -> None:
    with pytest.raises(InvalidSettings, match="'tecl' is taken"):
        build_portfolio({"tecl": 1.0}, by_name(Says("tecl")))


def test_the_portfolio_knows_what_data_it_needs() -> None:
    manager = build_portfolio(DEFAULT)
    assert {"SPY": 306, "FNGU": 1, "OKLO": 91, "BSV": 128, "PSQ": 291}.items() <= manager.universe.items()
    assert list(manager.universe) == sorted(manager.universe)
    assert set(built_in_strategies()) == {"nuclear", "tecl", "klm", "nuclear-volatility", "klm-ensemble"}


def corridor(threshold: float | None = None, frequency: str | None = None) -> MultiStrategyManager:
    b = Builder()
    even = b.weight_equal([b.asset("AAA"), b.asset("BBB")])
    symphony = b.symphony("even", even, threshold=threshold, frequency=frequency)
    return MultiStrategyManager([Allocated(TreeStrategy(symphony), 1.0)])


@pytest.mark.parametrize(
    ("decided", "manager", "goes_back"),
    [
        (sessions(20)[1], corridor(threshold=0.05), False),
        (sessions(20)[1], corridor(threshold=0.01), True),
        (sessions(20)[18], corridor(frequency="weekly"), False),
        (sessions(20)[10], corridor(frequency="weekly"), True),
        (sessions(20)[1], corridor(frequency="yearly"), False),
        (date(2020, 1, 2), corridor(frequency="yearly"), True),
    ],
)
def test_holdings_drift_until_the_rebalancing_rule_calls_them_back(
    decided: date, manager: MultiStrategyManager, goes_back: bool
) -> None:
    bars = bars_of(two_symbols())
    snapshot = snapshot_of(bars, previous={"even": (decided, {"AAA": 0.5, "BBB": 0.5})})
    decision = manager.evaluate(snapshot)
    if goes_back:
        assert weights(decision) == {"AAA": 0.5, "BBB": 0.5}
    else:
        row = bars.dates.index(decided) - 1  # a decision for a session saw the bar before it
        growth = bars.closes[-1] / bars.closes[row]
        assert decision.signals[0].status is SignalStatus.HOLD
        assert list(weights(decision).values()) == pytest.approx(growth / growth.sum(), abs=1e-12)
