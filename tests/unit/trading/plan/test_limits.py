"""The limits on a whole plan."""

from decimal import Decimal

import pytest

from alchemiser_common.errors import LimitBreached
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.limits import check_limits
from support.plans import SETTINGS, planned


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        ({"max_orders": 1}, "max_orders"),
        ({"max_order_value": 100}, "max_order_value"),
        ({"max_turnover": 0.5}, "max_turnover"),
        ({"max_symbol_weight": 0.4}, "max_symbol_weight"),
    ],
)
def test_a_limit_that_is_breached_is_named_with_its_figure(limits: dict[str, object], what: str) -> None:
    settings = TradingSettings.model_validate(limits)
    plan = planned({"AAA": 0.5, "BBB": 0.4}, cash="1000", prices={"AAA": "10", "BBB": "10"}, settings=settings)
    with pytest.raises(LimitBreached, match=f"trading.{what}: .*limit is"):
        check_limits(plan, settings)


def test_a_loss_beyond_the_limit_stops_trading() -> None:
    plan = planned({"AAA": 0.5}, cash="1000", prices={"AAA": "10"})
    after = plan.model_copy(update={"account": plan.account.model_copy(update={"last_equity": Decimal(2000)})})
    with pytest.raises(LimitBreached, match=r"max_daily_loss: equity fell 0\.5000"):
        check_limits(after, SETTINGS)
