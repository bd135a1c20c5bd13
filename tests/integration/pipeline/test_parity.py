"""Both pipelines on one account, the modular one as a shadow: each seeded difference is caught, and named rightly.

The sides run minutes apart on the same exchange, with the monolith's handler and the modular functions as deployed.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from alchemiser_cli.cycles import Cycle, cycle_at, ensure_authority, on_exchange
from alchemiser_cli.simulated import embedded_exchange, open_market
from alchemiser_cli.stored_runs import list_parities
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline, cycle_id
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.decision import ComponentVersion, TradeDecision, netted
from alchemiser_common.messages.snapshot import MarketSnapshot
from alchemiser_common.metrics import Metrics
from alchemiser_common.records.parity import Cause, Parity, Verdict
from alchemiser_common.settings import Settings
from alchemiser_data.handler import DataFunction
from alchemiser_monolith import bootstrap
from alchemiser_monolith.bootstrap import (
    data_service,
    decision_service,
    local_pipeline,
    monolith,
    parity_judge,
    portfolio,
)
from alchemiser_monolith.handler import MonolithFunction
from alchemiser_monolith.judge import ParityJudge
from alchemiser_monolith.platform import Platform
from alchemiser_simulator.control.control import SimulatorControl
from alchemiser_simulator.control.lies import Answer, Operation, Patch
from alchemiser_simulator.control.rules import When
from alchemiser_strategy.manager import Allocated, MultiStrategyManager
from alchemiser_trading.account.authority import set_authority
from alchemiser_trading.handler import TradingFunction
from alchemiser_trading.runs.parity.verdicts import known_verdict

DAY = date(2020, 2, 3)
ONE: Mapping[str, object] = {"strategies": {"allocations": {"tecl": 1.0}}}
NUCLEAR: Mapping[str, object] = {"strategies": {"allocations": {"nuclear": 1.0}}}
AT_ONCE: Mapping[str, object] = {"execution": {"dry_walk_seconds": 0}}
"""A shadow's dry walk would take time of the exchange that both sides read."""
TWO: Mapping[str, object] = {"strategies": {"allocations": {"tecl": 0.5, "nuclear": 0.5}}}
BARS = When(method="GET", path="/v2/stocks/bars")
PROVISIONAL: Mapping[str, object] = {
    **ONE,
    "data": {"bar_policy": "provisional"},
    "schedule": {"anchor": "close", "offset_minutes": 20},
}

HEDGE = '(defsymphony "hedge" {} (if (> (rsi "SPY" {:window 10}) %s) [(asset "QQQ")] [(asset "SPY")]))'


@dataclass
class Both:
    """The two pipelines of one account, on one exchange."""

    monolith: Platform
    modular: Platform
    cycle: Cycle
    control: SimulatorControl
    lines: io.StringIO
    """What is counted."""

    @property
    def name(self) -> str:
        return cycle_id(self.monolith.settings.account_alias, self.cycle.trigger.scheduled_at)

    @property
    def judge(self) -> ParityJudge:
        return parity_judge(self.monolith, portfolio(self.monolith))

    def run_monolith(self) -> None:
        metrics = Metrics("dev", self.monolith.clock, self.lines)
        trading = TradingFunction(decision_service(self.monolith), metrics)
        function = MonolithFunction(monolith(self.monolith), trading, metrics, judge=self.judge)
        function.handle({"scheduled_at": self.cycle.trigger.scheduled_at.isoformat()}, lambda: timedelta(hours=2))

    def run_modular(self) -> None:
        local_pipeline(self.modular).run(self.cycle.trigger)

    def watch(self) -> list[Parity]:
        """As the schedule does from a quarter of an hour before the decision on."""
        return list(self.judge.due())

    def after(self, **passed: float) -> None:
        self.monolith.clock.sleep(timedelta(**passed).total_seconds())

    def verdict(self) -> Parity:
        found = known_verdict(self.monolith.state, self.name)
        assert found is not None
        return found


