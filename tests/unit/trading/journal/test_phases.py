"""The phases of a run."""

from pathlib import Path

from alchemiser_common.messages.report import RunStatus
from alchemiser_trading.journal.phases import TRANSITIONS, diagram

DOCS = Path(__file__).parents[4] / "docs"
PHASES = [status for status in RunStatus if status.journaled]


def test_every_phase_leads_to_an_end_and_no_end_leads_anywhere() -> None:
    assert set(TRANSITIONS) == set(PHASES)
    final = {phase for phase in PHASES if phase.final}
    for phase in PHASES:
        reachable, frontier = set[RunStatus](), {phase}
        while frontier:
            reachable |= frontier
            frontier = {after for before in frontier for after in TRANSITIONS[before]} - reachable
        assert reachable & final
        assert phase not in final or reachable == {phase}


def test_the_diagram_shows_every_arrow_and_no_other() -> None:
    lines = {line.strip() for line in diagram().splitlines()[1:]}
    arrows = {f"{before.value} --> {after.value}" for before, to in TRANSITIONS.items() for after in to}
    assert lines - arrows == {"[*] --> received", *(f"{phase.value} --> [*]" for phase in PHASES if phase.final)}
    assert arrows <= lines


def test_the_documented_phases_are_those_of_the_code() -> None:
    assert diagram().strip() in (DOCS / "trading.md").read_text(encoding="utf-8")
