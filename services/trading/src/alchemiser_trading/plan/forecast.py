"""Which limits an account and its strategies would meet, told before they do. Pure; USD."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from alchemiser_common.messages.snapshot import StrategyTargets
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.limits import day_stop, largest_order
from alchemiser_trading.plan.plan import smallest_trade
from alchemiser_trading.plan.transfers import DayResult

_MANY_ORDERS = 4
"""Orders of one leg, one after the other: more take longer than a run may have."""
_FULL_SWITCH = 2
"""Times equity: everything is sold, and everything bought."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What limits are looked at for."""

    equity: Decimal
    held: Collection[str]
    """Symbols."""
    targets: Sequence[StrategyTargets]
    """What each strategy last wanted, with its allocation."""
    day: DayResult | None = None
    """None if nobody asked."""


def limits_met(outlook: Outlook, settings: TradingSettings) -> list[str]:
    """A sentence for each limit that would cut or leave out what the strategies want; empty if none does."""
    if outlook.equity <= 0:
        return [f"equity is {outlook.equity} USD: there is nothing to allocate"]
    return [
        *_by_day(outlook, settings),
        *_by_count(outlook, settings),
        *_by_turnover(settings),
        *_by_weight(outlook, settings),
        *_by_size(outlook, settings),
        *_too_small(outlook, settings),
    ]


def _by_day(outlook: Outlook, settings: TradingSettings) -> Iterator[str]:
    stop = "" if outlook.day is None else day_stop(settings, outlook.day)
    if stop:
        yield f"{stop}: nothing would be bought"


def _by_count(outlook: Outlook, settings: TradingSettings) -> Iterator[str]:
    wanted = {item.symbol for targets in outlook.targets for item in targets.weights if item.weight > 0}
    most = 2 * max(len(wanted), len(outlook.held))
    if settings.max_orders is not None and most > settings.max_orders:
        yield (
            f"trading.max_orders is {settings.max_orders}: an exchange of all of {most // 2} symbols for others is "
            f"{most} legs, and its smallest buys would be left out"
        )


def _by_turnover(settings: TradingSettings) -> Iterator[str]:
    if settings.max_turnover < _FULL_SWITCH * (1 - settings.cash_reserve):
        bought = max(settings.max_turnover - 1, Decimal(0))
        yield f"trading.max_turnover is {settings.max_turnover}: a full switch could buy {bought} times equity only"


def _by_weight(outlook: Outlook, settings: TradingSettings) -> Iterator[str]:
    for targets in outlook.targets:
        weights = [Decimal(str(item.weight * (targets.allocation or 1))) for item in targets.weights]
        if weights and max(weights) * (1 - settings.cash_reserve) > settings.max_symbol_weight:
            yield (
                f"trading.max_symbol_weight is {settings.max_symbol_weight}: strategy {targets.strategy} wants "
                f"{float(max(weights)):.4g} of the account in one symbol, and its buy would be cut"
            )


def _by_size(outlook: Outlook, settings: TradingSettings) -> Iterator[str]:
    most = largest_order(outlook.equity, settings)
    orders = (outlook.equity / most).to_integral_value(rounding=ROUND_CEILING)
    if orders > _MANY_ORDERS:
        yield (
            f"trading.max_order_value is {most}: a position of the whole account would be {orders} orders one after "
            "the other, which may not be done before the deadline"
        )


def _too_small(outlook: Outlook, settings: TradingSettings) -> Iterator[str]:
    smallest = smallest_trade(outlook.equity, settings)
    invested = outlook.equity * (1 - settings.cash_reserve)
    small = [
        f"{item.symbol} of {targets.strategy}"
        for targets in outlook.targets
        for item in targets.weights
        if 0 < Decimal(str(item.weight * (targets.allocation or 1))) * invested < smallest
    ]
    if small:
        more = f" and {len(small) - 1} more" if len(small) > 1 else ""
        yield f"the smallest trade is {smallest:.2f} USD: {small[0]}{more} would not be bought by itself"
