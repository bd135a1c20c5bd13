"""Announcements as Alpaca's reference shows them, read as changes of a share count."""

from datetime import date
from decimal import Decimal

import pytest

from alchemiser_common.alpaca.payloads import CorporateActionsPayload
from alchemiser_common.alpaca.reading import parse
from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ports.broker import Split

REVERSE = {
    "symbol": "MNTS",
    "old_cusip": "60879E101",
    "new_cusip": "60879E200",
    "new_rate": 1,
    "old_rate": 50,
    "process_date": "2023-08-24",
    "ex_date": "2023-08-24",
    "record_date": "2023-08-24",
}
FORWARD = {
    "symbol": "SRE",
    "cusip": "816851109",
    "new_rate": 2,
    "old_rate": 1,
    "process_date": "2023-08-22",
    "ex_date": "2023-08-22",
    "payable_date": "2023-08-21",
}
DIVIDEND = {
    "symbol": "MSBC",
    "cusip": "000000000",
    "rate": 0.05,
    "process_date": "2023-05-19",
    "ex_date": "2023-05-19",
    "payable_date": "2023-05-05",
}
UNITS = {
    "old_symbol": "TPBAU",
    "old_rate": 1,
    "new_symbol": "LVRO",
    "new_rate": 1,
    "alternate_symbol": "LVROW",
    "alternate_rate": 0.3333,
    "process_date": "2023-03-01",
    "effective_date": "2023-03-01",
}


def read(**lists: object) -> list[Split]:
    return parse(CorporateActionsPayload, lists, "corporate actions").splits()


def test_splits_and_stock_dividends_are_read_oldest_first() -> None:
    found = read(forward_splits=[FORWARD], reverse_splits=[REVERSE], stock_dividends=[DIVIDEND], cash_dividends=[{}])
    assert found == [
        Split("MSBC", date(2023, 5, 19), Decimal("1.05"), Decimal(1)),
        Split("SRE", date(2023, 8, 22), Decimal(2), Decimal(1)),
        Split("MNTS", date(2023, 8, 24), Decimal(1), Decimal(50)),
    ]
    assert [split.ratio for split in found] == [Decimal("1.05"), Decimal(2), Decimal("0.02")]


def test_units_that_become_another_symbol_end_and_do_not_split() -> None:
    assert read(unit_splits=[UNITS]) == []
    same = {**UNITS, "new_symbol": "TPBAU", "new_rate": 2}
    assert read(unit_splits=[same]) == [Split("TPBAU", date(2023, 3, 1), Decimal(2), Decimal(1))]


def test_a_rate_that_cannot_be_is_no_answer() -> None:
    with pytest.raises(BrokerUnavailable, match="old_rate"):
        read(forward_splits=[{**FORWARD, "old_rate": 0}])
