"""Loose orders: those of runs that have ended which may still be open. Looked up and cancelled until they are not.

a run ends            its orders that may be open are kept as a record, with the end (`of_run`)
before the end        the account's open orders are listed once more: ours are cancelled (`last_look`)
the next delivery,    each order of the record is looked up: an open one is cancelled, one that has ended leaves the
watch or run          record, and so does one that is not there after the close of its session (`look_again`)
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.errors import BrokerUnavailable
from alchemiser_common.ids import CLIENT_ORDER_PREFIX
from alchemiser_common.ports.broker import Broker, BrokerOrder, OrderList
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock, TimeLeft
from alchemiser_common.ports.state import StateStore, load_all, put
from alchemiser_common.records.loose import LooseOrder, LooseOrders
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.own_orders import orders_of_another_home, own_order_ids
from alchemiser_trading.orders.legs import LegState
from alchemiser_trading.orders.order_gateway import takes_cancel

_log = logging.getLogger(__name__)
_NEEDED = timedelta(seconds=10)
"""Process time that is left alone."""


@dataclass(frozen=True, slots=True)
class LastLook:
    """The open orders of the account when a run's legs had ended."""

    ours: tuple[BrokerOrder, ...] = ()
    """Of this store's runs: still open although they were cancelled."""
    foreign: tuple[str, ...] = ()
    """Of others, each in a line for a person."""
    other_home: bool = False
    """One of them has an id of this system that this store does not know: another home trades the account."""
    unread: str = ""
    """Why the open orders could not be listed; empty if they were."""
    cancelled: tuple[BrokerOrder, ...] = ()
    """Of this store's runs: open when looked at first, and cancelled since."""

    @property
    def any(self) -> bool:
        """Whether something is open, or may be."""
        return bool(self.ours or self.foreign or self.unread)

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it for a person."""
        mine = (f"still open after a cancel: {_order(order)}" for order in self.ours)
        ended = (f"found open and cancelled: {_order(order)}" for order in self.cancelled)
        whose = "another home trades this account: " if self.other_home else "not this system's: "
        unread = (f"the account's open orders could not be listed: {self.unread}",) if self.unread else ()
        return (*mine, *ended, *(f"{whose}{line}" for line in self.foreign), *unread)


class LooseEnds:
    """Finds and ends what may be open on the account, beyond the legs of the run at hand."""

    def __init__(
        self,
        store: StateStore,
        broker: Broker,
        clock: Clock,
        lease: AccountLease,
        account_alias: str,
        patience: timedelta,
        time_left: TimeLeft,
    ) -> None:
        self._store = store
        self._broker = broker
        self._clock = clock
        self._lease = lease
        self._alias = account_alias
        self._patience = patience
        self._time_left = time_left

    def last_look(self, ours: Collection[str], order_ids: Collection[str]) -> LastLook:
        """List what is open; cancel what is of this store and wait for its end. `ours` and `order_ids` are the run's.

        An order of another home or of a person is named and left alone. Raises StoreUnavailable.
        """
        ends = self._clock.now() + self._patience
        found: dict[str, BrokerOrder] = {}
        taken: set[str] = set()
        while True:
            over = self._clock.now() >= ends or self._time_left() < _NEEDED
            try:
                seen = self._sorted(self._broker.open_orders(), ours, order_ids)
            except BrokerUnavailable as error:
                if over:
                    return LastLook(unread=str(error))
            else:
                if not seen.ours or over:
                    still = {order.order_id for order in seen.ours}
                    ended = tuple(order for name, order in found.items() if name not in still)
                    return replace(seen, cancelled=ended)
                for order in seen.ours:
                    found.setdefault(order.order_id, order)
                    if order.order_id not in taken and self._cancel(order):
                        taken.add(order.order_id)
            self._wait()

    def look_again(self) -> tuple[str, ...]:
        """Look up and cancel the loose orders of runs that have ended; what came of each, in lines for a person.

        Orders that are neither ended nor surely absent stay on record. Raises BrokerUnavailable, StoreUnavailable.
        """
        lines: list[str] = []
        still_open = {order.client_order_id for order in self._broker.open_orders().orders}
        records = load_all(self._store, keys.account_partition(self._alias), LooseOrders, prefix=keys.LOOSE_PREFIX)
        for record in records:
            left = []
            for order in record.value.orders:
                settled, line = self._settle(order, record.value, still_open)
                lines.append(line)
                if not settled:
                    left.append(order)
            if len(left) < len(record.value.orders):
                fewer = record.value.model_copy(update={"orders": tuple(left)})
                self._lease.write(put(keys.loose_orders(self._alias, fewer.run_id), fewer, record.version))
        for line in lines:
            _log.warning("loose order", extra={"finding": line})
        return tuple(lines)

    # The list of open orders may lack one that the day's list shows. That somebody else trades the account is believed
    # of either, and then nothing is sent; that nobody does, both have to say.
    def of_others(self) -> tuple[str, ...]:
        """The day's orders that no intent of this store explains: all with an id of this system, of others the open.

        Each in a line for a person. Raises BrokerUnavailable, StoreUnavailable.
        """
        now = self._clock.now()
        day = datetime.combine(now.astimezone(EXCHANGE_ZONE).date(), time.min, EXCHANGE_ZONE)
        listed = self._broker.orders_since(day)
        ids = [order.client_order_id for order in listed.orders] + [order.client_order_id for order in listed.odd]
        ours_by_name = any(item.startswith(CLIENT_ORDER_PREFIX) for item in ids)
        own = self._own_ids() if ours_by_name else ()
        strangers = [
            f"open order that is not this system's: {_order(order)}"
            for order in listed.orders
            if not order.status.terminal and not order.client_order_id.startswith(CLIENT_ORDER_PREFIX)
        ]
        return (*(item.detail for item in orders_of_another_home(listed, own)), *strangers)

    def _own_ids(self) -> Collection[str]:
        """Client order ids of every intent of today's runs of this account."""
        today = self._clock.now().date()
        return own_order_ids(self._store, self._alias, today - timedelta(days=1), today)

    def _sorted(self, listed: OrderList, ours: Collection[str], order_ids: Collection[str]) -> LastLook:
        unknown = [
            order for order in listed.orders if order.client_order_id not in ours and order.order_id not in order_ids
        ]
        ours_by_name = any(order.client_order_id.startswith(CLIENT_ORDER_PREFIX) for order in unknown)
        own = self._own_ids() if ours_by_name else ()
        others = [order for order in unknown if order.client_order_id not in own]
        return LastLook(
            ours=tuple(order for order in listed.orders if order not in others),
            foreign=tuple(_order(order) for order in others),
            other_home=any(order.client_order_id.startswith(CLIENT_ORDER_PREFIX) for order in others),
        )

    def _settle(self, order: LooseOrder, of: LooseOrders, still_open: Collection[str]) -> tuple[bool, str]:
        """Whether the order is known to have ended, by look-up and list, and a line about it."""
        what = f"{order.side.value} {order.symbol} of run {of.run_id} ({order.client_order_id})"
        ends = self._clock.now() + self._patience
        asked = taken = False
        while True:
            found = self._broker.order_by_client_id(order.client_order_id)
            if found is None:
                gone = self._clock.now().astimezone(EXCHANGE_ZONE).date() > of.session
                return gone, f"{what}: {'never reached the broker' if gone else 'not at the broker so far'}"
            if found.status.terminal and (asked or order.client_order_id not in still_open):
                beyond = found.filled_quantity - order.filled
                return (
                    True,
                    f"{what}: {found.status.value}, {found.filled_quantity} filled, {beyond} more than reported",
                )
            if not taken:
                asked, taken = True, self._cancel(found)
            if self._clock.now() >= ends or self._time_left() < _NEEDED:
                return False, f"{what}: still open although it was cancelled"
            self._wait()

    def _wait(self) -> None:
        """A second, and the lease is still this worker's: patience may be longer than a lease."""
        self._clock.sleep(1.0)
        self._lease.keep()

    def _cancel(self, order: BrokerOrder) -> bool:
        _log.warning("cancelling an order that no leg waits for", extra={"order_id": order.order_id})
        return takes_cancel(self._broker, order.order_id)


