"""The explorer on trial: each guard of the order core taken out in turn, and the first seed that notices.

A guard is a row: its name, the mode to look in, and what stands in its place. A seed counts if it violates without the
guard and does not with it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import count

import pytest

from alchemiser_common.ports.broker import BrokerOrder, OrderRequest, Quote
from alchemiser_common.records.journal import Intent
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.orders import cash, executor, order_gateway, order_tracker, reconcile, smart_execution
from alchemiser_trading.orders.legs import LegState, start
from alchemiser_trading.orders.pricing import BidAsk
from alchemiser_trading.runs import run
from support.liar.explorer import play
from support.liar.runner import exchange, quiet
from support.liar.scenario import Mode, scenario

type Patch = tuple[object, str, object]
"""Where, which name, and what to put there."""


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard and how it is taken out."""

    name: str
    mode: Mode
    patches: Callable[[], Sequence[Patch]]
    """Made anew for each play."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """The first seed that needs the guard, and what it violates without it."""

    seed: int
    what: str
    tried: int


def _new_ids() -> Callable[[Intent], OrderRequest]:
    """Requests whose id is another one each time they are sent."""
    numbers, right = count(1), order_gateway.request_of

    def request_of(intent: Intent) -> OrderRequest:
        made = right(intent)
        return made.model_copy(update={"client_order_id": f"{made.client_order_id[:40]}-{next(numbers)}"})

    return request_of


def _any_report(state: LegState, order: BrokerOrder | None) -> LegState:
    return state if order is None else replace(state, order=order)


def _any_quote(quote: Quote | None, *_: object) -> BidAsk | str:
    return "no quote" if quote is None or quote.bid <= 0 or quote.ask <= 0 else BidAsk(quote.bid, quote.ask)


def _from_the_start(plan: object, *_: object) -> tuple[LegState, ...]:
    return tuple(start(leg) for leg in plan.legs)  # type: ignore[attr-defined]


def _plenty(*_: object, **__: object) -> Decimal:
    return Decimal(10**9)


def _nothing(*_: object, **__: object) -> None:
    return None


def _empty(*_: object, **__: object) -> list[object]:
    return []


def _guards() -> Iterator[Guard]:
    gateway, tracker = order_gateway.OrderGateway, order_tracker.OrderTracker
    safety, liveness = Mode.SAFETY, Mode.LIVENESS
    yield Guard("an order keeps its client order id", safety, lambda: [(order_gateway, "request_of", _new_ids())])
    yield Guard("an order that is not listed is looked up", liveness, lambda: [(tracker, "look_up", _nothing)])
    yield Guard("a report that lags takes nothing back", safety, lambda: [(smart_execution, "_seen", _any_report)])
    strangers = [(room, "foreign_orders", _empty) for room in (executor, run, reconcile)]
    yield Guard("a stranger's order stops the run", safety, lambda: strangers)
    yield Guard("intents are written first", safety, lambda: [(Journal, "intend", _nothing)])
    yield Guard("a delivery goes on where the last one was", safety, lambda: [(run, "resume", _from_the_start)])
    yield Guard("no order after the deadline", safety, lambda: [(gateway, "stop_by_time", _nothing)])
    yield Guard("no order once halted", safety, lambda: [(gateway, "stop_by_trading_state", _nothing)])
    yield Guard("a quote is checked", safety, lambda: [(smart_execution, "sane", _any_quote)])
    yield Guard("buys wait for their cash", safety, lambda: [(cash.CashBudget, "spendable", _plenty)])


GUARDS = tuple(_guards())


def first_seed(guard: Guard, most: int) -> Noticed | None:
    """The first of so many seeds that violates only without the guard; None if there is none."""
    with quiet():
        for seed in range(most):
            drawn = scenario(seed, guard.mode)
            with pytest.MonkeyPatch.context() as patch:
                for where, name, instead in guard.patches():
                    patch.setattr(where, name, instead)
                without = play(exchange(), drawn)
            if without.violations and not play(exchange(), drawn).violations:
                return Noticed(seed, without.violations[0].what, seed + 1)
    return None