@contextmanager
def both(
    folder: Path, changes: Mapping[str, object] = ONE, modular: Mapping[str, object] | None = None
) -> Iterator[Both]:
    """Minutes before the cycle is due, with the judge looking since."""
    own = {"home": folder, **changes, "pipeline": Pipeline.MONOLITH, "compared": True}
    settings = Settings.model_validate(own)
    shadow = Settings.model_validate(
        {**own, "pipeline": Pipeline.MODULAR, "shadow": True, **AT_ONCE, **(modular or {})}
    )
    market = open_market(None)
    with embedded_exchange(market, start=DAY, state=None) as exchange:
        due = decision_time(market.as_session(market.sessions_from(DAY, 1)[0]), settings.schedule)
        exchange.clock.move_to(due - timedelta(minutes=15))
        platform, other = on_exchange(settings, {}, exchange), on_exchange(shadow, {}, exchange)
        ensure_authority(settings, platform.state, platform.clock.now())
        with SimulatorControl(str(platform.settings.broker.trading_url)) as control:
            found = Both(
                platform, replace(other, state=platform.state), cycle_at(settings, due), control, io.StringIO()
            )
            assert found.watch() == [], "nothing is due yet"
            exchange.clock.move_to(due)
            yield found


def falsify(both: Both, *operations: Operation) -> None:
    """From now on bars come otherwise."""
    both.control.add_fault(Patch(match=BARS, operations=operations))


def one_bar(both: Both) -> None:
    falsify(both, Operation(path="bars.TQQQ.-1.c", do="multiply", value=1.0001))


def one_history(both: Both) -> None:
    falsify(both, Operation(path="bars.TQQQ.*.c", do="multiply", value=0.5))


def minutes_later(both: Both) -> None:
    both.after(minutes=7)


SEEDED: dict[str, tuple[Mapping[str, object], Mapping[str, object], Callable[[Both], None] | None, object]] = {
    "nothing": (ONE, {}, None, (Verdict.IDENTICAL, None, "")),
    "one bar": (ONE, {}, one_bar, (Verdict.EQUIVALENT, Cause.DATA, "bars TQQQ 2020-01-31 close")),
    "one adjusted history": (ONE, {}, one_history, (Verdict.EQUIVALENT, Cause.DATA, "closes: 1 and times 2")),
    "a provisional bar": (PROVISIONAL, {}, minutes_later, (Verdict.EQUIVALENT, Cause.DATA, "2020-02-03 close")),
    "one strategy missing": (
        TWO,
        ONE,
        None,
        (Verdict.DIFFERENT, Cause.SETTINGS, "strategies.allocations nuclear: 0.5 and nothing"),
    ),
    "another reserve": (
        ONE,
        {"trading": {"cash_reserve": "0.02"}},
        None,
        (Verdict.DIFFERENT, Cause.SETTINGS, "trading.cash_reserve: 0.01 and 0.02"),
    ),
    "another reserve and a bar": (
        ONE,
        {"trading": {"cash_reserve": "0.02"}},
        one_bar,
        (Verdict.DIFFERENT, Cause.SETTINGS, "trading.cash_reserve: 0.01 and 0.02"),
    ),
}


@pytest.mark.parametrize(("settings", "modular", "between", "expected"), SEEDED.values(), ids=SEEDED)
def test_a_seeded_difference_is_named(
    tmp_path: Path,
    settings: Mapping[str, object],
    modular: Mapping[str, object],
    between: Callable[[Both], None] | None,
    expected: tuple[Verdict, Cause | None, str],
) -> None:
    verdict, cause, words = expected
    with both(tmp_path, settings, modular) as sides:
        sides.run_modular()
        if between is not None:
            between(sides)
        sides.run_monolith()
        found = sides.verdict()
        assert (found.verdict, found.cause) == (verdict, cause), found.detail
        assert words in "; ".join([found.detail, *map(str, found.differences)])
        assert sides.watch() == [], "one verdict a cycle"
        assert sum("ParityChecked" in line for line in sides.lines.getvalue().splitlines()) == 1, "told once"


@pytest.mark.parametrize("threshold", ["0.001", "0.0010001"], ids=["another branch", "the same branch"])
@pytest.mark.parametrize("data", [False, True], ids=["same data", "other data"])
def test_one_threshold_of_one_strategy_is_code_whatever_the_data_are(
    tmp_path: Path, threshold: str, data: bool
) -> None:
    folders = {}
    for name, value in (("mine", "0.001"), ("theirs", "99" if threshold == "0.001" else threshold)):
        folders[name] = tmp_path / name
        folders[name].mkdir()
        (folders[name] / "hedge.clj").write_text(HEDGE % value)
    settings = {"strategies": {"allocations": {"hedge": 1.0}, "folder": folders["mine"]}}
    theirs = {"strategies": {"allocations": {"hedge": 1.0}, "folder": folders["theirs"]}}
    with both(tmp_path / "home", settings, theirs) as sides:
        sides.run_modular()
        if data:
            falsify(sides, Operation(path="bars.SPY.-1.c", do="multiply", value=1.0001))
        sides.run_monolith()
        found = sides.verdict()
    assert (found.verdict, found.cause) == (Verdict.DIFFERENT, Cause.CODE), found.detail
    assert found.differences[0].where == "hedge rules"
    (step,) = (item for item in found.differences if item.where == "hedge step 1")
    assert "> 0.001 is True" in step.monolith
    assert theirs_says(threshold) in step.modular


