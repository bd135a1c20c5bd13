"""What a corporate action does to a holding, as the entries that tell of it. Pure: action, holding and prices in.

Every kind is entries only, old shares out and new ones in, so that the account is always what its activities explain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from alchemiser_simulator.exchange.orders import SHARE_STEP, ZERO, Holding
from alchemiser_simulator.market.actions import (
    Action,
    CashDividend,
    MadeSplit,
    Merger,
    Renamed,
    SpinOff,
    StockDividend,
    WorthlessRemoval,
)

_CENT = Decimal("0.01")
type PriceOf = Callable[[str], Decimal | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One entry to be: shares and USD that come, or go where they are below zero. `cost`: of shares that come."""

    code: str
    sub_code: str
    symbol: str
    qty: Decimal = ZERO
    amount: Decimal = ZERO
    cost: Decimal | None = None
    per_share: Decimal | None = None
    description: str = ""
    comes: bool = True  # False for what is given up in exchange

    def times(self, factor: Decimal) -> Move:
        """What comes as a mistaken notice has it."""
        if not self.comes:
            return self
        paid = self.code == "DIV" and self.sub_code != "SDIV"
        return replace(
            self,
            qty=self.qty if paid else _shares(self.qty * factor),
            amount=_cents(self.amount * factor),
            per_share=None if self.per_share is None else self.per_share * factor,
        )

    def taken_back(self, cost: Decimal) -> Move:
        """The same the other way; `cost`: of shares that come back."""
        return replace(
            self, qty=-self.qty, amount=-self.amount, cost=None if self.comes else cost, comes=not self.comes
        )


def moves(action: Action, held: Holding, price_of: PriceOf) -> Sequence[Move]:
    """What the action does to a holding of its symbol; last prices in USD a share, as they are after it."""
    symbol = action.symbol
    match action:
        case MadeSplit(ratio=ratio):
            factor = Decimal(str(ratio or 1))
            sub_code = "FSPLIT" if factor >= 1 else "RSPLIT"
            gone = Move(code="SPLIT", sub_code=sub_code, symbol=symbol, qty=-held.qty, comes=False)
            new = replace(gone, qty=_shares(held.qty * factor), cost=held.cost, comes=True)
            found = [gone, *_whole(new, price_of(symbol), in_lieu=action.cash_in_lieu)]
        case Renamed(into=into):
            gone = Move(code="NC", sub_code="SNC", symbol=symbol, qty=-held.qty, comes=False)
            found = [gone, replace(gone, symbol=into, qty=held.qty, cost=held.cost, comes=True)]
        case CashDividend(rate=rate):
            amount = _cents(held.qty * rate)
            found = [Move(code="DIV", sub_code="CDIV", symbol=symbol, qty=held.qty, amount=amount, per_share=rate)]
        case StockDividend(rate=rate):
            extra = Move(code="DIV", sub_code="SDIV", symbol=symbol, qty=_shares(held.qty * rate))
            found = _whole(extra, price_of(symbol), in_lieu=action.cash_in_lieu)
        case SpinOff(new_symbol=new_symbol):
            qty = _shares(held.qty * action.new_rate / action.source_rate)
            spun = Move(code="SPIN", sub_code="", symbol=new_symbol, qty=qty, cost=_spun_cost(action, held, price_of))
            found = _whole(spun, price_of(new_symbol), in_lieu=action.cash_in_lieu)
        case Merger():
            found = _merged(action, held, price_of)
        case WorthlessRemoval():
            found = [Move(code="REORG", sub_code="WRM", symbol=symbol, qty=-held.qty, comes=False)]
    return found


def _spun_cost(action: SpinOff, held: Holding, price_of: PriceOf) -> Decimal:
    """The part of a holding's cost that goes with the shares spun off: in the proportion of the values after it."""
    left = held.qty * (price_of(action.symbol) or ZERO)
    spun = held.qty * action.new_rate / action.source_rate * (price_of(action.new_symbol) or ZERO)
    return held.cost * spun / (left + spun) if left + spun else ZERO


def _merged(action: Merger, held: Holding, price_of: PriceOf) -> list[Move]:
    cash = _cents(held.qty * action.cash_rate)
    sub_code = "CMA" if action.acquirer is None else "SCMA" if cash else "SMA"
    gone = Move(code="MA", sub_code=sub_code, symbol=action.symbol, qty=-held.qty, comes=False)
    found = [gone]
    if cash:
        found.append(replace(gone, qty=ZERO, amount=cash, per_share=action.cash_rate, comes=True))
    if action.acquirer is not None:
        qty = _shares(held.qty * action.acquirer_rate / action.acquiree_rate)
        # Cash for a part of the shares: what is left of the cost goes with the others.
        new = replace(gone, symbol=action.acquirer, qty=qty, cost=max(held.cost - cash, ZERO), comes=True)
        found += _whole(new, price_of(action.acquirer), in_lieu=action.cash_in_lieu)
    return found


def _whole(new: Move, price: Decimal | None, *, in_lieu: bool) -> list[Move]:
    """Shares that come, or whole ones and cash for the fraction."""
    whole = new.qty.to_integral_value(ROUND_DOWN)
    if not in_lieu or whole == new.qty or price is None:
        return [new]
    fraction = new.qty - whole
    cost = None if new.cost is None else new.cost * whole / new.qty
    cash = Move(
        code="CIL",
        sub_code="",
        symbol=new.symbol,
        amount=_cents(fraction * price),
        per_share=price,
        description=f"cash in lieu of {fraction} shares",
    )
    return [replace(new, qty=whole, cost=cost), cash] if whole else [cash]


def _shares(qty: Decimal) -> Decimal:
    return qty.quantize(SHARE_STEP, ROUND_DOWN)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
