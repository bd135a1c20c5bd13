"""The limits on a whole plan, applied before anything is sent. Pure; money in USD.

A limit stops what adds risk and never what takes it away: buys are cut or left out and named, sells stay as they are.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.records.plan import Plan, PlannedLeg, SkippedLeg
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.holdings import wanted_by
from alchemiser_trading.plan.transfers import DayResult

_LARGE_ORDER = Decimal(1_000_000)
_LARGE_SHARE = Decimal("0.5")
"""Of equity: unless settings say otherwise a whole position is two orders, however large the account has grown."""


def within_limits(plan: Plan, settings: TradingSettings, day: DayResult) -> Plan:
    """The plan with the buys that the limits leave, what they took named in `skipped`, and large legs in slices.

    The order of the limits is that of what they leave: none after a day's loss, then by symbol, by count, by turnover.
    """
    limits: Sequence[Callable[[Plan], Plan]] = (
        lambda made: _after_a_loss(made, settings, day),
        lambda made: _by_symbol(made, settings),
        lambda made: _by_count(made, settings),
        lambda made: _by_turnover(made, settings),
    )
    for limit in limits:
        plan = limit(plan)
    most = largest_order(plan.account.equity, settings)
    legs = tuple(
        leg.model_copy(update={"number": number, "order_quantity": slice_of(leg, most)})
        for number, leg in enumerate(plan.legs, start=1)
    )
    return plan.model_copy(update={"legs": legs, "notes": (*plan.notes, *_notes(plan, settings, day))})


def largest_order(equity: Decimal, settings: TradingSettings) -> Decimal:
    """USD of one order at most."""
    if settings.max_order_value is not None:
        return settings.max_order_value
    return max(_LARGE_ORDER, equity * _LARGE_SHARE)


def slice_of(leg: PlannedLeg, most: Decimal) -> Decimal | None:
    """Shares of one order of the leg so that equal ones of at most `most` USD make it; None if one order does.

    At least one step of the asset: a share that is worth more than the limit is still sold.
    """
    if leg.value <= most:
        return None
    orders = (leg.value / most).to_integral_value(rounding=ROUND_CEILING)
    part = (leg.quantity / orders).quantize(leg.step, rounding=ROUND_CEILING)
    if part * leg.price > most:
        part -= leg.step
    return max(part, leg.step)


def day_stop(settings: TradingSettings, day: DayResult) -> str:
    """Why nothing may be bought today; empty if it may."""
    if day.loss is None:
        return f"trading.max_daily_loss cannot be checked: {day.said}"
    if day.loss > settings.max_daily_loss:
        return f"trading.max_daily_loss: {day.said}, the limit is {settings.max_daily_loss}"
    return ""


def _after_a_loss(plan: Plan, settings: TradingSettings, day: DayResult) -> Plan:
    stop = day_stop(settings, day)
    if not stop:
        return plan
    return _kept(plan, lambda _: Decimal(0), LegReason.LIMIT_DAILY_LOSS, lambda _: stop)


def _by_symbol(plan: Plan, settings: TradingSettings) -> Plan:
    held = {position.symbol: position.market_value for position in plan.positions}
    most = settings.max_symbol_weight * plan.account.equity

    def left(leg: PlannedLeg) -> Decimal:
        return most - held.get(leg.symbol, Decimal(0))

    def said(leg: PlannedLeg) -> str:
        weight = (held.get(leg.symbol, Decimal(0)) + leg.value) / plan.account.equity
        return (
            f"trading.max_symbol_weight: {leg.symbol} would be {float(weight):.6g} of the account, "
            f"the limit is {settings.max_symbol_weight}"
        )

    return _kept(plan, left, LegReason.LIMIT_SYMBOL_WEIGHT, said)


def _by_count(plan: Plan, settings: TradingSettings) -> Plan:
    if settings.max_orders is None or len(plan.legs) <= settings.max_orders:
        return plan
    room = max(settings.max_orders - len(_sells(plan)), 0)
    stay = {leg.symbol for leg in sorted(_buys(plan), key=lambda leg: (-leg.value, leg.symbol))[:room]}
    said = f"trading.max_orders: the plan has {len(plan.legs)} legs, the limit is {settings.max_orders}"
    return _kept(
        plan, lambda leg: leg.value if leg.symbol in stay else Decimal(0), LegReason.LIMIT_ORDERS, lambda _: said
    )


def _by_turnover(plan: Plan, settings: TradingSettings) -> Plan:
    bought, sold = _value(_buys(plan)), _value(_sells(plan))
    most = settings.max_turnover * plan.account.equity
    if bought + sold <= most or not bought:
        return plan
    factor = max(most - sold, Decimal(0)) / bought
    said = (
        f"trading.max_turnover: the plan trades {(bought + sold) / plan.account.equity:.3f} times equity, "
        f"the limit is {settings.max_turnover}"
    )
    return _kept(plan, lambda leg: leg.value * factor, LegReason.LIMIT_TURNOVER, lambda _: said)


def _kept(
    plan: Plan, allowed: Callable[[PlannedLeg], Decimal], cause: LegReason, said: Callable[[PlannedLeg], str]
) -> Plan:
    """The plan with each buy cut to its allowed USD; what is less than a dollar then is left out whole."""
    legs: list[PlannedLeg] = []
    skipped = list(plan.skipped)
    for leg in plan.legs:
        left = leg if leg.side is Side.SELL else _cut(leg, allowed(leg))
        if left is not None:
            legs.append(left)
        value = leg.value - (left.value if left is not None else Decimal(0))
        if value > 0:
            part = f"left out: {leg.quantity}" if left is None else f"cut by {leg.quantity - left.quantity}"
            reason = f"{part} shares; {said(leg)}"
            skipped.append(SkippedLeg(symbol=leg.symbol, side=leg.side, value=value, reason=reason, cause=cause))
    return plan.model_copy(update={"legs": tuple(legs), "skipped": tuple(skipped)})


def _cut(leg: PlannedLeg, value: Decimal) -> PlannedLeg | None:
    if value >= leg.value:
        return leg
    quantity = (max(value, Decimal(0)) / leg.price).quantize(leg.step, rounding=ROUND_DOWN)
    return leg.model_copy(update={"quantity": quantity}) if quantity * leg.price >= 1 else None


def _notes(plan: Plan, settings: TradingSettings, day: DayResult) -> tuple[str, ...]:
    """What limits do not act on and a person should know."""
    want, most = wanted_by(plan), settings.max_symbol_weight
    weights = {item.symbol: item.market_value / plan.account.equity for item in plan.positions}
    kept = [
        f"trading.max_symbol_weight: {symbol} is {float(weight):.6g} of the account, the limit is {most}; it is kept, "
        "and nothing more of it is bought"
        for symbol, weight in weights.items()
        if symbol in want.kept and weight > most
    ]
    moved = [f"max_daily_loss: {day.said}"] if day.transferred else []
    return (*kept, *moved)


def _buys(plan: Plan) -> Sequence[PlannedLeg]:
    return [leg for leg in plan.legs if leg.side is Side.BUY]


def _sells(plan: Plan) -> Sequence[PlannedLeg]:
    return [leg for leg in plan.legs if leg.side is Side.SELL]


def _value(legs: Sequence[PlannedLeg]) -> Decimal:
    return sum((leg.value for leg in legs), Decimal(0))
