"""The gate of each step, and the steps: one at a time, and nobody trades between phase and authority."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alchemiser_cli.stage.gate import Blocker, RolloutState, blockers, require_open
from alchemiser_cli.stage.guards import ShadowKey
from alchemiser_cli.stage.names import PHASES
from alchemiser_cli.stage.rollout import plan
from alchemiser_cli.stage.stack import Refused
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline, cycle_id, run_id
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.report import RunStatus
from alchemiser_common.records.parity import Parity, Verdict
from alchemiser_readmodel.runs import RunSummary
from support.messages import make_report

FIRST = datetime(2026, 11, 2, 14, 45, tzinfo=UTC)


def run(day: int, pipeline: Pipeline, *, decided: str = "same", took: int = 1, status: str = "completed") -> RunSummary:
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
        "days_alike": 10,
        "shadow_key": ShadowKey.OWN,
        **changes,
    }
    return RolloutState(**known)  # type: ignore[arg-type]


def test_only_neighbours_are_one_step_away() -> None:
    for number, here in enumerate(PHASES):
        for other, there in enumerate(PHASES):
            if abs(number - other) == 1:
                assert plan(rollout(phase=here), there).target == there
            else:
                with pytest.raises(InvalidSettings, match=r"leaves out|cannot be|already"):
                    plan(rollout(phase=here), there)


def test_nothing_blocks_a_cutover_after_ten_days_alike() -> None:
    assert blockers(rollout(), "cutover") == []
    assert rollout().days_in_a_row() == 12


CONDITIONS: dict[str, tuple[dict[str, object], str, bool]] = {
    "a run": ({"run_in_progress": "run 7 has not ended"}, "run 7 has not ended", True),
    "the other's authority": ({"authority": Pipeline.MODULAR}, "authority is modular's", True),
    "no authority": ({"authority": None}, "authority is nobody's", True),
    "halted": ({"trading": "halted"}, "trading is halted", False),
    "dead letters": ({"dead_letters": 2}, "2 dead letters", False),
    "an alarm": ({"alarms": ("alchemiser-dev-run-halted",)}, "alarm alchemiser-dev-run-halted is firing", False),
    "too few days": ({"runs": both(1), "parities": parities(1)}, "1 of 10 trading days", False),
    "more days wanted": ({"days_alike": 13}, "12 of 13 trading days", False),
    "different": (
        {"runs": [*both(12), *rollout().runs], "parities": [*differing(12), *ALIKE]},
        "0 of 10 trading days",
        False,
    ),
    "no verdict yet": ({"runs": [run(12, Pipeline.MODULAR), *rollout().runs]}, "0 of 10 trading days", False),
    "late": (
        {
            "runs": [run(12, Pipeline.MODULAR, took=6), run(12, Pipeline.MONOLITH), *rollout().runs],
            "parities": [*parities(12), *ALIKE],
        },
        "broke its latency budget: 360 s to the end of trading, limit 300 s",
        False,
    ),
    "the key that trades": ({"shadow_key": ShadowKey.SHARED}, "ShadowKey=shared", False),
    "unwell": ({"unwell": ("queues: none",)}, "doctor: queues: none", False),
}


@pytest.mark.parametrize(("changes", "words", "final"), CONDITIONS.values(), ids=CONDITIONS)
def test_each_condition_blocks_a_cutover_and_only_a_run_and_authority_for_good(
    changes: dict[str, object], words: str, final: bool
) -> None:
    state = rollout(**changes)
    found = blockers(state, "cutover")
    assert [(words in str(blocker), blocker.final) for blocker in found] == [(True, final)]
    with pytest.raises(Refused, match="the step from shadow to cutover of stage dev is blocked") as refused:
        require_open(state, "cutover", found, override=False)
    assert words in str(refused.value)
    if final:
        with pytest.raises(Refused, match="no override goes past it"):
            require_open(state, "cutover", found, override=True)
    else:
        require_open(state, "cutover", found, override=True)


def test_what_can_be_overridden_takes_nothing_along_that_cannot() -> None:
    state = rollout(dead_letters=1, authority=None)
    with pytest.raises(Refused, match="no override goes past it: authority is nobody's"):
        require_open(state, "cutover", blockers(state, "cutover"), override=True)


def test_a_build_that_was_never_compared_does_not_come_with_the_cutover() -> None:
    (found,) = blockers(rollout(), "cutover", images=["strategy"])
    assert "another build of strategy would come with the step" in found.says
    assert blockers(rollout(phase="staged"), "shadow", images=["strategy"]) == []


def test_a_day_of_which_nothing_was_heard_ends_the_row() -> None:
    (silent,) = parities(12, verdict=Verdict.MISSING)
    assert rollout(parities=[silent, *ALIKE]).days_in_a_row() == 0


def test_two_cycles_of_a_day_are_one_day_and_both_must_be_alike() -> None:
    early = [replace(one, cycle_id=one.cycle_id.replace("14:45", "13:45")) for one in both(11)]
    (twin,) = {one.cycle_id for one in early}
    again = Parity(cycle_id=twin, verdict=Verdict.EQUIVALENT, at=FIRST)
    known = rollout()
    assert rollout(runs=[*known.runs, *early], parities=[*ALIKE, again]).days_in_a_row() == 12
    bad = again.model_copy(update={"verdict": Verdict.MISSING})
    assert rollout(runs=[*known.runs, *early], parities=[*ALIKE, bad]).days_in_a_row() == 0


def test_a_day_without_session_neither_adds_to_the_streak_nor_ends_it() -> None:
    quiet = [run(12, pipeline, decided="", status="skipped") for pipeline in Pipeline]
    assert rollout(runs=[*quiet, *rollout().runs]).days_in_a_row() == 12


def test_going_back_waits_for_a_run_to_end_and_for_nothing_else() -> None:
    bad = rollout(
        authority=None,
        trading="halted",
        dead_letters=3,
        alarms=("x",),
        runs=[],
        shadow_key=ShadowKey.SHARED,
        unwell="x",
    )
    assert blockers(bad, "staged") == []
    assert blockers(rollout(run_in_progress="run 7"), "staged") == [Blocker("run 7", final=True)]


@pytest.mark.parametrize(
    ("here", "there", "trader"),
    [("shadow", "cutover", "modular"), ("cutover", "shadow", "monolith")],
)
def test_where_the_trader_changes_the_deployment_comes_first_and_is_looked_at(
    here: str, there: str, trader: str
) -> None:
    steps = plan(rollout(phase=here), there).steps
    deploy, look, _, authority, again, doctor = steps
    assert deploy == f"alchemiser deploy dev --phase {there}"
    assert look == again == "alchemiser phase status --stage dev"
    assert authority == f'alchemiser authority --set {trader} --reason "rollout {here} to {there}"'
    assert doctor == "alchemiser doctor --stage dev"
    assert not any("authority --set" in step for step in plan(rollout(), "staged").steps)
