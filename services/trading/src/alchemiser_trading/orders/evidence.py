"""What a broker's report proves about an order, and what it does not. Pure; shares.

Of every order two figures are known at any moment: at least `low` of it has been filled, at most `high` can ever be.

    what is known                                               low             high
    the intent is written                                       0               quantity
    refused, in the broker's own words                          0               0
    not found, however often                                    as before       as before
    open, so much filled                                        the most seen   quantity
    all of it filled, whatever the status                       quantity        quantity
    ended, so much filled, by one report                        the most seen   quantity
    the same; a look-up and the position agree                  that            that
    a report that contradicts itself, the order or an earlier   as before       as before
    the next step's intent says what this one had filled        that            that
    the run's end: the position shows less than the orders      what both had   quantity
                                                                agreed on

A next step may ask for the plan's quantity less every `high`; the report claims every `low`, and names the rest as
unknown. Nothing but evidence narrows the two: "not found", "filled 0", "cancelled" are said by one source, which may be
late or wrong, and others have to agree before money rests on it.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import BrokerOrder, OrderStatus, OrderType


class Proof(StrEnum):
    """What a report comes to."""

    OPEN = "open"
    """The order may still fill."""
    FILLED = "filled"
    """All of it is filled: nothing more can come."""
    ENDED = "ended"
    """The broker says that nothing more comes."""
    CONTRADICTION = "contradiction"
    """The report cannot be true, or is about another order. It proves nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An order as it was asked for."""

    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType


@dataclass(frozen=True, slots=True)
class Judgement:
    """A report weighed against what was asked for and what was reported before."""

    proof: Proof
    filled: Decimal
    """The most that was ever reported, this report included if it can be true."""
    detail: str = ""
    """What contradicts what, for a person."""


def judge(report: BrokerOrder, asked: Asked, most: Decimal) -> Judgement:
    """Weigh a report; `most` is the highest fill reported before, in shares.

    A replaced order and its successors (`links` over 1) may be of another size and limit: a person has changed it.
    """
    quantity = asked.quantity if report.quantity is None else report.quantity
    wrong = _other_order(report, asked) or _impossible(report, quantity)
    if wrong:
        return Judgement(Proof.CONTRADICTION, most, f"order {report.order_id} {wrong}")
    filled = report.filled_quantity
    if filled == quantity:
        return Judgement(Proof.FILLED, max(filled, most))
    if not report.status.terminal:
        return Judgement(Proof.OPEN, max(filled, most))
    if report.status is OrderStatus.FILLED:
        detail = f"order {report.order_id} is called filled with {filled} of {quantity} shares"
        return Judgement(Proof.CONTRADICTION, most, detail)
    if filled < most:
        detail = f"order {report.order_id} is {report.status.value} with {filled} filled, after {most} were"
        return Judgement(Proof.CONTRADICTION, most, detail)
    return Judgement(Proof.ENDED, filled)


def _other_order(report: BrokerOrder, asked: Asked) -> str:
    if report.symbol != asked.symbol or report.side is not asked.side:
        return f"is {report.side.value} {report.symbol} instead of {asked.side.value} {asked.symbol}"
    if report.links > 1:
        return ""
    if report.quantity != asked.quantity:
        return f"is for {report.quantity} shares instead of {asked.quantity}"
    if report.order_type != asked.order_type:
        return f"has the limit {report.order_type.limit_price} instead of {asked.order_type.limit_price}"
    return ""


def _impossible(report: BrokerOrder, quantity: Decimal) -> str:
    if report.filled_quantity < 0 or report.filled_quantity > quantity:
        return f"is said to have filled {report.filled_quantity} of {quantity} shares"
    return ""
