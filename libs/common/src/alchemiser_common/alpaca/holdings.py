"""Alpaca's positions as the port has them: stocks held long are managed, all else is named and left alone."""

from collections import Counter
from collections.abc import Mapping

from alchemiser_common.alpaca.reading import (
    STOCKS,
    Number,
    Payload,
    Text,
    Unreadable,
    convert,
    elements,
    guarded,
    members,
    number_or_none,
    text_or_empty,
)
from alchemiser_common.messages.snapshot import Position
from alchemiser_common.ports.broker import Holdings, OtherHolding

_UNREADABLE = "unreadable"
_STOCK_KINDS = frozenset({"short", "unpriced", _UNREADABLE})


class PositionPayload(Payload):
    """One stock of GET /v2/positions that is held long and has a price."""

    symbol: Text
    qty: Number
    qty_available: Number
    market_value: Number
    current_price: Number
    avg_entry_price: Number

    def position(self) -> Position:
        """The holding as the port has it; shares and USD. Raises Unreadable if it cannot be."""
        if not 0 <= self.qty_available <= self.qty:
            raise Unreadable(f"qty_available: {self.qty_available} of {self.qty} shares")
        return Position(
            symbol=self.symbol,
            quantity=self.qty,
            available=self.qty_available,
            market_value=self.market_value,
            price=self.current_price,
            average_entry_price=self.avg_entry_price,
        )


def read_holdings(content: object) -> Holdings:
    """GET /v2/positions. Raises BrokerUnavailable if it is no list.

    A symbol that is listed twice contradicts itself: neither element is managed.
    """
    found = [_holding(element) for element in elements(content, "positions")]
    times = Counter(item.symbol for item in found if isinstance(item, Position) or item.kind in _STOCK_KINDS)
    positions = [item for item in found if isinstance(item, Position)]
    others = [item for item in found if isinstance(item, OtherHolding)]
    for item in [item for item in positions if times[item.symbol] > 1]:
        positions.remove(item)
        others.append(
            OtherHolding(
                symbol=item.symbol,
                kind=_UNREADABLE,
                quantity=item.quantity,
                market_value=item.market_value,
                detail=f"{item.symbol} is listed {times[item.symbol]} times",
            )
        )
    return Holdings(tuple(positions), tuple(others))


def _holding(element: object) -> Position | OtherHolding:
    try:
        fields = members(element)
        kind, detail = _not_managed(fields)
        if not kind:
            return guarded(_position, fields)
    except Unreadable as error:
        fields, kind, detail = element if isinstance(element, dict) else {}, _UNREADABLE, str(error)
    return OtherHolding(
        symbol=text_or_empty(fields.get("symbol")),
        kind=kind,
        quantity=number_or_none(fields.get("qty")),
        market_value=number_or_none(fields.get("market_value")),
        detail=detail,
    )


def _position(content: object) -> Position:
    return convert(PositionPayload, content).position()


def _not_managed(fields: Mapping[str, object]) -> tuple[str, str]:
    """Kind and reason of what is read but not managed; both empty for a stock held long. Raises Unreadable."""
    kind = text_or_empty(fields.get("asset_class"))
    if not kind:
        raise Unreadable("asset_class: is missing")
    if kind != STOCKS:
        return kind, f"its asset class is {kind}; only {STOCKS} is managed"
    side, quantity = fields.get("side"), convert(Number, fields.get("qty"))
    if side == "short" or quantity < 0:
        return "short", f"{quantity} shares held short; only long holdings are managed"
    if side != "long" or not quantity:
        raise Unreadable(f"side: {text_or_empty(side) or 'missing'}, qty: {quantity}")
    price = fields.get("current_price")
    if price is None or not convert(Number, price):
        return "unpriced", f"{quantity} shares, and the broker has no price for them (current_price is {price})"
    return "", ""
