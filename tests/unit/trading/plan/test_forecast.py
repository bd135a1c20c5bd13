"""Limits that are told before they are met."""

from decimal import Decimal

import pytest

from alchemiser_common.messages.snapshot import StrategyTargets, TargetWeight
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.forecast import Outlook, limits_met
from alchemiser_trading.plan.transfers import DayResult
from support.plans import DAY


def targets(allocation: float, **weights: float) -> StrategyTargets:
    said = tuple(TargetWeight(symbol=symbol, weight=weight) for symbol, weight in weights.items())
    return StrategyTargets(strategy="t", decided_for=DAY, weights=said, allocation=allocation)


MANY = targets(1.0, **{f"S{number}": 1 / 32 for number in range(32)})
LOST = DayResult(Decimal("0.3"), "equity fell 0.3000")


@pytest.mark.parametrize(
    ("equity", "wants", "limits", "day", "said"),
    [
        ("100000", MANY, {}, None, []),
        ("100000000", targets(1.0, AAA=1.0), {}, None, []),
        ("100000", MANY, {"max_orders": 60}, None, ["trading.max_orders is 60: an exchange of all of 32 symbols"]),
        ("100000", MANY, {"max_turnover": "1.5"}, None, ["trading.max_turnover is 1.5: a full switch could buy 0.5"]),
        (
            "100000",
            targets(0.5, AAA=1.0),
            {"max_symbol_weight": "0.4"},
            None,
            ["trading.max_symbol_weight is 0.4: strategy t wants 0.5 of the account in one symbol"],
        ),
        (
            "1200000",
            targets(1.0, AAA=1.0),
            {"max_order_value": "100000"},
            None,
            ["trading.max_order_value is 100000: a position of the whole account would be 12 orders"],
        ),
        ("1000", targets(0.01, AAA=0.9), {}, None, ["the smallest trade is 10.00 USD: AAA of t would not be bought"]),
        ("100000", MANY, {}, LOST, ["trading.max_daily_loss: equity fell 0.3000, the limit is 0.25: nothing would be"]),
        ("0", MANY, {}, None, ["equity is 0 USD: there is nothing to allocate"]),
    ],
)
def test_a_limit_that_would_be_met_is_told(
    equity: str, wants: StrategyTargets, limits: dict[str, object], day: DayResult | None, said: list[str]
) -> None:
    found = limits_met(Outlook(Decimal(equity), (), (wants,), day), TradingSettings.model_validate(limits))
    assert [line[: len(start)] for line, start in zip(found, said, strict=True)] == said
