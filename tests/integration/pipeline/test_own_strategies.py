"""Other people's strategies on markets with young, thin, delisted and jumping symbols, through the real services.

What the line decides is what `decide` says of the same prices, and what that day's row of the history says.
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from alchemiser_cli.cycles import Cycle, cycle_at, cycle_runner, ensure_authority, on_exchange
from alchemiser_cli.price_file import PriceFile
from alchemiser_cli.research import choose, evaluate, symbols_of
from alchemiser_cli.simulated import Exchange, Market, embedded_exchange, open_market
from alchemiser_cli.stored_runs import read_detail, read_run
from alchemiser_common.decision_time import decision_time
from alchemiser_common.messages.decision import Signal, SignalStatus
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.settings import Settings
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.runs import RunDetail
from alchemiser_simulator import sample_history
from alchemiser_simulator.market.changes import SkippedBars
from alchemiser_strategy.strategy_history import strategy_history

DAYS = sample_history().dates[-320:]
"""Sessions of 2019-12 to 2021-03."""
RANKING = """(defsymphony "ranking" {:rebalance-frequency :daily}
 (filter (rsi {:window 10}) (select-top 2) [(asset "OLD") (asset "MID") (asset "NEW") (asset "BRK/B")]))"""
MONTHLY = """(defsymphony "monthly" {:rebalance-frequency :monthly}
 (weight-inverse-volatility 20 [(asset "OLD") (asset "MID") (asset "BRK/B")]))"""
CORRIDOR = """(defsymphony "corridor" {:rebalance-threshold 0.02} (weight-equal [(asset "OLD") (asset "MID")]))"""
FILES = {"ranking": RANKING, "monthly": MONTHLY, "corridor": CORRIDOR}


def prices(**changes: np.ndarray) -> dict[str, np.ndarray]:
    """Closes of four symbols at four decimals; NEW is listed 15 sessions before the end."""
    rng = np.random.default_rng(5)
    names = ("OLD", "MID", "NEW", "BRK/B")
    closes = {name: np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.015, len(DAYS)))), 4) for name in names} | changes
    closes["NEW"] = np.where(np.arange(len(DAYS)) < len(DAYS) - 15, np.nan, closes["NEW"])
    return closes


@dataclass
class Line:
    """A market from a file, strategies from a folder, and an exchange that can be moved from session to session."""

    folder: Path
    market: Market
    exchange: Exchange
    platform: Platform

    def cycle(self, day: date) -> Cycle:
        due = decision_time(
            self.market.as_session(self.market.sessions_from(day, 1)[0]), self.platform.settings.schedule
        )
        self.exchange.clock.move_to(due)
        return cycle_at(self.platform.settings, due)

    def run(self, day: date) -> RunDetail:
        cycle = self.cycle(day)
        cycle_runner(self.platform)(cycle, 1)
        summary = read_run(self.platform.state, cycle.run_id)
        assert summary is not None
        return read_detail(self.platform.state, self.platform.archive, summary)


@contextmanager
def line(
    folder: Path,
    closes: Mapping[str, np.ndarray],
    first: date,
    files: Mapping[str, str] = FILES,
    data: Mapping[str, object] | None = None,
) -> Iterator[Line]:
    (folder / "mine").mkdir(parents=True)
    for name, text in files.items():
        (folder / "mine" / f"{name}.clj").write_text(text)
    path = folder / "prices.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["date", *closes])
        for row, day in enumerate(DAYS):
            out.writerow([day, *("" if np.isnan(values[row]) else values[row] for values in closes.values())])
    settings = Settings.model_validate(
        {
            "home": folder,
            "strategies": {"folder": folder / "mine", "allocations": dict.fromkeys(files, 1 / len(files))},
            "data": data or {},
        }
    )
    market = open_market(path, folder)
    with embedded_exchange(market, start=first, state=None) as exchange:
        platform = on_exchange(settings, {}, exchange)
        ensure_authority(settings, platform.state, platform.clock.now())
        yield Line(folder, market, exchange, platform)


def signals(run: RunDetail) -> dict[str, Signal]:
    assert run.decision is not None, run.summary.reason
    return {signal.strategy: signal for signal in run.decision.signals}


def snapshot(run: RunDetail) -> MarketSnapshot:
    assert run.snapshot is not None, run.summary.reason
    return run.snapshot


def test_the_line_decide_and_the_history_say_the_same_and_a_young_candidate_is_left_out(tmp_path: Path) -> None:
    first = len(DAYS) - 26
    since = DAYS[first - 1]  # the first decision sees the close before its session
    with line(tmp_path, prices(), DAYS[first]) as there:
        shares = choose(there.platform.settings.strategies, [])
        file = PriceFile(there.market.history)
        whole = file.bars(symbols_of(shares))
        histories = {share.strategy.name: strategy_history(share.strategy, whole, since) for share in shares}
        statuses: dict[str, set[SignalStatus]] = {name: set() for name in FILES}
        for session in range(first, len(DAYS)):
            run = there.run(DAYS[session])
            assert run.summary.status in {"completed", "partial"}, run.summary.reason
            decided = evaluate(shares, file.bars(symbols_of(shares), DAYS[session - 1]), since)
            for outcome in decided:
                name = outcome.share.strategy.name
                signal = signals(run)[name]
                live = {item.symbol: item.weight for item in signal.weights}
                history = histories[name]
                row = dict(zip(history.symbols, history.weights[session - 1].tolist(), strict=True))
                assert live == pytest.approx(dict(outcome.result.weights), abs=1e-12), f"{name} on {DAYS[session]}"
                assert live == pytest.approx({s: w for s, w in row.items() if w > 0}, abs=1e-12), name
                assert signal.status is outcome.result.status
                statuses[name].add(signal.status)
            young = [item for item in signals(run)["ranking"].explanation.unknown if item.symbol == "NEW"]
            bars_of_new = max(0, session - (len(DAYS) - 15))
            assert [item.bars_had for item in young] == ([bars_of_new] if bars_of_new < 11 else [])
        assert statuses["monthly"] == statuses["corridor"] == {SignalStatus.TARGET, SignalStatus.HOLD}
        held = {position.symbol for position in there.platform.broker.holdings().positions}
        assert "BRK.B" in held, "the broker's spelling of a class of shares"


def test_a_delisted_symbol_and_one_that_nobody_knows_are_unknown_and_the_run_goes_on(tmp_path: Path) -> None:
    closes = prices()
    closes["MID"] = np.where(np.arange(len(DAYS)) > len(DAYS) - 30, np.nan, closes["MID"])
    files = {"ranking": RANKING.replace('(asset "NEW")', '(asset "NEW") (asset "NOONE")')}
    with line(tmp_path, closes, DAYS[-5], files) as there:
        run = there.run(DAYS[-5])
    assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason
    rules = {gap.symbol: gap.rule for gap in snapshot(run).missing}
    assert rules["NOONE"] == "present"
    assert rules["MID"] in {"present", "same last session"}
    assert {item.symbol for item in signals(run)["ranking"].explanation.unknown} == {"MID", "NEW", "NOONE"}


HELD = """(defsymphony "yearly" {:rebalance-frequency :yearly}
 (group "one" [(weight-specified 0.9 (asset "OLD") 0.1 (asset "MID"))]))"""


def test_an_edited_strategy_is_due_at_once_and_says_so_and_another_label_is_no_edit(tmp_path: Path) -> None:
    with line(tmp_path, prices(), DAYS[-9], {"yearly": HELD}) as there:
        file = there.folder / "mine" / "yearly.clj"
        first = there.run(DAYS[-9])
        assert signals(first)["yearly"].status is SignalStatus.TARGET
        file.write_text(HELD.replace('"one"', '"another"'))
        assert signals(there.run(DAYS[-8]))["yearly"].status is SignalStatus.HOLD
        file.write_text(HELD.replace("0.9", "0.2").replace("0.1", "0.8"))
        after = there.run(DAYS[-7])
        again = there.run(DAYS[-6])
    signal = signals(after)["yearly"]
    assert signal.status is SignalStatus.TARGET
    assert {item.symbol: item.weight for item in signal.weights} == {"MID": 0.8, "OLD": 0.2}
    assert f"its rules have changed since {DAYS[-10]}" in signal.explanation.summary
    assert signal.rules != signals(first)["yearly"].rules
    assert signals(again)["yearly"].status is SignalStatus.HOLD


def test_a_strategy_with_another_share_of_the_account_is_due_at_once(tmp_path: Path) -> None:
    def settings(there: Line, share: float) -> Platform:
        changes = {"allocations": {"yearly": share, "corridor": 1 - share}}
        strategies = there.platform.settings.strategies.model_copy(update=changes)
        changed = there.platform.settings.model_copy(update={"strategies": strategies})
        return replace(there.platform, settings=changed)

    with line(tmp_path, prices(), DAYS[-9], {"yearly": HELD, "corridor": CORRIDOR}) as there:
        there.run(DAYS[-9])
        assert signals(there.run(DAYS[-8]))["yearly"].status is SignalStatus.HOLD
        there.platform = settings(there, 0.2)
        after = there.run(DAYS[-7])
        assert signals(there.run(DAYS[-6]))["yearly"].status is SignalStatus.HOLD
    signal = signals(after)["yearly"]
    assert signal.status is SignalStatus.TARGET
    assert "its share of the account has changed from 0.5 to 0.2" in signal.explanation.summary


def halved(at: int) -> np.ndarray:
    closes = prices()["MID"].copy()
    closes[at:] = np.round(closes[at:] / 2.03, 4)
    return closes


def test_a_jump_that_nobody_announced_is_a_move(tmp_path: Path) -> None:
    with line(tmp_path, prices(MID=halved(len(DAYS) - 20)), DAYS[-5]) as there:
        run = there.run(DAYS[-5])
        assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason
        assert snapshot(run).missing == ()
        asked = there.platform.archive.keys("corporate-actions/MID/")
        assert asked == [f"corporate-actions/MID/{DAYS[-20]}.json"], "older than two weeks: remembered"
        there.run(DAYS[-4])


def at(row: int, factor: float) -> np.ndarray:
    """MID with one close that is wrong by a factor."""
    closes = prices()["MID"].copy()
    closes[row] = np.round(closes[row] * factor, 4)
    return closes


def resting(days: int) -> np.ndarray:
    """MID with so many equal closes before the last five."""
    closes = prices()["MID"].copy()
    closes[-5 - days : -5] = closes[-5 - days]
    return closes


@pytest.mark.parametrize(
    ("mid", "rule", "words"),
    [
        (at(-6, 1000.0), "plausible move", "tenfold or more, and nothing is announced; if it is real, add MID:"),
        (at(-6, 0.4), "last close borne out", "the latest trade, at"),
        (resting(10), "closes that move", "the last 10 closes are all"),
    ],
    ids=["x 1000", "-60 %", "ten equal closes"],
)
def test_a_last_close_that_cannot_be_is_named_and_only_what_rests_on_it_is_unknown(
    tmp_path: Path, mid: np.ndarray, rule: str, words: str
) -> None:
    files = {"ranking": RANKING, "old": '(defsymphony "old" {:rebalance-frequency :daily} (asset "OLD"))'}
    with line(tmp_path, prices(MID=mid), DAYS[-5], files) as there:
        run = there.run(DAYS[-5])
    assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason
    (gap,) = [gap for gap in snapshot(run).missing if gap.symbol == "MID"]
    assert (gap.rule, words in gap.detail) == (rule, True), gap.detail
    assert "MID" not in snapshot(run).bars.symbols
    assert "MID" in {item.symbol for item in signals(run)["ranking"].explanation.unknown}
    assert signals(run)["old"].status is SignalStatus.TARGET


def test_a_real_fall_of_the_last_close_is_borne_out_by_what_trades_after_it(tmp_path: Path) -> None:
    closes = prices()["MID"].copy()
    closes[-6:] = np.round(closes[-6:] * 0.41, 4)
    with line(tmp_path, prices(MID=closes), DAYS[-5]) as there:
        run = there.run(DAYS[-5])
    assert run.summary.status == RunStatus.COMPLETED.value, run.summary.reason
    assert snapshot(run).missing == ()


def test_a_session_that_is_missing_in_all_symbols_ends_the_run_unless_the_exchange_was_closed(tmp_path: Path) -> None:
    lost = DAYS[-9]
    with line(tmp_path, prices(), DAYS[-5]) as there:
        for symbol in there.market.history.symbols:
            there.exchange.control.change_market(SkippedBars(symbol=symbol, days=(lost,)))
        run = there.run(DAYS[-5])
        assert run.summary.status == RunStatus.FAILED.value
        assert f"no symbol has a bar of {lost}, which the broker's calendar has as sessions" in run.summary.reason
        assert "add it to data.closed_days" in run.summary.reason
        data = there.platform.settings.data.model_copy(update={"closed_days": (lost,)})
        there.platform = replace(there.platform, settings=there.platform.settings.model_copy(update={"data": data}))
        after = there.run(DAYS[-4])
    assert after.summary.status == RunStatus.COMPLETED.value, after.summary.reason
    assert lost not in snapshot(after).bars.dates
