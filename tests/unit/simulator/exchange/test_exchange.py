"""Orders replaced, cancelled and submitted by the hundred, without HTTP."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest

from alchemiser_simulator.exchange.exchange import Replacement
from alchemiser_simulator.exchange.orders import CancelQuirks, Quirks, Status
from alchemiser_simulator.exchange.refusals import Refusal
from unit.simulator.exchange.tickets import OPEN, current, exchange_at, ticket


def test_replacing_after_a_partial_fill_asks_for_the_whole_quantity_again() -> None:
    exchange = exchange_at()
    quote = exchange.market.quote("SPY", exchange.now)
    assert quote is not None
    first = exchange.submit(ticket(limit=quote.ask), Quirks(fill_fraction=Decimal("0.4"), max_fills=1))
    second = exchange.replace(first.id, Replacement(limit_price=quote.bid - 50))
    old = current(exchange, first)
    assert (old.status, old.filled_qty, old.replaced_by) == (Status.REPLACED, Decimal(4), second.id)
    assert (second.replaces, second.ticket.qty) == (first.id, Decimal(10))


def test_a_fill_may_arrive_while_an_order_is_being_cancelled() -> None:
    exchange = exchange_at()
    order = exchange.submit(ticket(limit="250.00"))
    stuck = CancelQuirks(stuck=True, seconds=30.0, fill_fraction=Decimal("0.3"))
    assert exchange.cancel(order.id, stuck).status is Status.PENDING_CANCEL
    assert current(exchange, order).filled_qty == 3
    with pytest.raises(Refusal, match=r"already in .*pending_cancel"):
        exchange.cancel(order.id)
    exchange.advance_to(OPEN + timedelta(seconds=30))
    assert current(exchange, order).status is Status.CANCELED
    assert current(exchange, order).filled_qty == 3


def test_a_thousand_orders_a_second() -> None:
    exchange = exchange_at()
    started = time.process_time()
    for number in range(500):
        exchange.submit(ticket(qty="0.1", client_order_id=f"speed-{number}"))
    elapsed = time.process_time() - started
    assert elapsed < 0.5, f"500 orders took {elapsed:.2f} s"
