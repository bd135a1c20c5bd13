"""Whose an order is, by its client order id: this store's, or another home's that trades the same account.

An id of this system's making is a function of environment, run and leg. One that no intent of this store explains was
made by another home, another stage, or another alias. Its order is named and never cancelled: its owner works on it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.ids import CLIENT_ORDER_PREFIX
from alchemiser_common.ports.broker import OrderList
from alchemiser_common.ports.state import StateStore, load_all
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.run import RunEntry


@dataclass(frozen=True, slots=True)
class OrderOfAnotherHome:
    """An order with an id of this system's making that this store did not write down before it was sent."""

    order_id: str
    client_order_id: str
    symbol: str
    open: bool
    """Whether it may still fill."""

    @property
    def detail(self) -> str:
        """What a person must know, in one line."""
        state = "open" if self.open else "ended"
        return (
            f"{state} order {self.order_id} of {self.symbol or 'an unknown symbol'} ({self.client_order_id}) is of "
            "another home, stage or alias that trades this account: stop one of the two; this one left it alone"
        )


def own_order_ids(store: StateStore, account_alias: str, first: date, last: date) -> dict[str, UUID]:
    """The run of every order that this store intended, by client order id.

    Looked through are all runs of the account that were scheduled from `first` to `last` (UTC dates, both included),
    whichever pipeline's; an order is good for the day, so those of the session's day are all that can explain one of
    today's. One query a day and one a run. Raises StoreUnavailable, StateCorrupt.
    """
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    runs = [
        entry.value.run_id
        for day in days
        for entry in load_all(store, keys.runs_partition(account_alias), RunEntry, prefix=f"{day:%Y-%m-%d}T")
    ]
    return {
        intent.value.client_order_id: run
        for run in runs
        for intent in load_all(store, keys.run_partition(run), Intent, prefix=keys.INTENT_PREFIX)
    }


def orders_of_another_home(orders: OrderList, own: Collection[str]) -> tuple[OrderOfAnotherHome, ...]:
    """Those among the orders, open or ended, whose id is of this system's making and not in `own`. Pure."""
    found = [
        *(
            OrderOfAnotherHome(order.order_id, order.client_order_id, order.symbol, open=not order.status.terminal)
            for order in orders.orders
        ),
        *(
            OrderOfAnotherHome(order.order_id, order.client_order_id, order.symbol, open=order.open)
            for order in orders.odd
        ),
    ]
    return tuple(
        item
        for item in found
        if item.client_order_id.startswith(CLIENT_ORDER_PREFIX) and item.client_order_id not in own
    )
