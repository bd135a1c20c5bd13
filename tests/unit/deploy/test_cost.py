"""What the page of costs counts is what the template makes."""

from collections.abc import Callable

import pytest

from alchemiser_cli.stage.names import PHASES
from alchemiser_common.metrics import Metric
from deploy.expand import Stack
from deploy.template import ROOT
from support.deployment import stack

PAGE = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
_OF_A_COMPARISON = {Metric.PARITY_CHECKED, Metric.PARITY_BROKEN}


def row(name: str) -> list[int]:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {name}")]
    return [int(cell) for cell in line.strip("|").split("|")[1:]]


def schedules_on(found: Stack) -> int:
    schedules = found.of_type("AWS::Scheduler::Schedule").values()
    return sum(item.get("State", "ENABLED") == "ENABLED" for item in schedules)


def custom_metrics(found: Stack) -> int:
    """Twelve of each pipeline that runs; the two of a comparison where both do."""
    running = schedules_on(found) - 1
    return running * (len(Metric) - len(_OF_A_COMPARISON)) + (len(_OF_A_COMPARISON) if running > 1 else 0)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("functions", lambda found: len(found.of_type("AWS::Lambda::Function"))),
        ("queues that are polled", lambda found: len(found.of_type("AWS::Lambda::EventSourceMapping"))),
        ("schedules that are on", schedules_on),
        ("custom metrics |", custom_metrics),
        ("alarms |", lambda found: len(found.of_type("AWS::CloudWatch::Alarm"))),
    ],
)
def test_a_row_of_the_page_is_the_templates_count_in_each_phase(name: str, count: Callable[[Stack], int]) -> None:
    assert row(name) == [count(stack(phase)) for phase in PHASES]


def test_the_page_knows_every_queue_and_the_alarms_and_metrics_of_the_last_phase() -> None:
    last = stack("modular")
    assert f"of {len(last.of_type('AWS::SQS::Queue'))} |" in PAGE
    assert f"| alarms, each metric in one | {len(last.of_type('AWS::CloudWatch::Alarm'))} |" in PAGE
    assert f"| custom metrics: {custom_metrics(last)}, each told" in PAGE
