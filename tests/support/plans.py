"""Plans made from a few words: targets, cash, positions and prices."""

from collections.abc import Mapping
from decimal import Decimal

from alchemiser_common.messages.decision import StrategyShare, Target
from alchemiser_common.messages.snapshot import Account, Position
from alchemiser_common.ports.broker import Asset
from alchemiser_common.records.plan import Plan
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.plan import make_plan
from support.messages import ACCOUNT, SCHEDULED, make_decision

SETTINGS = TradingSettings()


def account(cash: str, equity: str) -> Account:
    return ACCOUNT.model_copy(update={"cash": Decimal(cash), "equity": Decimal(equity), "last_equity": Decimal(equity)})


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
    return make_plan(decision, account(cash, str(equity)), positions, known, assets, settings, SCHEDULED)


def legs(plan: Plan) -> list[tuple[str, str, Decimal]]:
    return [(leg.side.value, leg.symbol, leg.quantity) for leg in plan.legs]
