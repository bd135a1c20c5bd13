"""Odd elements and faults of bars, met by whole runs: data, strategy and trading, each through the broker's client."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from alchemiser_cli.simulated import Market
from alchemiser_cli.stored_runs import list_runs
from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.messages.reasons import LegReason
from alchemiser_simulator.control.lies import Operation, Patch
from alchemiser_simulator.control.rules import When
from alchemiser_simulator.market.changes import SkippedBars, changed
from support.portfolio_days import PortfolioDays, market_of, portfolio_days, symphony, weekdays

DAYS = weekdays(date(2019, 9, 2), 130)
FIRST = DAYS.index(date(2020, 2, 3))
TODAY, TOMORROW = DAYS[FIRST : FIRST + 2]
BEFORE, EARLIER = DAYS[FIRST - 1], DAYS[FIRST - 6]
DAILY = symphony(":rebalance-frequency :daily", "AAA", "BBB")
CHOOSES = """(defsymphony "own" {{:asset-class "EQUITIES" :rebalance-frequency :daily}} (weight-equal [
  (if (> ({reading} "OVER" {{:window {window}}}) 50) [(asset "AAA" nil)] [(asset "BBB" nil)])]))"""
SWITCHES = CHOOSES.format(reading="current-price", window=1)
AVERAGES = CHOOSES.format(reading="moving-average-price", window=20)


def moving() -> Market:
    """Symbols that move every night; OVER falls below 50 tonight."""
    steps = [1 + 0.01 * (row * 5 % 7) for row in range(len(DAYS))]
    closes = {
        "AAA": [round(100 * step, 2) for step in steps],
        "BBB": [round(50 * step, 2) for step in reversed(steps)],
        "OVER": [(60.0 if day < TODAY else 40.0) + row % 3 for row, day in enumerate(DAYS)],
    }
    return market_of(DAYS, closes)


@contextmanager
def standing(folder: Path, rule: str = DAILY, market: Market | None = None) -> Iterator[PortfolioDays]:
    """The line before today's session, with one strategy."""
    with portfolio_days(folder, market or moving(), TODAY, {"own": rule}) as line:
        yield line


def lie(line: PortfolioDays, path: str, *operations: Operation) -> None:
    """Tell it to every read of the path from now on."""
    line.exchange.control.add_fault(Patch(match=When(method="GET", path=path), operations=operations))


def refused(line: PortfolioDays) -> str:
    """Why today's run fails, as its record says; it sends nothing."""
    run = line.day(TODAY)
    assert run.summary.status == "failed", (run.summary.status, run.summary.reason)
    assert line.orders() == 0
    return run.summary.reason


def test_while_yesterdays_equity_is_null_exits_are_made_and_nothing_is_bought(tmp_path: Path) -> None:
    with standing(tmp_path, SWITCHES) as line:
        assert line.day(TODAY).summary.status == "completed"
        assert set(line.held()) == {"AAA"}
        lie(line, "/v2/account$", Operation(path="last_equity", value=None))
        run = line.day(TOMORROW)
        assert run.summary.status == "halted"
        assert (
            "max_daily_loss cannot be checked: the broker does not say what equity was at the last"
            in run.summary.reason
        )
        assert line.held() == {}


def test_an_account_that_is_still_onboarding_fails_the_run_with_its_status_and_what_it_lacks(tmp_path: Path) -> None:
    with standing(tmp_path) as line:
        lacks = [Operation(path=name, value=None) for name in ("cash", "equity", "buying_power", "last_equity")]
        lie(line, "/v2/account$", Operation(path="status", value="ONBOARDING"), *lacks)
        assert "is ONBOARDING, not ACTIVE, and has no equity, cash, buying_power" in refused(line)


def hours_reversed(day: date) -> list[Operation]:
    """A calendar in which that day opens in the afternoon and closes in the morning."""
    hours = (("open", "16:00"), ("close", "09:30"))
    return [Operation(path=f"*.{name}", value=value, where={"date": str(day)}) for name, value in hours]


def test_another_days_hours_with_the_open_after_the_close_matter_to_nobody(tmp_path: Path) -> None:
    with standing(tmp_path) as line:
        lie(line, "/v2/calendar$", *hours_reversed(EARLIER))
        assert line.day(TODAY).summary.status == "completed"
        assert set(line.held()) == {"AAA", "BBB"}


