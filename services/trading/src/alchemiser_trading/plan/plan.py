"""From a decision and what the account holds to the frozen list of legs. Pure: reads nothing, sends nothing.

Sells first, largest first, then buys, largest first. What strategies that hold have in their books is left out of it
all: only the rest of the account is traded. Money in USD, quantities in shares, all Decimal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.errors import DecisionRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.base import UtcTime
from alchemiser_common.messages.decision import SignalStatus, TradeDecision
from alchemiser_common.messages.snapshot import Account, Position, StrategyTargets
from alchemiser_common.ports.broker import Asset
from alchemiser_common.records.books import StrategyBook
from alchemiser_common.records.plan import Plan, PlannedLeg, SkippedLeg
from alchemiser_common.settings import MOST_STRATEGIES, TradingSettings
from alchemiser_common.shares import ORDER_STEP, WHOLE_SHARE
from alchemiser_trading.plan.holdings import Wanted, holdings_of, wanted


@dataclass(frozen=True, slots=True)
class _Difference:
    symbol: str
    side: Side
    value: Decimal
    price: Decimal
    asset: Asset
    free: Decimal
    """Shares held that no strategy keeps."""
    available: Decimal
    leaves: bool
    """No strategy has a target for it: all that is free is sold."""
    full_exit: bool
    """And none keeps any of it."""


def make_plan(
    decision: TradeDecision,
    account: Account,
    positions: Sequence[Position],
    books: Mapping[str, StrategyBook],
    prices: Mapping[str, Decimal],
    assets: Mapping[str, Asset],
    settings: TradingSettings,
    made_at: UtcTime,
) -> Plan:
    """The trades that bring `positions` to what the decision wants: targets, and what strategies that hold have.

    `books` by strategy add up to the positions (`books.aligned`); `prices` are last prices in USD for every symbol
    held or wanted; `assets` lacks what the broker does not know. Raises DecisionRefused if a price is missing, a
    position is short, equity is not positive or the strategies are too many.
    """
    if account.equity <= 0:
        raise DecisionRefused(f"equity is {account.equity} USD; there is nothing to allocate")
    if len(decision.signals) > MOST_STRATEGIES:
        raise DecisionRefused(
            f"the decision has {len(decision.signals)} strategies; an account takes {MOST_STRATEGIES}"
        )
    reserve = account.equity * settings.cash_reserve
    holdings = holdings_of(decision.signals, books)
    want = wanted(decision.targets, holdings, positions, account.equity - reserve)
    differences, skipped = _differences(want, account, positions, prices, assets, settings)
    sells = [leg for leg in differences if leg.side is Side.SELL]
    buys = [leg for leg in differences if leg.side is Side.BUY]
    sell_legs = [_leg(leg, _sell_quantity(leg, skipped)) for leg in _largest_first(sells)]
    sell_legs = [leg for leg in sell_legs if leg.quantity > 0]
    proceeds = sum((leg.value for leg in sell_legs), Decimal(0)) * (1 - settings.price_allowance)
    shrink = _shrink(buys, account.cash + proceeds - reserve, settings)
    buy_legs = _buy_legs(buys, shrink, settings, skipped)
    legs = (leg.model_copy(update={"number": number}) for number, leg in enumerate((*sell_legs, *buy_legs), start=1))
    return Plan(
        run_id=decision.run_id,
        decision_hash=decision.content_hash(),
        session=decision.session,
        made_at=made_at,
        account=account,
        positions=tuple(sorted(positions, key=lambda position: position.symbol)),
        reserve=reserve,
        targets=decision.targets,
        strategy_targets=_statements(decision),
        holdings=holdings,
        legs=tuple(legs),
        skipped=tuple(sorted(skipped, key=lambda leg: leg.symbol)),
        shrink=shrink,
    )


def _differences(
    want: Wanted,
    account: Account,
    positions: Sequence[Position],
    prices: Mapping[str, Decimal],
    assets: Mapping[str, Asset],
    settings: TradingSettings,
) -> tuple[list[_Difference], list[SkippedLeg]]:
    """Wanted minus free for every symbol of either, without what is too small or cannot be traded."""
    held = {position.symbol: position for position in positions}
    nothing = Decimal(0)
    smallest = _smallest(account, settings)
    differences: list[_Difference] = []
    skipped: list[SkippedLeg] = []
    for symbol in sorted(held.keys() | want.weights.keys()):
        position = held.get(symbol)
        quantity, available = (position.quantity, position.available) if position else (nothing, nothing)
        if quantity < 0:
            raise DecisionRefused(f"{symbol} is held short ({quantity} shares); this system trades long only")
        free = quantity - want.kept.get(symbol, nothing)
        leaves = symbol not in want.weights and free > 0
        full_exit = leaves and free == quantity
        value = want.value(symbol) - (_worth(position, free) if position else nothing)
        if not full_exit and abs(value) < smallest:
            continue
        side = Side.BUY if value > 0 and not full_exit else Side.SELL
        asset = assets.get(symbol)
        if asset is None or not asset.tradable:
            reason = "the broker does not trade it" if asset else "the broker does not know the symbol any more"
            skipped.append(SkippedLeg(symbol=symbol, side=side, value=abs(value), reason=reason, untradable=True))
            continue
        price = prices.get(symbol)
        if price is None or price <= 0:
            raise DecisionRefused(f"{symbol} has no price to plan with")
        differences.append(_Difference(symbol, side, abs(value), price, asset, free, available, leaves, full_exit))
    return differences, skipped


def _worth(position: Position, free: Decimal) -> Decimal:
    """USD of the free shares; of all of them what the broker says, to the last digit."""
    return position.market_value if free == position.quantity else free * position.price


def _smallest(account: Account, settings: TradingSettings) -> Decimal:
    return max(settings.min_trade_value, settings.min_trade_share * account.equity)


def _shrink(buys: Sequence[_Difference], cash: Decimal, settings: TradingSettings) -> Decimal:
    """The factor, at most 1, at which the buys cost no more than `cash` USD."""
    cost = sum((buy.value for buy in buys), Decimal(0)) * (1 + settings.price_allowance)
    return min(max(cash / cost, Decimal(0)), Decimal(1)) if cost else Decimal(1)


def _buy_legs(
    buys: Sequence[_Difference], shrink: Decimal, settings: TradingSettings, skipped: list[SkippedLeg]
) -> list[PlannedLeg]:
    """The buys that cash allows, largest first; what comes out too small is skipped and named."""
    legs: list[PlannedLeg] = []
    for buy in _largest_first(buys):
        leg = _leg(buy, _round(buy.value * shrink / buy.price, buy.asset))
        if leg.value >= settings.min_trade_value:
            legs.append(leg)
        else:
            reason = "cash falls short" if shrink < 1 else "less than one share, or than the smallest trade"
            skipped.append(SkippedLeg(symbol=buy.symbol, side=Side.BUY, value=buy.value, reason=reason))
    return legs


def _sell_quantity(sell: _Difference, skipped: list[SkippedLeg]) -> Decimal:
    """Shares to sell: to the last digit on a full exit, else rounded down; never more than is free and available."""
    part = sell.free if sell.leaves else min(sell.value / sell.price, sell.free)
    sold = sell.free if sell.full_exit else _round(part, sell.asset)
    available = min(sold, max(sell.available, Decimal(0)))
    exact = sell.full_exit and sell.asset.fractionable
    quantity = available if exact else _round(available, sell.asset)
    left = sold - quantity
    if left > 0:
        reason = (
            f"{left} of {sold} shares are not available: other orders hold them"
            if available < sold
            else f"{left} shares stay: the broker trades whole shares of it only"
        )
        skipped.append(SkippedLeg(symbol=sell.symbol, side=Side.SELL, value=left * sell.price, reason=reason))
    return quantity


def _round(quantity: Decimal, asset: Asset) -> Decimal:
    return quantity.quantize(ORDER_STEP if asset.fractionable else WHOLE_SHARE, rounding=ROUND_DOWN)


def _leg(difference: _Difference, quantity: Decimal) -> PlannedLeg:
    return PlannedLeg(
        number=0,
        symbol=difference.symbol,
        side=difference.side,
        quantity=quantity,
        price=difference.price,
        fractionable=difference.asset.fractionable,
        full_exit=difference.full_exit,
    )


def _largest_first(differences: Sequence[_Difference]) -> list[_Difference]:
    return sorted(differences, key=lambda item: (-item.value, item.symbol))


def _statements(decision: TradeDecision) -> tuple[StrategyTargets, ...]:
    return tuple(
        StrategyTargets(
            strategy=signal.strategy,
            decided_for=decision.session,
            weights=signal.weights,
            as_of=decision.as_of,
            rules=signal.rules,
            allocation=signal.allocation,
        )
        for signal in decision.signals
        if signal.status is SignalStatus.TARGET
    )
