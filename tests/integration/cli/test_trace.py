"""`alchemiser trace`: where a run's time went, as a user meets it."""

import json
from pathlib import Path

import pytest

from support.command import alchemiser

FAILS_IN_STRATEGY = {
    "ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"klm": 1.0}',
    "ALCHEMISER_DATA__CARRY_GAPS": "0",
}
"""On the day after a gap of XLP, which klm reads."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one run traded, and a later one has no decision."""
    folder = tmp_path_factory.mktemp("workspace")
    first = alchemiser(folder, "run", "--json", extra={"ALCHEMISER_STRATEGIES__ALLOCATIONS": '{"tecl": 1.0}'})
    assert json.loads(first.out)["orders_placed_now"] > 0, first.err
    later = alchemiser(folder, "run", "--date", "2021-03-26", "--json", extra=FAILS_IN_STRATEGY)
    assert json.loads(later.out)["status"] == "failed", later.err
    return folder


def run_ids(home: Path) -> list[str]:
    return [run["run_id"] for run in json.loads(alchemiser(home, "runs", "--json").out)]


def test_a_run_that_traded_is_drawn_and_told_with_the_same_figures(home: Path) -> None:
    traded = run_ids(home)[-1]
    told = json.loads(alchemiser(home, "trace", traded, "--json").out)
    assert (told["run_id"], told["status"], told["stage"], told["ended"]) == (traded, "completed", "trading", True)
    parts = [(span["stage"], span["part"]) for span in told["spans"]]
    assert parts[:6] == [
        ("data", "start"),
        ("data", "work"),
        ("strategy", "queue"),
        ("strategy", "work"),
        ("trading", "queue"),
        ("trading", "first order"),
    ]
    shown = json.loads(alchemiser(home, "show", traded, "--json").out)
    asked = sorted(intent["written_at"].replace("Z", "+00:00") for intent in shown["intents"])
    assert (told["first_order"], told["last_order"]) == (asked[0], asked[-1])
    assert told["last_order"] <= told["last_fill"] <= told["at"]
    counted = [span["of_budget"] for span in told["spans"] if span["of_budget"] is not None]
    assert sum(counted) * told["budget"]["seconds"] == pytest.approx(told["budget"]["to_last_order"])
    drawn = alchemiser(home, "trace", traded[:8])
    assert drawn.code == 0, drawn.err
    for words in ("first order after 0.0 s", "last fill after", "of budget", "5 min 00 s", "ended in trading", "█"):
        assert words in drawn.out
    assert "over" not in drawn.out


def test_the_budget_is_the_settings_and_what_is_over_it_is_marked(home: Path) -> None:
    tight = {"ALCHEMISER_LATENCY__BUDGET_SECONDS": "5"}
    told = json.loads(alchemiser(home, "trace", run_ids(home)[-1], "--json", extra=tight).out)
    assert [line.rpartition(", ")[2] for line in told["budget"]["breaks"]] == ["limit 5 s", "limit 3 s"]
    drawn = alchemiser(home, "trace", run_ids(home)[-1], extra=tight)
    marked = [line.split()[0] for line in drawn.out.splitlines() if line.split()[-1:] == ["over"]]
    assert marked == ["trading", "to"]


def test_a_run_without_a_decision_shows_what_there_is_and_says_where_it_ended(home: Path) -> None:
    drawn = alchemiser(home, "trace", "last")
    assert drawn.code == 0, drawn.err
    for words in ("no orders", "ended in strategy after 0.0 s, failed: strategy: ", "XLP"):
        assert words in drawn.out
    told = json.loads(alchemiser(home, "trace", "--json").out)
    assert [span["stage"] for span in told["spans"]] == ["data", "data", "strategy", "strategy"]
    assert told["budget"]["to_last_order"] is None
