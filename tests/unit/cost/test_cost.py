"""The bill: what is billed for what, and that the page says what the model computes."""

import pytest

from cost import MEASURED, PAGE, prices
from cost.measure import Measured
from cost.model import bill, functions, total
from cost.page import render
from cost.prices import Price
from cost.stacks import stacks

STACKS = stacks()
COUNTED = Measured.model_validate_json(MEASURED.read_bytes())


def test_the_page_is_what_the_model_says_of_the_present_template() -> None:
    assert PAGE.read_text("utf-8") == render(STACKS, COUNTED), "docs/cost.md is not current: make cost"


@pytest.mark.parametrize(
    ("quantity", "free_tier", "usd"), [(900_000, True, 0), (1_500_000, True, 0.25), (1_500_000, False, 0.75)]
)
def test_only_what_is_beyond_the_free_tier_costs(quantity: float, free_tier: bool, usd: float) -> None:
    assert Price("request", 0.5, 1_000_000, free=1_000_000).cost(quantity, free_tier=free_tier) == pytest.approx(usd)


def test_a_function_costs_its_memory_for_its_time() -> None:
    (data,) = [item for item in functions(STACKS["modular"], COUNTED) if item.service == "data"]
    assert data.gigabyte_seconds == data.memory / 1024 * data.duration.seconds
    wanted = data.gigabyte_seconds * prices.LAMBDA_TIME.usd / 1e6 + prices.LAMBDA_REQUEST.usd / 1e6
    assert data.per_run == pytest.approx(wanted)


def test_queues_are_polled_only_where_there_are_sources_and_shadow_runs_both_pipelines() -> None:
    names = {phase: {item.name: item.quantity for item in bill(stack, COUNTED)} for phase, stack in STACKS.items()}
    polled = {phase for phase, items in names.items() if "SQS, Lambda's polling" in items}
    assert polled == {"shadow", "cutover", "modular"}
    assert names["shadow"]["DynamoDB, writes"] == 2 * names["modular"]["DynamoDB, writes"]
    assert names["shadow"]["Secrets Manager, secrets"] == 2


def test_the_template_without_its_alarms_stays_under_a_dollar_a_month() -> None:
    """What an account pays that uses none of its always-free allowances elsewhere."""
    for phase in ("monolith", "staged", "cutover", "modular"):
        assert total(bill(STACKS[phase], COUNTED), "run", "storage", "logs", free_tier=True) < 1, phase
