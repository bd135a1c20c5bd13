"""What becomes of shares that their issuer, not an order, changes: one rule for every kind. Pure. Shares and USD.

Shares of one symbol become parts: shares of one symbol or several, and cash. What the shares cost is split over the
parts by what these are worth on the day; a part in shares keeps its cost and its lots' days, a part in cash realises.

=========================  ========================================  ====================
kind                       parts                                     what it realises
=========================  ========================================  ====================
split, stock dividend      more or fewer shares of the same symbol   nothing
the same, a fraction paid  and cash                                  on the fraction
new name, stock merger     shares of another symbol                  nothing
stock and cash merger      and cash                                  on the cash's part
spin-off, split of units   shares of several symbols                 nothing
cash merger, redemption    cash                                      cash less cost
removed as worthless       none                                      the cost, as a loss
=========================  ========================================  ====================
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from alchemiser_common.records.books import Lot, PastLot
from alchemiser_trading.books.apportion import apportioned
from alchemiser_trading.books.books import Book, remembered, sold


class Unexplained(Exception):
    """An event that the books cannot follow: why, and which symbols it is about."""

    def __init__(self, reason: str, *symbols: str) -> None:
        super().__init__(reason)
        self.symbols = frozenset(symbols)


@dataclass(frozen=True, slots=True)
class Exchange:
    """So many shares of a symbol become other shares, by symbol, and cash in USD."""

    symbol: str
    gone: Decimal | None
    """None: all that were there before the day."""
    parts: Mapping[str, Decimal]
    cash: Decimal
    day: date
    """On which it takes effect, before the market opens: shares bought on it are new ones."""


def shares_before(books: Mapping[str, Book], symbol: str, day: date) -> Decimal:
    """Shares of the symbol that an event of the day is about: from before the day, or all if none are that old."""
    lots = [lot for book in books.values() for lot in book.lots if lot.symbol == symbol]
    old = sum((lot.quantity for lot in lots if lot.opened < day), Decimal(0))
    return old or sum((lot.quantity for lot in lots), Decimal(0))


def exchanged(books: Mapping[str, Book], event: Exchange, prices: Mapping[str, Decimal]) -> dict[str, Book]:
    """The books after the event; `prices` in USD of the day by symbol, as far as they are known.

    Raises Unexplained if it is about other shares than the books have, or leaves several kinds of shares without price.
    """
    lots = _concerned(books, event)
    held = sum(lots.values(), Decimal(0))
    gone = held if event.gone is None else event.gone
    if gone < held:
        return sold(books, event.symbol, gone, event.cash / gone, event.day)
    shares = _shares_of_cost(event, prices)
    quantities = {symbol: apportioned(quantity, lots) for symbol, quantity in event.parts.items()}
    cash = apportioned(event.cash, lots)
    result = dict(books)
    for name, book in books.items():
        kept: list[Lot] = []
        realised = Decimal(0)
        for place, lot in enumerate(book.lots):
            if (name, place) not in lots:
                kept.append(lot)
                continue
            cost = left = lot.quantity * lot.price
            for symbol, share in shares.items():
                quantity = quantities[symbol][name, place]
                if quantity > 0 and cost * share > 0:
                    price = cost * share / quantity
                    kept.append(Lot(symbol=symbol, quantity=quantity, price=price, opened=lot.opened))
                    left -= cost * share
            realised += cash[name, place] - left
        past = _past(book, event, held, [lot for place, lot in enumerate(book.lots) if (name, place) in lots])
        after = book.model_copy(update={"lots": tuple(kept), "past": past}).earned(realised=realised)
        if after != book:
            result[name] = after
    return result


def _concerned(books: Mapping[str, Book], event: Exchange) -> dict[tuple[str, int], Decimal]:
    """Shares by strategy and place of the lots that the event is about: all, or those from before the day."""
    every = {
        (name, place): lot
        for name, book in sorted(books.items())
        for place, lot in enumerate(book.lots)
        if lot.symbol == event.symbol
    }
    choices = [
        {key: lot.quantity for key, lot in every.items() if lot.opened < event.day},
        {key: lot.quantity for key, lot in every.items()},
    ]
    for lots in choices:
        held = sum(lots.values(), Decimal(0))
        if held > 0 and (event.gone is None or held == event.gone):
            return lots
    held = sum(choices[-1].values(), Decimal(0))
    if not event.parts and event.gone is not None and 0 < event.gone < held:
        return choices[-1]
    what = "" if event.gone is None else f"{event.gone} "
    raise Unexplained(f"{what}{event.symbol} were changed, the books have {held}", event.symbol, *event.parts)


# Example: 100 shares that cost 20 become 50 of another company, at 30 now, and 500 in cash. They are worth 1500 + 500;
# so three quarters of the cost stay with the shares, 30 a share, and 500 - 500 is realised. A single part takes it
# all, whatever it is worth: a split needs no price.
def _shares_of_cost(event: Exchange, prices: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The fraction of the cost that goes with the shares of each symbol; the rest goes with the cash.

    Raises Unexplained where that takes prices and one of them is lacking.
    """
    unpriced = sorted(symbol for symbol in event.parts if not prices.get(symbol))
    if len(event.parts) == 1 and (event.cash <= 0 or unpriced == [event.symbol]):
        return {symbol: Decimal(1) for symbol in event.parts}
    if unpriced:
        named = ", ".join(unpriced)
        raise Unexplained(f"{event.symbol} became {named} among others, without a price", event.symbol, *event.parts)
    worth = {symbol: quantity * prices[symbol] for symbol, quantity in event.parts.items()}
    whole = sum(worth.values(), Decimal(0)) + max(event.cash, Decimal(0))
    return {symbol: part / whole for symbol, part in worth.items()}


def _past(book: Book, event: Exchange, held: Decimal, lots: list[Lot]) -> tuple[PastLot, ...]:
    """What the book remembers: in new shares, so that who held how much still compares; and what is gone."""
    gone = [
        PastLot(symbol=lot.symbol, quantity=lot.quantity, opened=lot.opened, closed=event.day)
        for lot in lots
        if event.symbol not in event.parts and lot.opened < event.day
    ]
    return remembered(_in_new_shares(book.past, event, held), gone, event.day)


def _in_new_shares(past: tuple[PastLot, ...], event: Exchange, held: Decimal) -> Iterator[PastLot]:
    for lot in past:
        if lot.symbol == event.symbol and lot.closed < event.day and set(event.parts) == {event.symbol}:
            yield lot.model_copy(update={"quantity": lot.quantity * event.parts[event.symbol] / held})
        else:
            yield lot