def theirs_says(threshold: str) -> str:
    return "> 99 is False" if threshold == "0.001" else "> 0.0010001 is True"


def test_a_build_that_decides_the_same_is_named_and_no_difference(tmp_path: Path) -> None:
    with both(tmp_path) as sides:
        sides.run_modular()
        own = portfolio(sides.monolith)
        other = MultiStrategyManager(
            [Allocated(part.strategy, part.fraction) for part in own.portfolio],
            versions=(ComponentVersion(component="strategy", version="9", git_sha="f" * 40),),
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bootstrap, "portfolio", lambda _: other)
            sides.run_monolith()
        found = sides.verdict()
    assert found.verdict is Verdict.IDENTICAL
    assert "builds: strategy 9 ffffffffffff and " in found.detail


class Rounding(MultiStrategyManager):
    """Decides as the other one, and rounds each weight to six digits."""

    def evaluate(self, snapshot: MarketSnapshot) -> TradeDecision:
        decision = super().evaluate(snapshot)
        signals = tuple(
            signal.model_copy(
                update={
                    "weights": tuple(
                        item.model_copy(update={"weight": round(item.weight, 6)}) for item in signal.weights
                    )
                }
            )
            for signal in decision.signals
        )
        return decision.model_copy(update={"signals": signals, "targets": netted(signals)})


@pytest.mark.parametrize("data", [False, True], ids=["same data", "other data"])
def test_rounding_is_code_and_no_tolerance_hides_it(tmp_path: Path, data: bool) -> None:
    with both(tmp_path, NUCLEAR) as sides:
        own = portfolio(sides.modular)
        rounding = Rounding([Allocated(part.strategy, part.fraction) for part in own.portfolio])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bootstrap, "portfolio", lambda _: rounding)
            sides.run_modular()
        if data:
            falsify(sides, Operation(path="bars.SPY.-1.c", do="multiply", value=1.0001))
        sides.run_monolith()
        found = sides.verdict()
    assert (found.verdict, found.cause) == (Verdict.DIFFERENT, Cause.CODE), found.detail
    weights = [item for item in found.differences if item.where.startswith("nuclear weight ")]
    assert weights
    assert all(abs(float(item.monolith) - float(item.modular)) < 1e-6 for item in weights)


def refuses_data(sides: Both) -> None:
    sides.control.add_fault(Answer(match=BARS, status=403, body={"code": 40310000, "message": "no subscription"}))
    sides.run_modular()
    sides.control.clear_faults()


def too_late(sides: Both) -> None:
    sides.after(minutes=45)
    sides.run_modular()


def not_at_all(_: Both) -> None:
    """Nobody triggers it."""


def decides_nothing(sides: Both) -> None:
    sides.control.add_fault(Patch(match=BARS, operations=(Operation(path="bars.TQQQ", do="remove"),)))
    sides.run_modular()
    sides.control.clear_faults()


def lost_on_its_way(sides: Both) -> None:
    """The data function has published, and its message never arrives."""
    queue = sides.modular.market_data_queue
    data = DataFunction(data_service(sides.modular, portfolio(sides.modular), Pipeline.MODULAR), queue)
    data.handle(sides.cycle.trigger.model_dump(mode="json"))


SILENT: dict[str, tuple[Callable[[Both], None], Stage, str]] = {
    "data failure": (refuses_data, Stage.DATA, "failed, "),
    "too late": (too_late, Stage.DATA, "skipped, the clock, "),
    "absent": (not_at_all, Stage.DATA, "no run is on record"),
    "lost message": (lost_on_its_way, Stage.STRATEGY, "its snapshot was published and no end was recorded"),
    "stage failure": (decides_nothing, Stage.STRATEGY, "failed, strategy: "),
}


