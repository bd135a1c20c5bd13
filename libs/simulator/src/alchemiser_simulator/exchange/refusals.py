"""Every way the exchange says no, with the status, code, wording and extra fields that Alpaca answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

type Detail = str | list[str]


class Refusal(Exception):
    """A request the exchange declines and that changed nothing. `status` is HTTP's, `code` Alpaca's; `fields` go into
    the error body beside code and message.
    """

    def __init__(self, status: int, code: int, message: str, **fields: Detail) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields


def text(value: Decimal) -> str:
    """A Decimal as Alpaca writes it: no exponent, no trailing zeros."""
    written = f"{value:f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def invalid(message: str) -> Refusal:
    """The request itself is malformed."""
    return Refusal(422, 40010001, message)


def unprocessable(message: str) -> Refusal:
    """The request is well formed, but this order cannot be."""
    return Refusal(422, 42210000, message)


def forbidden(message: str, **fields: Detail) -> Refusal:
    """The account, the asset or the account's means do not allow it."""
    return Refusal(403, 40310000, message, **fields)


def not_found(message: str) -> Refusal:
    """The order, asset or position that was named is not there."""
    return Refusal(404, 40410000, message)


def duplicate_client_order_id() -> Refusal:
    """The client order id was used before, by whatever order, ended or not."""
    return invalid("client_order_id must be unique")


def insufficient_buying_power(power: Decimal, cost: Decimal) -> Refusal:
    """A buy that costs more USD than the account may spend."""
    return forbidden("insufficient buying power", buying_power=text(power), cost_basis=text(cost))


def insufficient_quantity(
    symbol: str, requested: Decimal, held: Decimal, reserved: Decimal, related: Sequence[UUID]
) -> Refusal:
    """A sale of more shares than are held and free; `related` are the orders that hold them back."""
    available = text(held - reserved)
    return forbidden(
        f"insufficient qty available for order (requested: {text(requested)}, available: {available})",
        available=available,
        existing_qty=text(held),
        held_for_orders=text(reserved),
        related_orders=[str(order) for order in related],
        symbol=symbol,
    )


def wash_trade(existing: UUID, order_type: str) -> Refusal:
    """An order that could trade with the account's own order `existing`."""
    return forbidden(
        "potential wash trade detected. use complex orders",
        existing_order_id=str(existing),
        reject_reason=f"opposite side {order_type} order exists",
    )


def sub_penny(field: str, price: Decimal) -> Refusal:
    """A price with more decimals than the exchange quotes: two from one dollar up, four below."""
    criteria = "sub-penny increment does not fulfill minimum pricing criteria"
    return unprocessable(f"invalid {field} {text(price)}. {criteria}")
