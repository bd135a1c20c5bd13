"""The limits on a whole plan, checked before anything is sent. Pure."""

from decimal import Decimal

from alchemiser_common.errors import LimitBreached
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.holdings import wanted_by


def check_limits(plan: Plan, settings: TradingSettings) -> None:
    """Raises LimitBreached with the limit, the figure and the leg; the first breach counts."""
    check_daily_loss(plan.account, settings)
    check_weights(plan, settings)
    if len(plan.legs) > settings.max_orders:
        raise LimitBreached(
            f"trading.max_orders: the plan has {len(plan.legs)} legs, the limit is {settings.max_orders}"
        )
    for leg in plan.legs:
        if leg.value > settings.max_order_value:
            raise LimitBreached(
                f"trading.max_order_value: {leg.side.value} {leg.symbol} is worth {leg.value:.2f} USD, "
                f"the limit is {settings.max_order_value:.2f}"
            )
    traded = sum((leg.value for leg in plan.legs), Decimal(0))
    turnover = traded / plan.account.equity
    if turnover > settings.max_turnover:
        raise LimitBreached(
            f"trading.max_turnover: the plan trades {turnover:.3f} times equity, the limit is {settings.max_turnover}"
        )


def check_weights(plan: Plan, settings: TradingSettings) -> None:
    """Raises LimitBreached if one symbol is to be too much of the account: its target, and what is kept of it."""
    want = wanted_by(plan)
    prices = {position.symbol: position.price for position in plan.positions}
    for symbol in sorted(want.weights.keys() | want.kept.keys()):
        worth = want.kept.get(symbol, Decimal(0)) * prices.get(symbol, Decimal(0))
        weight = want.weight(symbol) + worth / plan.account.equity
        if weight > settings.max_symbol_weight:
            raise LimitBreached(
                f"trading.max_symbol_weight: {symbol} has weight {weight:.6g}, "
                f"the limit is {settings.max_symbol_weight}"
            )


def check_daily_loss(account: Account, settings: TradingSettings) -> None:
    """Raises LimitBreached after too large a loss since yesterday's equity (a new account has no yesterday)."""
    if account.last_equity is None:
        raise LimitBreached(
            "trading.max_daily_loss: the broker does not say what equity was yesterday; nothing is sent"
        )
    if account.last_equity <= 0:
        return
    loss = 1 - account.equity / account.last_equity
    if loss > settings.max_daily_loss:
        raise LimitBreached(
            f"trading.max_daily_loss: equity fell {loss:.4f} since yesterday ({account.last_equity} to "
            f"{account.equity} USD), the limit is {settings.max_daily_loss}"
        )
