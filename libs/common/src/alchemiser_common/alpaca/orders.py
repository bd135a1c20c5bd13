"""Alpaca's orders as the port has them. A status this project does not know counts as open: it may still fill."""

from alchemiser_common.alpaca.reading import (
    STOCKS,
    Moment,
    Number,
    OrderId,
    Payload,
    ShownText,
    Text,
    Unreadable,
    convert,
    elements,
    guarded,
    kind_of,
    members,
    shown,
    text_or_empty,
)
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import (
    BrokerOrder,
    LimitOrder,
    MarketOrder,
    OddOrder,
    OrderList,
    OrderRequest,
    OrderStatus,
    OrderType,
)

_STATUSES = {
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
    "replaced": OrderStatus.REPLACED,
    "done_for_day": OrderStatus.DONE_FOR_DAY,
    "pending_cancel": OrderStatus.CANCELLING,
}
_OF_SEVERAL_LEGS = "mleg"


class OrderPayload(Payload):
    """One order of GET or POST /v2/orders; figures as reported, possible or not."""

    id: OrderId
    client_order_id: ShownText
    symbol: Text
    side: Side
    status: Text
    type: Text
    qty: Number | None
    notional: Number | None = None
    filled_qty: Number
    filled_avg_price: Number | None = None
    limit_price: Number | None = None
    submitted_at: Moment | None = None
    replaced_by: OrderId | None = None

    def order(self) -> BrokerOrder:
        """The order as the port has it; shares and USD. Raises Unreadable, or what the port's model raises."""
        if self.qty is None and self.notional is None:
            raise Unreadable("qty: neither a quantity nor an amount")
        return BrokerOrder(
            order_id=self.id,
            client_order_id=self.client_order_id,
            symbol=self.symbol,
            side=self.side,
            status=_STATUSES.get(self.status, OrderStatus.OPEN),
            raw_status=shown(self.status),
            quantity=self.qty,
            filled_quantity=self.filled_qty,
            average_price=self.filled_avg_price or None,
            order_type=self._order_type(),
            submitted_at=self.submitted_at,
            replaced_by=self.replaced_by,
        )

    def _order_type(self) -> OrderType:
        match self.type:
            case "limit" if self.limit_price is not None and self.limit_price > 0:
                return LimitOrder(self.limit_price)
            case "market" if self.limit_price is None:
                return MarketOrder()
        limit = "no limit" if self.limit_price is None else f"a limit of {self.limit_price}"
        raise Unreadable(f"type: {shown(self.type)} with {limit} is neither a limit nor a market order")


def read_order(content: object) -> BrokerOrder:
    """One stock order. Raises Unreadable if it is none."""
    return guarded(_order, content)


def _order(content: object) -> BrokerOrder:
    fields = members(content)
    asset_class, order_class = fields.get("asset_class", STOCKS), fields.get("order_class")
    if asset_class != STOCKS:
        raise Unreadable(f"asset_class: {text_or_empty(asset_class) or kind_of(asset_class)}, not {STOCKS}")
    if order_class == _OF_SEVERAL_LEGS:
        raise Unreadable(f"order_class: {_OF_SEVERAL_LEGS}, an order of several legs")
    return convert(OrderPayload, content).order()


def read_orders(content: object, what: str) -> OrderList:
    """A list of orders; elements that are no stock orders of this system's shape are odd. Raises BrokerUnavailable."""
    orders: list[BrokerOrder] = []
    odd: list[OddOrder] = []
    for element in elements(content, what):
        try:
            orders.append(read_order(element))
        except Unreadable as error:
            odd.append(_odd(element, str(error)))
    return OrderList(tuple(orders), tuple(odd))


def _odd(element: object, detail: str) -> OddOrder:
    fields = element if isinstance(element, dict) else {}
    status = fields.get("status")
    known = _STATUSES.get(status, OrderStatus.OPEN) if isinstance(status, str) else OrderStatus.OPEN
    return OddOrder(
        order_id=text_or_empty(fields.get("id")),
        client_order_id=text_or_empty(fields.get("client_order_id")),
        symbol=text_or_empty(fields.get("symbol")),
        open=not known.terminal,
        detail=detail,
    )


def difference(request: OrderRequest, answer: BrokerOrder) -> str:
    """Where an answered order is another than the one asked for, in words that name both; empty if nowhere."""
    pairs = {
        "client_order_id": (request.client_order_id, answer.client_order_id),
        "symbol": (request.symbol, answer.symbol),
        "side": (request.side.value, answer.side.value),
        "quantity": (request.quantity, answer.quantity),
        "limit": (request.order_type.limit_price, answer.order_type.limit_price),
    }
    return ", ".join(
        f"{name} {shown(str(answered))} for {asked}" for name, (asked, answered) in pairs.items() if asked != answered
    )
