"""New names of symbols, told by the broker's own figures: the shares of one, and their cost, under another. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from alchemiser_common.messages.snapshot import Position
from alchemiser_common.records.books import Lot

_SAME_COST = Decimal("0.01")


def renamed(lots: Iterable[Lot], positions: Iterable[Position]) -> Mapping[str, str]:
    """New symbol by old one: booked and not held any more, held and not booked, as many shares at the same cost.

    Where two fit, nothing is concluded.
    """
    booked: dict[str, tuple[Decimal, Decimal]] = {}
    for lot in lots:
        quantity, cost = booked.get(lot.symbol, (Decimal(0), Decimal(0)))
        booked[lot.symbol] = quantity + lot.quantity, cost + lot.quantity * lot.price
    held = {position.symbol: position for position in positions if position.quantity > 0}
    gone = {symbol: known for symbol, known in booked.items() if symbol not in held and known[0] > 0}
    new = [position for symbol, position in held.items() if symbol not in booked]
    pairs = [(old, position.symbol) for old, known in gone.items() for position in new if _same(known, position)]
    return dict(_unambiguous(pairs))


def _same(known: tuple[Decimal, Decimal], position: Position) -> bool:
    quantity, cost = known
    worth = position.quantity * position.average_entry_price
    return position.quantity == quantity and abs(worth - cost) <= _SAME_COST * cost


def _unambiguous(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for old, new in pairs:
        if sum(old == other or new == name for other, name in pairs) == 1:
            yield old, new