def _order(order: BrokerOrder) -> str:
    return f"{order.side.value} order of {order.symbol}, {order.order_id} ({order.client_order_id})"


def named(loose: LooseOrders) -> tuple[str, ...]:
    """The orders that may still be open, each in a line for a person."""
    return tuple(
        f"may be open: {order.side.value} {order.quantity} {order.symbol} ({order.client_order_id}), at least "
        f"{order.filled} filled; it is looked up and cancelled by the watch and the next run"
        for order in loose.orders
    )


def _filled_of(state: LegState, client_order_id: str) -> Decimal:
    """Shares of that order of the leg that are known to have been filled."""
    orders = (order for order in state.orders if order.client_order_id == client_order_id)
    return sum((order.filled_quantity for order in orders), Decimal(0))


def of_run(
    run: UUID,
    session: date,
    legs: Sequence[LegState],
    still_open: Sequence[BrokerOrder],
    id_of: Callable[[LegState], str],
) -> LooseOrders:
    """What a run leaves behind: orders of legs that are not known to have ended, and what the last look saw open."""
    found = {
        id_of(state): LooseOrder(
            client_order_id=id_of(state),
            symbol=state.leg.symbol,
            side=state.leg.side,
            quantity=state.pending.quantity,
            filled=_filled_of(state, id_of(state)),
            reason=state.reason,
        )
        for state in legs
        if state.pending is not None and state.unsettled > 0
    }
    for order in still_open:
        found.setdefault(
            order.client_order_id,
            LooseOrder(
                client_order_id=order.client_order_id,
                symbol=order.symbol,
                side=order.side,
                quantity=order.quantity or Decimal(0),
                filled=order.filled_quantity,
                reason="open although it was cancelled",
            ),
        )
    return LooseOrders(run_id=run, session=session, orders=tuple(found.values()))
