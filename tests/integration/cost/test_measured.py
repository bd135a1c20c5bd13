"""The counts behind docs/cost.md: one cycle through the adapters of AWS."""

from cost import MEASURED
from cost.measure import Measured, measure
from support.aws import Aws


def test_a_cycle_asks_of_aws_what_the_page_says(aws: Aws) -> None:
    found, told = measure(aws), Measured.model_validate_json(MEASURED.read_bytes())
    differ = {name: (value, getattr(found, name)) for name, value in told if getattr(found, name) != value}
    log = differ.pop("log_bytes", (1, 1))  # carries line numbers and the time zone's text
    assert not differ, f"told and found: {differ}; if that is meant: make cost"
    assert abs(log[0] - log[1]) <= 0.2 * log[0], f"told and found: {log}; if that is meant: make cost"
