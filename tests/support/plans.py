"""Plans made from a few words: targets, cash, positions and prices."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from alchemiser_common.messages.decision import (
    Explanation,
    Signal,
    SignalStatus,
    StrategyShare,
    Target,
    TradeDecision,
    netted,
)
from alchemiser_common.messages.snapshot import Account, Position, TargetWeight
from alchemiser_common.ports.broker import Asset
from alchemiser_common.records.books import Lot, StrategyBook
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.plan import make_plan
from support.messages import ACCOUNT, SCHEDULED, make_decision

SETTINGS = TradingSettings()
DAY = date(2020, 6, 1)


def account(cash: str, equity: str) -> Account:
    """Buying power is never in the way."""
    usd = {"cash": Decimal(cash), "equity": Decimal(equity), "last_equity": Decimal(equity)}
    return ACCOUNT.model_copy(update={**usd, "buying_power": max(ACCOUNT.buying_power, Decimal(cash))})


def position(symbol: str, quantity: str, price: str, available: str | None = None) -> Position:
    held = Decimal(quantity)
    return Position(
        symbol=symbol,
        quantity=held,
        available=Decimal(available) if available is not None else held,
        market_value=held * Decimal(price),
        price=Decimal(price),
        average_entry_price=Decimal(price),
    )


def target(symbol: str, weight: float) -> Target:
    return Target(symbol=symbol, weight=weight, shares=(StrategyShare(strategy="only", weight=weight),))


def planned(
    targets: Mapping[str, float],
    *,
    cash: str,
    positions: tuple[Position, ...] = (),
    prices: Mapping[str, str] | None = None,
    whole: frozenset[str] = frozenset(),
    unknown: frozenset[str] = frozenset(),
    untraded: frozenset[str] = frozenset(),
    settings: TradingSettings = SETTINGS,
) -> Plan:
    """A plan at the given prices; equity is cash and positions."""
    known = {item.symbol: item.price for item in positions} | {
        symbol: Decimal(price) for symbol, price in (prices or {}).items()
    }
    equity = Decimal(cash) + sum((item.market_value for item in positions), Decimal(0))
    symbols = {*targets, *(item.symbol for item in positions)} - unknown
    assets = {
        symbol: Asset(symbol=symbol, tradable=symbol not in untraded, fractionable=symbol not in whole)
        for symbol in symbols
    }
    decision = make_decision(targets=tuple(target(symbol, weight) for symbol, weight in targets.items()), signals=())
    return make_plan(decision, account(cash, str(equity)), positions, {}, known, assets, settings, SCHEDULED)


def legs(plan: Plan) -> list[tuple[str, str, Decimal]]:
    return [(leg.side.value, leg.symbol, leg.quantity) for leg in plan.legs]


def book(name: str, **shares: str) -> StrategyBook:
    """A strategy's shares by symbol, at 10 USD each."""
    lots = (
        Lot(symbol=symbol, quantity=Decimal(held), price=Decimal(10), opened=DAY) for symbol, held in shares.items()
    )
    return StrategyBook(strategy=name, lots=tuple(lots))


def signal(
    name: str, allocation: float, weights: Mapping[str, float], status: SignalStatus = SignalStatus.TARGET
) -> Signal:
    """What a strategy says; weights are fractions of its capital."""
    return Signal(
        strategy=name,
        allocation=allocation,
        status=status,
        weights=tuple(TargetWeight(symbol=symbol, weight=weight) for symbol, weight in weights.items()),
        explanation=Explanation(summary="as the test says"),
        rules="ab" * 32,
    )


def decided(*signals: Signal) -> TradeDecision:
    """The decision that these signals add up to."""
    return make_decision(signals=signals, targets=netted(signals))


def planned_for(
    decision: TradeDecision,
    books: Sequence[StrategyBook],
    *,
    cash: str,
    prices: Mapping[str, str],
    whole: frozenset[str] = frozenset(),
    settings: TradingSettings = SETTINGS,
    spare: Mapping[str, str] | None = None,
    last: Mapping[str, str] | None = None,
) -> Plan:
    """A plan for an account that holds what the books say, and `spare` beside it that nobody booked.

    `last` are the last trades' prices where they are not those that the positions are valued at.
    """
    held = {symbol: Decimal(quantity) for symbol, quantity in (spare or {}).items()}
    for lot in (lot for item in books for lot in item.lots):
        held[lot.symbol] = held.get(lot.symbol, Decimal(0)) + lot.quantity
    positions = tuple(position(symbol, str(quantity), prices[symbol]) for symbol, quantity in held.items())
    equity = Decimal(cash) + sum((item.market_value for item in positions), Decimal(0))
    return make_plan(
        decision,
        account(cash, str(equity)),
        positions,
        {item.strategy: item for item in books},
        {symbol: Decimal(price) for symbol, price in {**prices, **(last or {})}.items()},
        {symbol: Asset(symbol=symbol, tradable=True, fractionable=symbol not in whole) for symbol in prices},
        settings,
        SCHEDULED,
    )
