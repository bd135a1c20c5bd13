"""Numbers read the same everywhere."""

from datetime import date
from decimal import Decimal

import pytest

from alchemiser_cli import formats

CASES = [
    (formats.percent(0.0512), "5.12%"),
    (formats.percent(-0.0512, 1), "\N{MINUS SIGN}5.1%"),
    (formats.percent(0.0512, signed=True), "+5.12%"),
    (formats.percent(-0.000001, signed=True), "0.00%"),
    (formats.percent(None), "\N{EN DASH}"),
    (formats.money(1234.5), "$1,234.50"),
    (formats.money(Decimal(-3), 0), "\N{MINUS SIGN}$3"),
    (formats.money(None), "\N{EN DASH}"),
    (formats.basis_points(Decimal("2.55")), "+2.6 bp"),
    (formats.basis_points(None), "\N{EN DASH}"),
    (formats.ratio(0.4249), "0.42"),
    (formats.ratio(None), "\N{EN DASH}"),
    (formats.quantity(Decimal("1200.500")), "1,200.5"),
    (formats.quantity(Decimal("1E+3")), "1,000"),
    (formats.count(1, "order"), "1 order"),
    (formats.count(1204, "delivery", "deliveries"), "1,204 deliveries"),
    (formats.day(date(2025, 1, 6)), "2025-01-06"),
    (formats.day(None), "\N{EN DASH}"),
    (formats.seconds(8.25), "8.2 s"),
    (formats.seconds(185), "3 min 05 s"),
    (formats.reading(-62.314), "\N{MINUS SIGN}62.31"),
    (formats.reading(None), "?"),
    (formats.portfolio([("leader", 1.0)]), "leader"),
    (formats.portfolio([("klm", 0.4), ("tecl", 0.6)]), "tecl 60% + klm 40%"),
    (formats.portfolio([(name, 0.2) for name in "abcde"]), "a 20% + b 20% + c 20% + 2 more"),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[expected for _, expected in CASES])
def test_a_number_reads_as(text: str, expected: str) -> None:
    assert text == expected
