"""Whatever the record of authority, the phase, the flags and the moment of a death: at most one pipeline trades, and
where none does, or not to its end, an alarm of that phase says so.
"""

from collections.abc import Iterator

import pytest

from alchemiser_cli.stage.names import PHASES
from alchemiser_common.ids import Pipeline
from support.one_trader.combinations import Count, Crash, Outcome, Sent, Standing, combinations, played
from support.one_trader.stage import Stage, staged

WITHOUT_TRADER = {"monolith": 82, "staged": 82, "shadow": 72, "cutover": 82, "modular": 82}
"""Of a hundred. Somebody trades where the record names a pipeline that is called and is told to trade: with two flags,
two records and five deaths in twenty, less the two that lose their authority before their first order has left. In
phase `shadow` both are called, so that the other record makes a trader, too.
"""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, staged(patch) as made:
        yield made


@pytest.mark.timeout(300)
@pytest.mark.parametrize("phase", PHASES)
def test_at_most_one_trades_and_silence_is_heard(stage: Stage, phase: str) -> None:
    count = Count()
    for row, outcome, own in played(stage.play, phase):
        count.add(row, outcome, own=own)
    print(f"{phase}: {count}")  # noqa: T201  (shown with -rP)
    assert count.faults == []
    assert (count.rows, count.two, count.none, count.silent) == (100, 0, WITHOUT_TRADER[phase], 0)


def test_where_all_is_as_it_should_be_the_phases_trader_trades_to_the_end_and_no_alarm_fires(stage: Stage) -> None:
    """So the alarms of the table are its causes'."""
    for phase in PHASES:
        trader = Pipeline.MODULAR if phase in {"cutover", "modular"} else Pipeline.MONOLITH
        row = next(
            row
            for row in combinations(phase)
            if row.authority == trader.value
            and row.on == {pipeline: pipeline is trader for pipeline in Pipeline}
            and row.crash is Crash.NOWHERE
        )
        outcome = stage.play(row)
        assert (outcome.traders, outcome.completed, outcome.alarms) == ({trader}, True, ()), phase
        assert outcome.verdict == ("identical" if phase == "shadow" else "")


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome(sent=[Sent(Pipeline.MONOLITH, True), Sent(Pipeline.MODULAR, True)], completed=True), "two traders"),
        (Outcome(sent=[Sent(None, False)], completed=True), "an order that no intent explains"),
        (Outcome(sent=[Sent(Pipeline.MODULAR, True)], completed=True), "a trader that is told to plan only"),
        (Outcome(sent=[Sent(Pipeline.MONOLITH, False)], completed=True), "an order without authority"),
        (Outcome(), "no alarm, though the cycle came to nothing"),
        (Outcome(sent=[Sent(Pipeline.MONOLITH, True)]), "no alarm, though it was cut short"),
        (
            Outcome(sent=[Sent(Pipeline.MONOLITH, True)], completed=True, left_open=1),
            "no alarm, though it was cut short",
        ),
    ],
)
def test_the_table_sees_what_must_not_be(outcome: Outcome, fault: str) -> None:
    row = next(row for row in combinations("shadow") if row.on == {Pipeline.MONOLITH: True, Pipeline.MODULAR: False})
    assert row.authority is Standing.NONE
    assert fault in list(outcome.faults(row))
