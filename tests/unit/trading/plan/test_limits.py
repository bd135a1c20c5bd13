"""The limits on a whole plan."""

from decimal import Decimal

import pytest

from alchemiser_common.errors import LimitBreached
from alchemiser_common.messages.decision import SignalStatus
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.limits import check_limits
from support.plans import SETTINGS, book, decided, planned, planned_for, signal


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


def test_what_is_kept_counts_at_what_it_is_worth_by_now_beside_the_targets() -> None:
    """H's quarter has become 600 of 1000 USD; T, which gets 390/495 of its half, wants a tenth of it there."""
    hold = signal("h", 0.25, {"AAA": 1.0}, SignalStatus.HOLD)
    said = decided(hold, signal("t", 0.5, {"AAA": 0.1, "BBB": 0.9}))
    plan = planned_for(said, [book("h", AAA="6")], cash="400", prices={"AAA": "100", "BBB": "10"})
    target = 0.05 * 390 / 495
    with pytest.raises(LimitBreached, match=r"max_symbol_weight: AAA has weight 0\.639394, the limit is 0\.639"):
        check_limits(plan, TradingSettings(max_symbol_weight=Decimal("0.639")))
    check_limits(plan, TradingSettings(max_symbol_weight=Decimal(str(round(0.6 + target + 1e-6, 6)))))


def test_a_hold_that_has_drifted_is_no_turnover() -> None:
    hold = signal("h", 1.0, {"AAA": 0.1, "BBB": 0.9}, SignalStatus.HOLD)
    plan = planned_for(decided(hold), [book("h", AAA="6", BBB="1")], cash="0", prices={"AAA": "100", "BBB": "10"})
    check_limits(plan, TradingSettings(max_turnover=Decimal("0.0001")))


def test_a_loss_beyond_the_limit_stops_trading() -> None:
    plan = planned({"AAA": 0.5}, cash="1000", prices={"AAA": "10"})
    after = plan.model_copy(update={"account": plan.account.model_copy(update={"last_equity": Decimal(2000)})})
    with pytest.raises(LimitBreached, match=r"max_daily_loss: equity fell 0\.5000"):
        check_limits(after, SETTINGS)
