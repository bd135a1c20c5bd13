"""How a symbol comes to its style."""

from decimal import Decimal

from alchemiser_common.settings import ExecutionSettings, ExecutionStyle
from alchemiser_trading.orders.pricing import BidAsk
from alchemiser_trading.orders.styles import style_for


def test_the_spread_decides_the_style() -> None:
    rules = ExecutionSettings(tight_style=ExecutionStyle.MARKET)
    assert style_for(BidAsk(Decimal("100.00"), Decimal("100.01")), rules) is ExecutionStyle.MARKET
    assert style_for(BidAsk(Decimal("99.90"), Decimal("100.10")), rules) is ExecutionStyle.LIMIT_WALK
    assert style_for(BidAsk(Decimal(99), Decimal(101)), rules) is ExecutionStyle.PATIENT
    assert style_for(BidAsk(Decimal("99.975"), Decimal("100.025")), rules) is ExecutionStyle.MARKET, "just tight"
    assert style_for(BidAsk(Decimal("99.80"), Decimal("100.20")), rules) is ExecutionStyle.PATIENT, "just wide"
