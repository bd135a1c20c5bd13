"""From a decision and what the account holds to the frozen list of legs. Pure: reads nothing, sends nothing.

Sells first, largest first, then buys, largest first. What strategies that hold have in their books is left out of it
all: only the rest of the account is traded. Money in USD, quantities in shares, all Decimal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal

from alchemiser_common.errors import DecisionRefused
from alchemiser_common.ids import Side
from alchemiser_common.messages.base import UtcTime
from alchemiser_common.messages.decision import SignalStatus, TradeDecision
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.snapshot import Account, Position, StrategyTargets
from alchemiser_common.ports.broker import Asset
from alchemiser_common.records.books import StrategyBook
from alchemiser_common.records.plan import Plan, PlannedLeg, PlanSetting, SkippedLeg
from alchemiser_common.settings import MOST_STRATEGIES, TradingSettings
from alchemiser_common.shares import ORDER_STEP, WHOLE_SHARE
from alchemiser_trading.plan.holdings import Wanted, holdings_of, wanted
from alchemiser_trading.plan.prices import NoPrice

SMALLEST_ORDER = Decimal(1)
"""USD: the broker takes no smaller order, of either side."""


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """What the account holds that this system leaves alone."""

    value: Decimal = Decimal(0)
    """USD; nothing is allocated in its place."""
    symbols: Mapping[str, str] = field(default_factory=dict)
    """Symbols that are neither bought nor sold, each with why."""
    unread: Mapping[str, Decimal] = field(default_factory=dict)
    """USD, as far as it is known, of those without a figure that can be read: they may be shares that nobody wants."""
    uncertain: Decimal = Decimal(0)
    """USD of `value` that may be shares to manage: then targets are fractions of it, too."""


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """Why a symbol cannot be traded, as a word and in words."""

    cause: LegReason
    reason: str


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


# The plan is worked out in this order, because each step rests on the one before: what is wanted of the money that is
# there to allocate; the difference to what is held, symbol by symbol; sells, which need nothing; then buys, from cash
# and what the sells bring. What is wanted and not planned is in `skipped` with its reason, but for differences that are
# smaller than the smallest trade, or than one share.
def make_plan(
    decision: TradeDecision,
    account: Account,
    positions: Sequence[Position],
    books: Mapping[str, StrategyBook],
    prices: Mapping[str, Decimal | NoPrice],
    assets: Mapping[str, Asset],
    settings: TradingSettings,
    made_at: UtcTime,
    unmanaged: Unmanaged | None = None,
) -> Plan:
    """The trades that bring `positions` to what the decision wants: targets, and what strategies that hold have.

    `books` by strategy add up to the positions, but for symbols that are left alone (`follow_account`); `prices` are in
    USD, or say why there is none, for every symbol held or wanted; `assets` lacks what the broker does not know. Raises
    DecisionRefused if equity is not positive or the strategies are too many.
    """
    if account.equity <= 0:
        raise DecisionRefused(f"equity is {account.equity} USD; there is nothing to allocate")
    if len(decision.signals) > MOST_STRATEGIES:
        raise DecisionRefused(
            f"the decision has {len(decision.signals)} strategies; an account takes {MOST_STRATEGIES}"
        )
    aside = unmanaged or Unmanaged()
    base = max(account.equity - aside.value, Decimal(0))
    reserve = base * settings.cash_reserve
    holdings = holdings_of(decision.signals, books)
    want = wanted(decision.targets, holdings, positions, base - reserve)
    at_most = max(account.equity - aside.value + aside.uncertain, Decimal(0)) * (1 - settings.cash_reserve)
    most = wanted(decision.targets, holdings, positions, at_most)
    differences, skipped = _differences(want, most, account, positions, prices, assets, settings, aside)
    skipped.extend(_not_left(want, positions, books, aside))
    sells = [leg for leg in differences if leg.side is Side.SELL]
    buys = [leg for leg in differences if leg.side is Side.BUY]
    sell_legs = [_leg(leg, _sell_quantity(leg, skipped)) for leg in _largest_first(sells)]
    sell_legs = [leg for leg in sell_legs if leg.quantity > 0]
    proceeds = sum((leg.value for leg in sell_legs), Decimal(0)) * (1 - settings.price_allowance)
    cash = min(account.cash - reserve, account.buying_power) + proceeds
    cost = sum((buy.value for buy in buys), Decimal(0)) * (1 + settings.price_allowance)
    shrink = min(max(cash / cost, Decimal(0)), Decimal(1)) if cost else Decimal(1)
    buy_legs = _buy_legs(buys, shrink, smallest_trade(account.equity, settings), settings, skipped)
    legs = (leg.model_copy(update={"number": number}) for number, leg in enumerate((*sell_legs, *buy_legs), start=1))
    return Plan(
        run_id=decision.run_id,
        decision_hash=decision.content_hash(),
        session=decision.session,
        made_at=made_at,
        account=account,
        positions=tuple(sorted(positions, key=lambda position: position.symbol)),
        unmanaged=account.equity - base,
        reserve=reserve,
        targets=decision.targets,
        strategy_targets=_statements(decision),
        holdings=holdings,
        legs=tuple(legs),
        skipped=tuple(sorted(skipped, key=lambda leg: leg.symbol)),
        shrink=shrink,
        settings=tuple(
            PlanSetting(name=f"trading.{name}", value=str(value))
            for name, value in settings.model_dump(mode="json").items()
        ),
        lacking=cost * (1 - shrink),
    )


# A stock whose element cannot be read may be one of ours or not, and what targets are fractions of lies between two
# sums: without it, and with it. What each trade then is, only the two together tell:
#
#     held 51, wanted 40 without it, 50 with it      sell 1: the other 10 may be wanted
#     held 10, wanted 40 without it, 50 with it      buy 30: the other 10 may not be there for it
#     held 44, wanted 40 without it, 50 with it      nothing
def _differences(
    want: Wanted,
    most: Wanted,
    account: Account,
    positions: Sequence[Position],
    prices: Mapping[str, Decimal | NoPrice],
    assets: Mapping[str, Asset],
    settings: TradingSettings,
    aside: Unmanaged,
) -> tuple[list[_Difference], list[SkippedLeg]]:
    """Wanted minus free for every symbol of either, without what is too small or cannot be traded.

    `most` is what is wanted if uncertain holdings are ours to manage; the lesser trade of the two is made.
    """
    held = {position.symbol: position for position in positions}
    nothing = Decimal(0)
    smallest = smallest_trade(account.equity, settings)
    differences: list[_Difference] = []
    skipped: list[SkippedLeg] = []
    for symbol in sorted(held.keys() | want.weights.keys()):
        position = held.get(symbol)
        quantity, available = (position.quantity, position.available) if position else (nothing, nothing)
        free = quantity - want.kept.get(symbol, nothing)
        leaves = symbol not in want.weights and free > 0
        full_exit = leaves and free == quantity
        worth = _worth(position, free) if position else nothing
        least = want.value(symbol) - worth
        value = least if least > 0 else min(most.value(symbol) - worth, nothing)
        if least <= -smallest and value - least > 0 and (value - least >= smallest or abs(value) < smallest):
            reason = (
                f"{value - least:.2f} USD of it are kept: they are wanted if {aside.uncertain:.2f} USD of holdings "
                "that cannot be read are there to be allocated"
            )
            skipped.append(_skipped(symbol, Side.SELL, value - least, LegReason.OTHER_HOLDING, reason))
        side = Side.BUY if value > 0 and not full_exit else Side.SELL
        if not full_exit and abs(value) < smallest:
            if quantity == 0 and value > 0:
                reason = f"{value:.2f} USD are wanted, the smallest trade is {smallest:.2f}"
                skipped.append(_skipped(symbol, side, value, LegReason.SMALL_TRADE, reason))
            continue
        if full_exit and abs(value) < SMALLEST_ORDER:
            skipped.append(_dust(symbol, quantity, abs(value)))
            continue
        market = _market(symbol, assets.get(symbol), prices.get(symbol), aside)
        if isinstance(market, _Obstacle):
            skipped.append(_skipped(symbol, side, value, market.cause, market.reason))
            continue
        asset, price = market
        differences.append(_Difference(symbol, side, abs(value), price, asset, free, available, leaves, full_exit))
    return differences, skipped


def _not_left(
    want: Wanted, positions: Sequence[Position], books: Mapping[str, StrategyBook], aside: Unmanaged
) -> list[SkippedLeg]:
    """Shares that none wants any more and that cannot be sold: strategies have them, or their holding was not read."""
    held = {position.symbol for position in positions}
    left = {symbol: worth for symbol, worth in aside.unread.items() if symbol not in held | want.weights.keys()}
    for lot in (lot for book in books.values() for lot in book.lots):
        if lot.symbol in aside.symbols and lot.symbol not in held | want.weights.keys() | want.kept.keys():
            left[lot.symbol] = left.get(lot.symbol, Decimal(0)) + lot.quantity * lot.price
    return [
        _skipped(symbol, Side.SELL, cost, LegReason.OTHER_HOLDING, aside.symbols[symbol])
        for symbol, cost in sorted(left.items())
    ]


def _market(
    symbol: str, asset: Asset | None, price: Decimal | NoPrice | None, aside: Unmanaged
) -> tuple[Asset, Decimal] | _Obstacle:
    """What the symbol trades as and at, or why it cannot be traded."""
    if symbol in aside.symbols:
        return _Obstacle(LegReason.OTHER_HOLDING, aside.symbols[symbol])
    if asset is None:
        return _Obstacle(LegReason.UNKNOWN_SYMBOL, "the broker does not know the symbol any more")
    if not asset.tradable:
        return _Obstacle(LegReason.UNTRADABLE, "the broker does not trade it")
    if price is None or (isinstance(price, Decimal) and price <= 0):
        return _Obstacle(LegReason.NO_PRICE, "no price")
    return _Obstacle(price.reason, price.detail) if isinstance(price, NoPrice) else (asset, price)


def _worth(position: Position, free: Decimal) -> Decimal:
    """USD of the free shares; of all of them what the broker says, to the last digit."""
    return position.market_value if free == position.quantity else free * position.price


def smallest_trade(equity: Decimal, settings: TradingSettings) -> Decimal:
    """USD under which a difference is left alone."""
    return max(settings.min_trade_value, settings.min_trade_share * equity)


def _buy_legs(
    buys: Sequence[_Difference],
    shrink: Decimal,
    smallest: Decimal,
    settings: TradingSettings,
    skipped: list[SkippedLeg],
) -> list[PlannedLeg]:
    """The buys that cash allows, largest first; what is left out or cut by more than a trade or a share is named."""
    legs: list[PlannedLeg] = []
    for buy in _largest_first(buys):
        leg = _leg(buy, _round(buy.value * shrink / buy.price, buy.asset))
        if leg.value < settings.min_trade_value:
            skipped.append(_not_bought(buy, settings))
            continue
        legs.append(leg)
        cut = buy.value - leg.value
        if shrink < 1 and cut >= max(smallest, Decimal(0) if buy.asset.fractionable else buy.price):
            reason = f"cut from {buy.value:.2f} to {leg.value:.2f} USD: cash to spend beside the reserve falls short"
            skipped.append(_skipped(buy.symbol, Side.BUY, cut, LegReason.CASH_SHORT, reason))
    return legs


def _not_bought(buy: _Difference, settings: TradingSettings) -> SkippedLeg:
    """What stands in the way of a buy of which nothing is left: its size, and only if that were enough the cash."""
    whole = _round(buy.value / buy.price, buy.asset)
    if whole < WHOLE_SHARE and not buy.asset.fractionable:
        cause = LegReason.LESS_THAN_ONE_SHARE
        reason = (
            f"{buy.value:.2f} USD are less than one share at {buy.price}; the broker trades whole shares of it only"
        )
    elif whole * buy.price < settings.min_trade_value:
        cause = LegReason.SMALL_TRADE
        reason = f"{whole} shares are {whole * buy.price:.2f} USD, the smallest trade is {settings.min_trade_value:.2f}"
    else:
        cause, reason = LegReason.CASH_SHORT, f"cash to spend beside the reserve falls short of {buy.value:.2f} USD"
    return _skipped(buy.symbol, Side.BUY, buy.value, cause, reason)


def _sell_quantity(sell: _Difference, skipped: list[SkippedLeg]) -> Decimal:
    """Shares to sell: to the last digit on a full exit, else rounded down; never more than is free and available."""
    part = sell.free if sell.leaves else min(sell.value / sell.price, sell.free)
    sold = sell.free if sell.full_exit else _round(part, sell.asset)
    available = min(sold, max(sell.available, Decimal(0)))
    exact = sell.full_exit and sell.asset.fractionable
    quantity = available if exact else _round(available, sell.asset)
    left = sold - quantity
    if not sold:
        reason = f"{sell.value:.2f} USD are less than one share at {sell.price}"
        skipped.append(_skipped(sell.symbol, Side.SELL, sell.value, LegReason.LESS_THAN_ONE_SHARE, reason))
    if left > 0:
        cause, reason = (
            LegReason.PART_OF_A_SHARE_STAYS,
            f"{left} shares stay: the broker trades whole shares of it only",
        )
        if available < sold:
            cause = LegReason.NOT_AVAILABLE
            reason = f"{left} of {sold} shares are not available: other orders hold them"
        skipped.append(_skipped(sell.symbol, Side.SELL, left * sell.price, cause, reason))
    if 0 < quantity * sell.price < SMALLEST_ORDER:
        skipped.append(_dust(sell.symbol, quantity, quantity * sell.price))
        return Decimal(0)
    return quantity


def _skipped(symbol: str, side: Side, value: Decimal, cause: LegReason, reason: str) -> SkippedLeg:
    untradable = cause in {LegReason.UNTRADABLE, LegReason.UNKNOWN_SYMBOL}
    return SkippedLeg(symbol=symbol, side=side, value=abs(value), reason=reason, cause=cause, untradable=untradable)


def _dust(symbol: str, quantity: Decimal, value: Decimal) -> SkippedLeg:
    reason = f"{quantity} shares are worth {value:.4f} USD: the broker takes no order under {SMALLEST_ORDER} USD"
    return _skipped(symbol, Side.SELL, value, LegReason.DUST, reason)


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