@pytest.mark.parametrize(("modular", "stage", "why"), SILENT.values(), ids=SILENT)
def test_a_silent_side_is_named_with_its_stage_and_why_by_its_deadline(
    tmp_path: Path, modular: Callable[[Both], None], stage: Stage, why: str
) -> None:
    with both(tmp_path) as sides:
        sides.run_monolith()
        modular(sides)
        told = sides.watch()
        while not told and sides.monolith.clock.now() < sides.cycle.trigger.scheduled_at + timedelta(minutes=75):
            sides.after(minutes=5)
            told = sides.watch()
        assert [verdict.verdict for verdict in told] in ([Verdict.MISSING], [])
        found = sides.verdict()
        (lacking,) = found.lacking
        assert (found.verdict, lacking.pipeline, lacking.stage) == (Verdict.MISSING, Pipeline.MODULAR, stage)
        assert lacking.why.startswith(why), lacking.why
        assert sides.watch() == []


def test_a_cycle_of_which_nothing_was_heard_lacks_both_sides(tmp_path: Path) -> None:
    with both(tmp_path) as sides:
        sides.after(minutes=69)
        assert sides.watch() == []
        sides.after(minutes=1)
        (found,) = sides.watch()
        listed = list_parities(sides.monolith.state, sides.monolith.settings.account_alias, [])
    assert {(item.pipeline, item.stage) for item in found.lacking} == {(one, Stage.DATA) for one in Pipeline}
    assert listed == [found], "no list of runs leads to it"


def monolith_refuses_data(sides: Both) -> None:
    sides.control.add_fault(Answer(match=BARS, status=403, body={"code": 40310000, "message": "no subscription"}))
    sides.run_monolith()
    sides.control.clear_faults()


def monolith_too_late(sides: Both) -> None:
    sides.after(minutes=45)
    sides.run_monolith()


SILENT_MONOLITH: dict[str, tuple[Callable[[Both], None], str]] = {
    "data failure": (monolith_refuses_data, "failed, "),
    "too late": (monolith_too_late, "skipped, the clock, "),
    "absent": (not_at_all, "no run is on record"),
}


@pytest.mark.parametrize(("run", "why"), SILENT_MONOLITH.values(), ids=SILENT_MONOLITH)
def test_a_silent_monolith_does_not_hide_behind_the_modular_pipeline(
    tmp_path: Path, run: Callable[[Both], None], why: str
) -> None:
    with both(tmp_path) as sides:
        sides.run_modular()
        run(sides)
        sides.after(minutes=70)
        sides.watch()
        found = sides.verdict()
        assert sides.watch() == []
    (lacking,) = found.lacking
    assert (found.verdict, lacking.pipeline, lacking.stage) == (Verdict.MISSING, Pipeline.MONOLITH, Stage.DATA)
    assert lacking.why.startswith(why), lacking.why


@pytest.mark.parametrize("last", list(Pipeline))
def test_a_side_that_is_late_and_in_time_is_waited_for_and_judged_at_its_end(tmp_path: Path, last: Pipeline) -> None:
    with both(tmp_path) as sides:
        runs = {Pipeline.MONOLITH: sides.run_monolith, Pipeline.MODULAR: sides.run_modular}
        for pipeline in sorted(runs, key=lambda pipeline: pipeline is last):
            assert known_verdict(sides.monolith.state, sides.name) is None
            runs[pipeline]()
            sides.after(minutes=25 if pipeline is not last else 0)
        if last is Pipeline.MODULAR:  # the account that it saw has been traded: unequal inputs are the watch's
            assert [verdict.cycle_id for verdict in sides.watch()] == [sides.name]
        found = sides.verdict()
    assert found.verdict in {Verdict.IDENTICAL, Verdict.EQUIVALENT}, found.detail
    assert found.lacking == ()


def test_what_was_due_before_the_judge_looked_is_not_judged_and_a_holiday_is_not_due(tmp_path: Path) -> None:
    with both(tmp_path) as sides:
        sides.after(days=6)  # a pause longer than any weekend: the span begins anew, in the middle of a day
        assert sides.watch() == []
        sides.after(days=5)  # Friday to Wednesday, with Presidents' Day between
        assert sides.watch() == []


def test_a_cycle_that_the_modular_pipeline_traded_before_a_step_back_is_not_judged(tmp_path: Path) -> None:
    """It lacks the monolith, and nobody wanted it: the alarm would tell of a day on which all was well."""
    with both(tmp_path, modular={"shadow": False}) as sides:
        alias, now = sides.monolith.settings.account_alias, sides.monolith.clock.now()
        set_authority(sides.monolith.state, alias, Pipeline.MODULAR, who="test", reason="cutover", now=now)
        sides.run_modular()
        sides.after(days=1)
        before = cycle_id(alias, sides.cycle.trigger.scheduled_at)
        assert before not in [verdict.cycle_id for verdict in sides.watch()]
        assert known_verdict(sides.monolith.state, before) is None
