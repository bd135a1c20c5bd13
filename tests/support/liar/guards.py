"""The explorer on trial: each guard of the order core taken out in turn, and the first seed that notices.

A guard is a row: its name, the mode to look in, and what stands in its place. A seed counts if it violates without the
guard and does not with it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import count
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from alchemiser_common.alpaca import broker, holdings, market_data, orders, reading
from alchemiser_common.alpaca.http import Caller
from alchemiser_common.errors import AmbiguousOutcome, BrokerRefused, BrokerThrottled, BrokerUnavailable
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import LegStatus
from alchemiser_common.ports.broker import OrderRequest
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.loose import LooseOrders
from alchemiser_trading import service
from alchemiser_trading.account.lease import AccountLease
from alchemiser_trading.journal.journal import Journal
from alchemiser_trading.orders import (
    cash,
    executor,
    order_gateway,
    order_tracker,
    order_watch,
    pricing,
    reconcile,
    settling,
    smart_execution,
    steady_broker,
)
from alchemiser_trading.orders.cash import CashBudget, release_buys
from alchemiser_trading.orders.leg_ends import Advance, done, next_or_done
from alchemiser_trading.orders.legs import LegPhase, LegState, start
from alchemiser_trading.orders.loose import LastLook, LooseEnds
from alchemiser_trading.orders.order_watch import checked
from alchemiser_trading.plan import account_reading, symbol_facts
from alchemiser_trading.plan.account_sum import account_sum
from alchemiser_trading.plan.prices import NoPrice, PriceFigure
from alchemiser_trading.runs import run
from support.liar.explorer import play
from support.liar.runner import exchange
from support.liar.scenario import Mode, scenario
from support.quiet import quiet

type Patch = tuple[object, str, object]
"""Where, which name, and what to put there."""

_NEVER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard and how it is taken out."""

    name: str
    mode: Mode
    patches: Callable[[], Sequence[Patch]]
    """Made anew for each play."""
    most: int = 2000
    """Seeds to look in."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """The first seed that needs the guard, and what it violates without it."""

    seed: int
    what: str


# What stands in a guard's place


def _nothing(*_: object, **__: object) -> None:
    return None


def _none(*_: object, **__: object) -> tuple[object, ...]:
    return ()


def _empty(*_: object, **__: object) -> list[object]:
    return []


def _plenty(*_: object, **__: object) -> Decimal:
    return Decimal(10**9)


def _as_it_was(state: LegState, *_: object) -> LegState:
    return state


def _new_ids() -> Callable[[Intent], OrderRequest]:
    """Requests whose id is another one each time they are sent."""
    numbers, right = count(1), order_gateway.request_of

    def request_of(intent: Intent) -> OrderRequest:
        made = right(intent)
        return made.model_copy(update={"client_order_id": f"{made.client_order_id[:40]}-{next(numbers)}"})

    return request_of


def _without_positions(state: LegState, _: object, now: datetime, __: object) -> Advance:
    """The next order comes as soon as a look-up agrees."""
    if state.phase is not LegPhase.CHECKING or not state.confirmed:
        return state, ()
    return next_or_done(replace(state, phase=LegPhase.READY, unknown=Decimal(0), confirmed=False, since=now), now), ()


def _without_look_up(state: LegState, moved: Decimal | None, now: datetime, settings: object) -> Advance:
    """The next order comes as soon as the position agrees."""
    return checked(replace(state, confirmed=True), moved, now, settings)  # type: ignore[arg-type]


def _simply_ended(state: LegState, now: datetime) -> LegState:
    return done(state, LegStatus.UNFILLED, state.stopping, now, None)


def _nothing_loose(run_: UUID, session: date, *_: object) -> LooseOrders:
    return LooseOrders(run_id=run_, session=session, orders=())


def _from_the_start(plan: object, *_: object) -> tuple[LegState, ...]:
    return tuple(start(leg) for leg in plan.legs)  # type: ignore[attr-defined]


def _asked_once[R](question: Callable[[], R]) -> R:
    return question()


def _first_figure(figures: Collection[PriceFigure], *_: object) -> Decimal | NoPrice:
    """The first price that there is, fresh or not."""
    usable = [figure.price for figure in figures if figure.price > 0]
    return usable[0] if usable else NoPrice(LegReason.NO_PRICE, "no price")


def _never_at_fault(*figures: object) -> object:
    return replace(account_sum(*figures), fault="")  # type: ignore[arg-type]


def _never_uncertain(*figures: object) -> object:
    return replace(account_sum(*figures), uncertain=Decimal(0))  # type: ignore[arg-type]


def _without_patience(
    budget: CashBudget, allowance: Decimal, now: datetime, settle: timedelta, _: timedelta
) -> list[LegState]:
    return release_buys(budget, allowance, now, settle, _NEVER)


def _at_once() -> Callable[[order_gateway.OrderGateway, Intent], object]:
    """The request without the last questions, for the lease and the deadline."""
    right = order_gateway.OrderGateway._send

    def send(gateway: order_gateway.OrderGateway, intent: Intent) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gateway, "stop_by_time", _nothing)
            patch.setattr(AccountLease, "require", _nothing)
            return right(gateway, intent)

    return send


def _any_refusal[R](caller: Caller, what: str, call: Callable[[], R]) -> R:
    """Every 4xx of an order counts as its refusal."""
    try:
        return caller._authorised(what, call)
    except (BrokerRefused, BrokerThrottled):
        raise
    except BrokerUnavailable as error:
        raise AmbiguousOutcome(str(error)) from error


def _raw(read: Callable[[object], object], content: object) -> object:
    return read(content)


@cache
def _adapter(shape: type) -> TypeAdapter[object]:
    return TypeAdapter(shape)


def _converted(shape: type, content: object) -> object:
    return _adapter(shape).validate_python(content)


def _guards() -> Iterator[Guard]:
    gateway, tracker = order_gateway.OrderGateway, order_tracker.OrderTracker
    safety, liveness = Mode.SAFETY, Mode.LIVENESS
    # Orders: what is sent, and when
    yield Guard("an order keeps its client order id", safety, lambda: [(order_gateway, "request_of", _new_ids())])
    yield Guard("intents are written first", safety, lambda: [(Journal, "intend", _nothing)])
    yield Guard("a delivery goes on where the last one was", safety, lambda: [(run, "resume", _from_the_start)])
    yield Guard("no order after the deadline", safety, lambda: [(gateway, "stop_by_time", _nothing)])
    yield Guard("lease and deadline right before the request", safety, lambda: [(gateway, "_send", _at_once())])
    yield Guard("no order once halted", safety, lambda: [(gateway, "stop_by_trading_state", _nothing)])
    # The comparison with the broker's clock stands behind this one, so that fewer seeds need it.
    own = [(service, "SteadyClock", lambda clock: clock)]
    yield Guard("the clock does not go back", liveness, lambda: own, most=3000)
    own_clock = [(service.TradingService, "_passed", _nothing)]
    yield Guard("a lease that is stretched ends by the broker's clock", liveness, lambda: own_clock)
    strangers = [(room, "foreign_orders", _empty) for room in (executor, reconcile)]
    yield Guard("a stranger's order stops the run", safety, lambda: strangers)
    # Evidence: what a report proves
    yield Guard(
        "the position agrees before the next order", safety, lambda: [(executor, "checked", _without_positions)]
    )
    yield Guard("a look-up agrees before the next order", safety, lambda: [(executor, "checked", _without_look_up)])
    late = [(room, "reheard", _as_it_was) for room in (executor, order_watch)]
    yield Guard("an order that had ended is still listened to", liveness, lambda: late)
    yield Guard("an order that is not listed is looked up", liveness, lambda: [(tracker, "look_up", _nothing)])
    yield Guard("what one source shows alone is unknown", safety, lambda: [(settling, "contradicted", _as_it_was)])
    yield Guard("a refusal is in the broker's own words", liveness, lambda: [(Caller, "once", _any_refusal)])
    # Ends: nothing is left behind
    yield Guard("an order without an answer is unknown", safety, lambda: [(order_watch, "lost_order", _simply_ended)])
    yield Guard("loose orders are kept", safety, lambda: [(run, "of_run", _nothing_loose)])
    again = [(LooseEnds, "look_again", _none), (LooseEnds, "last_look", lambda *_: LastLook())]
    yield Guard("loose orders are looked for again", liveness, lambda: again)
    yield Guard("open orders are listed at the end", safety, lambda: [(LooseEnds, "last_look", lambda *_: LastLook())])
    yield Guard("a refused read is asked again", liveness, lambda: [(steady_broker, "asked", _asked_once)])
    rooms = (reading, orders, holdings, broker, market_data)
    raw = [patch for room in rooms for patch in ((room, "guarded", _raw), (room, "convert", _converted))]
    yield Guard("answers are read in a guarded place", safety, lambda: raw)
    # Money: prices, cash, the account
    priced = [(room, "verified", _first_figure) for room in (pricing, symbol_facts)]
    yield Guard("two prices agree", safety, lambda: priced)
    yield Guard("the account adds up", safety, lambda: [(account_reading, "account_sum", _never_at_fault)])
    uncertain = [(account_reading, "account_sum", _never_uncertain)]
    yield Guard("what cannot be read may be ours", liveness, lambda: uncertain)
    yield Guard("buys wait for their cash", safety, lambda: [(cash.CashBudget, "spendable", _plenty)])
    patience = [(executor, "release_buys", _without_patience), (smart_execution, "_patience", lambda *_: _NEVER)]
    yield Guard("a wait for cash has an end", liveness, lambda: patience)


GUARDS = tuple(_guards())


def first_seed(guard: Guard) -> Noticed | None:
    """The first of its seeds that violates only without the guard; None if there is none."""
    with quiet():
        for seed in range(guard.most):
            drawn = scenario(seed, guard.mode)
            with pytest.MonkeyPatch.context() as patch:
                for where, name, instead in guard.patches():
                    patch.setattr(where, name, instead)
                without = play(exchange(), drawn)
            if without.violations and not play(exchange(), drawn).violations:
                return Noticed(seed, without.violations[0].what)
    return None
