"""What counts as a number in an answer of the broker."""

from decimal import Decimal

import pytest

from alchemiser_common.alpaca.reading import number_or_none


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("1.50", Decimal("1.50")),
        (0.1, Decimal("0.1")),
        (3, Decimal(3)),
        ("-2", Decimal(-2)),
        ("1e-99", Decimal("1e-99")),
        ("0.01e-99", None),
        ("1e-999999999", None),
        ("1e999999999", None),
        ("NaN", None),
        ("Infinity", None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ("", None),
        ("1,5", None),
    ],
)
def test_a_number_is_what_can_be_reckoned_with(told: object, read: Decimal | None) -> None:
    assert number_or_none(told) == read
