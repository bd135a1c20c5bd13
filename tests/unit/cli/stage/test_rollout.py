"""The rollout's rules: one step at a time, what blocks it, and nobody trades between phase and authority."""

from datetime import UTC, datetime, timedelta

import pytest

from alchemiser_cli.history import RunSummary
from alchemiser_cli.stage.names import PHASES
from alchemiser_cli.stage.rollout import RolloutState, blockers, plan
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.records.parity import Parity, Verdict
from support.messages import make_report

FIRST = datetime(2026, 11, 2, 14, 45, tzinfo=UTC)


def run(
    day: int, pipeline: Pipeline, *, decided: str = "same", took: int = 10, status: str = "completed"
) -> RunSummary:
    scheduled = FIRST + timedelta(days=day)
    cycle = cycle_id("paper", scheduled)
    report = make_report(
        run_id=run_id(cycle, pipeline),
        cycle_id=cycle,
        pipeline=pipeline,
        decision_hash=decided,
        status=RunStatus(status),
    ).traced(Stage.TRADING, scheduled, scheduled + timedelta(minutes=took))
    return RunSummary(report.run_id, cycle, None, None, report)


def parities(*days: int, verdict: Verdict = Verdict.IDENTICAL) -> list[Parity]:
    """Of the newest day first."""
    cycles = [(cycle_id("paper", FIRST + timedelta(days=day)), FIRST + timedelta(days=day)) for day in days]
    return [Parity(cycle_id=cycle, verdict=verdict, at=at) for cycle, at in cycles]


ALIKE = parities(*reversed(range(12)))


def both(day: int, **changes: str) -> list[RunSummary]:
    return [run(day, Pipeline.MODULAR, **changes), run(day, Pipeline.MONOLITH)]  # type: ignore[arg-type]


def differing(day: int) -> list[Parity]:
    return parities(day, verdict=Verdict.DIFFERENT)


def rollout(**changes: object) -> RolloutState:
    alike = [one for day in reversed(range(12)) for one in both(day)]
    known: dict[str, object] = {
        "stage": "dev",
        "phase": "shadow",
        "authority": Pipeline.MONOLITH,
        "run_in_progress": "",
        "trading": "active",
        "runs": alike,
        "parities": ALIKE,
        "dead_letters": 0,
        "alarms": (),
        **changes,
    }
    return RolloutState(**known)  # type: ignore[arg-type]


def test_only_neighbours_are_one_step_away() -> None:
    for number, here in enumerate(PHASES):
        for other, there in enumerate(PHASES):
            if abs(number - other) == 1:
                assert plan(rollout(phase=here), there, cycles=10).target == there
            else:
                with pytest.raises(InvalidSettings, match=r"leaves out|cannot be|already"):
                    plan(rollout(phase=here), there, cycles=10)


def test_nothing_blocks_a_cutover_after_ten_cycles_alike() -> None:
    assert blockers(rollout(), "cutover", cycles=10) == []
    assert rollout().parity_streak == 12


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run_in_progress": "run 7 has not ended"}, "run 7 has not ended"),
        ({"authority": Pipeline.MODULAR}, "authority is modular's"),
        ({"authority": None}, "authority is nobody's"),
        ({"trading": "halted"}, "trading is halted"),
        ({"dead_letters": 2}, "2 dead letters"),
        ({"alarms": ("alchemiser-dev-run-halted",)}, "alarm alchemiser-dev-run-halted is firing"),
        ({"runs": both(1)}, "1 of 10 cycles"),
        ({"runs": [*both(12), *rollout().runs], "parities": [*differing(12), *ALIKE]}, "0 of 10 cycles"),
        ({"runs": [run(12, Pipeline.MODULAR), *rollout().runs]}, "0 of 10 cycles"),
        (
            {
                "runs": [run(12, Pipeline.MODULAR, took=46), run(12, Pipeline.MONOLITH), *rollout().runs],
                "parities": [*parities(12), *ALIKE],
            },
            "took 0:46:00",
        ),
    ],
)
def test_what_blocks_a_cutover(changes: dict[str, object], words: str) -> None:
    (found,) = blockers(rollout(**changes), "cutover", cycles=10)
    assert words in found


def test_a_day_without_session_neither_adds_to_the_streak_nor_ends_it() -> None:
    quiet = [run(12, pipeline, decided="", status="skipped") for pipeline in Pipeline]
    assert rollout(runs=[*quiet, *rollout().runs]).parity_streak == 12


def test_going_back_waits_for_a_run_to_end_and_for_nothing_else() -> None:
    bad = rollout(authority=None, trading="halted", dead_letters=3, alarms=("x",), runs=[])
    assert blockers(bad, "staged", cycles=10) == []
    assert blockers(rollout(run_in_progress="run 7"), "staged", cycles=10) == ["run 7"]


@pytest.mark.parametrize(
    ("here", "there", "trader"),
    [("shadow", "cutover", "modular"), ("cutover", "shadow", "monolith")],
)
def test_where_the_trader_changes_the_deployment_comes_first_and_is_looked_at(
    here: str, there: str, trader: str
) -> None:
    steps = plan(rollout(phase=here), there, cycles=10).steps
    deploy, look, _, authority, again, doctor = steps
    assert deploy == f"alchemiser deploy dev --phase {there}"
    assert look == again == "alchemiser phase status --stage dev"
    assert authority == f'alchemiser authority --set {trader} --reason "rollout {here} to {there}"'
    assert doctor == "alchemiser doctor --stage dev"
    assert not any("authority --set" in step for step in plan(rollout(), "staged", cycles=10).steps)
