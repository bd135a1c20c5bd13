"""Reads what became of orders: one list of the day's, look-ups for the rest; successors of replaced ones count."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal

from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ports.broker import BrokerOrder, OddOrder, OrderReader, OrderStatus
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_trading.orders.legs import LegState
from alchemiser_trading.orders.rate_limit import RequestBudget
from alchemiser_trading.orders.reconcile import fold

_log = logging.getLogger(__name__)
_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class DaysOrders:
    """The day's orders at one moment: all that may still fill, and of the others as many as the broker lists."""

    orders: Sequence[BrokerOrder]
    odd: Sequence[OddOrder] = ()

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """The order of that id; None if it is not listed, or was replaced by one that a look-up would find."""
        found = next((order for order in self.orders if order.client_order_id == client_order_id), None)
        return None if found is None or found.status is OrderStatus.REPLACED else found

    @property
    def open(self) -> Sequence[BrokerOrder]:
        """Those that may still fill."""
        return [order for order in self.orders if not order.status.terminal]


class OrderTracker:
    """Looks orders up and remembers which ids belong to this run."""

    def __init__(self, broker: OrderReader, clock: Clock, budget: RequestBudget, session: date) -> None:
        self._broker = broker
        self._day = datetime.combine(session, time.min, EXCHANGE_ZONE)
        self._clock = clock
        self._budget = budget
        self.order_ids: set[str] = set()
        """The broker's ids of this run's orders, successors of replaced ones included."""

    def open_orders(self) -> Sequence[BrokerOrder]:
        """Every open order, of whatever day. Raises BrokerUnavailable."""
        return self._broker.open_orders().orders

    def days_orders(self) -> DaysOrders:
        """One list call. Raises BrokerUnavailable."""
        listed = self._broker.orders_since(self._day)
        return DaysOrders(listed.orders, listed.odd)

    def look_up(self, client_order_id: str) -> BrokerOrder | None:
        """The order with its successors as one, or None if the broker does not know the id.

        Raises BrokerUnavailable, also if the answer is another order.
        """
        order = self._broker.order_by_client_id(client_order_id)
        if order is not None and order.client_order_id != client_order_id:
            raise BrokerUnavailable(f"order {client_order_id} was asked for, the answer is {order.client_order_id}")
        return None if order is None else self._followed(order)

    def look_up_all(self, client_order_ids: Iterable[str], heartbeat: Callable[[], None]) -> dict[str, BrokerOrder]:
        """Those of the orders that the broker knows, waiting where the request budget asks for it."""
        found: dict[str, BrokerOrder] = {}
        for client_order_id in client_order_ids:
            heartbeat()
            while not self._budget.allows():
                self._clock.sleep(1.0)
            order = self.look_up(client_order_id)
            if order is not None:
                found[client_order_id] = order
        return found

    def priced(self, state: LegState) -> LegState:
        """The leg with the prices of ended orders that the broker reports later than their fills."""
        return replace(state, chain=tuple(self._newest(order) for order in state.chain))

    def _newest(self, order: BrokerOrder) -> BrokerOrder:
        complete = order.status.terminal and (order.filled_quantity == 0 or order.average_price is not None)
        if complete or not self._budget.allows():
            return order
        try:
            newer = self.look_up(order.client_order_id)
        except BrokerUnavailable as error:
            _log.warning("price not read", extra={"order_id": order.order_id, "reason": str(error)})
            return order
        if newer is None or not order.filled_quantity <= newer.filled_quantity <= (order.quantity or Decimal(0)):
            return order
        return newer

    def _followed(self, order: BrokerOrder) -> BrokerOrder:
        chain = [order]
        while chain[-1].status is OrderStatus.REPLACED and chain[-1].replaced_by and len(chain) < _LONGEST_CHAIN:
            successor = self._broker.order(chain[-1].replaced_by)
            if successor is None:
                break
            chain.append(successor)
        self.order_ids.update(link.order_id for link in chain)
        return order if len(chain) == 1 else fold(chain)