def test_the_days_own_hours_the_wrong_way_round_fail_the_run_until_a_retry_does_better(
    tmp_path: Path,
) -> None:
    with standing(tmp_path) as line:
        lie(line, "/v2/calendar$", *hours_reversed(TODAY))
        words = "the hours of 2020-02-03 cannot be: it opens at 16:00:00 and closes at 09:30:00"
        with pytest.raises(BrokerUnavailable, match=words):
            line.day(TODAY)
        (run,) = list_runs(line.platform.state, "demo")
        assert (run.status, line.orders()) == ("failed", 0)
        assert run.reason == f"calendar: {words}; the trigger may come again"
        line.exchange.control.clear_faults()
        assert line.day(TODAY).summary.status == "completed"
        assert set(line.held()) == {"AAA", "BBB"}


def test_an_asset_whose_fractionable_is_null_is_traded_in_whole_shares(tmp_path: Path) -> None:
    with standing(tmp_path) as line:
        odd = Operation(path="*.fractionable", value=None, where={"symbol": "AAA"})
        lie(line, "/v2/assets", odd, odd.model_copy(update={"path": "fractionable"}))
        assert line.day(TODAY).summary.status == "completed"
        held = line.held()
        assert held["AAA"] == held["AAA"].to_integral_value() > Decimal(400)
        assert held["BBB"] != held["BBB"].to_integral_value()


FAULTS = {
    "a last close times 1000": (
        [Operation(path="bars.AAA.-1.c", do="multiply", value=1000)],
        "plausible move: close went from 101 to 106000 on 2020-01-31; that is tenfold or more, and nothing is",
    ),
    "a last close less 60 per cent": (
        [Operation(path="bars.AAA.-1.c", do="multiply", value=0.4)],
        "last close borne out: close went from 101 to 42.4 on 2020-01-31; the latest trade, at 2020-02-03",
    ),
    "ten identical last closes": (
        [Operation(path=f"bars.AAA.-{row}.c", value=101.5) for row in range(1, 11)],
        "closes that move: the last 10 closes are all 101.5; of the 60 changes before 0 were zero",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_symbol_whose_bars_cannot_be_fails_the_run_that_needs_it(tmp_path: Path, fault: str) -> None:
    operations, words = FAULTS[fault]
    with standing(tmp_path) as line:
        lie(line, "/v2/stocks/bars$", *operations)
        reason = refused(line)
        assert "strategy own lacks data: current-price of AAA has 0 bars and needs 1" in reason
        assert words in reason


def test_nine_identical_last_closes_and_a_fall_that_trades_bear_out_are_traded_on(tmp_path: Path) -> None:
    with standing(tmp_path) as line:
        fallen = [Operation(path="bars.AAA.-1.c", do="multiply", value=0.4)]
        still = [Operation(path=f"bars.BBB.-{row}.c", value=50.5) for row in range(1, 10)]
        lie(line, "/v2/stocks/bars$", *fallen, *still)
        lie(line, "/v2/stocks/trades/latest$", Operation(path="trades.AAA.p", do="multiply", value=0.4))
        run = line.day(TODAY)
        assert run.snapshot is not None
        assert run.snapshot.missing == ()
        assert run.plan is not None
        assert [(leg.symbol, leg.cause) for leg in run.plan.skipped] == [("AAA", LegReason.PRICES_DISAGREE)]
        assert set(line.held()) == {"BBB"}


def test_a_saturdays_row_is_left_out_and_named_and_the_rest_is_traded_on(tmp_path: Path) -> None:
    """It would have been the last bar, at a hundredth of the price."""
    bar = {"t": "2020-02-01T05:00:00Z", "o": 1.0, "h": 1.0, "l": 1.0, "c": 1.0, "v": 100, "n": 1, "vw": 1.0}
    with standing(tmp_path) as line:
        lie(line, "/v2/stocks/bars$", Operation(path="bars.AAA", do="append", value=bar))
        run = line.day(TODAY)
        assert run.summary.status == "completed"
        assert run.snapshot is not None
        (named,) = run.snapshot.missing
        assert (named.symbol, named.rule) == ("AAA", "bars of sessions")
        assert named.detail == "bar of 2020-02-01, when the exchange had no session, is left out"
        assert run.snapshot.bars.dates[-1] == BEFORE
        assert set(line.held()) == {"AAA", "BBB"}


@pytest.mark.parametrize(("rule", "day"), [(DAILY, BEFORE), (AVERAGES, EARLIER)], ids=["the last", "inside"])
def test_a_session_that_is_missing_in_all_symbols_fails_the_run(tmp_path: Path, rule: str, day: date) -> None:
    plain = moving()
    lost = [SkippedBars(symbol=symbol, days=(day,)) for symbol in plain.history.symbols]
    with standing(tmp_path, rule, Market(changed(plain.history, lost), plain.calendar, "")) as line:
        assert f"no symbol has a bar of {day}, which the broker's calendar has as sessions" in refused(line)
