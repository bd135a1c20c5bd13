"""What must hold, judged by the exchange's books and never by a report of them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from alchemiser_common import keys
from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.messages.report import ExecutionReport, LegReport, LegStatus, RunStatus
from alchemiser_common.ports.state import StateStore, load, load_all
from alchemiser_common.records.journal import Intent
from alchemiser_common.records.lease import LeaseRecord
from alchemiser_common.records.loose import LooseOrders
from alchemiser_common.records.plan import Plan, PlannedLeg
from alchemiser_common.records.trading_state import TradingState
from alchemiser_simulator.exchange.orders import Order
from alchemiser_trading.account.trading_state import trading_state
from support.liar.liar import Liar, Sent
from support.liar.scenario import Scenario
from support.liar.world import ALIAS, NOT_AFTER, World, is_ours

_DUST_USD = Decimal(2)
"""What is worth less need not be ordered."""
_NAMES = re.compile(r"alc-[A-Za-z0-9-]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOTICED = timedelta(seconds=30)
"""By then a switch that was thrown, or a trade that a person made, must have been noticed."""
_IDLE = timedelta(seconds=150)
_WAITS = timedelta(seconds=450)
"""For cash that others may bring: `cash_patience_seconds` and what is left idle otherwise."""
_LATE = timedelta(minutes=15)
"""After the deadline: open orders are cancelled, figures settle, and perhaps it takes another delivery to do so."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not be."""

    what: str
    detail: str

    def __str__(self) -> str:
        return f"{self.what}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Truth:
    """The account at a moment."""

    at: datetime
    equity: Decimal
    held: Mapping[str, Decimal]
    prices: Mapping[str, Decimal]


@dataclass
class Watched:
    """What is noted while a scenario is played, for the oracles."""

    world: World
    drawn: Scenario
    run: UUID
    started: datetime
    planned_on: Truth | None = None
    """The true account when the plan was frozen."""
    working: bool = False
    """Whether a process is at it."""
    true: bool = False
    """Whether lies have stopped."""
    idle: dict[tuple[str, str], timedelta] = field(default_factory=dict)
    """How long a leg was not sent though there was all it needed."""
    waits: dict[tuple[str, str], timedelta] = field(default_factory=dict)
    """How long a buy was not sent though there was cash for a quarter of it."""

    @property
    def plan(self) -> Plan | None:
        """The frozen one."""
        known = load(self.world.state, keys.plan_record(self.run), Plan)
        return None if known is None else known.value

    def orders(self) -> list[Order]:
        """Those of this run that reached the exchange."""
        return [order for order in self.world.ours() if order.created_at >= self.started]

    def wrote(self, sorts: Sequence[str]) -> None:
        """Records were written."""
        if self.planned_on is None and keys.plan_record(self.run).sort in sorts:
            world = self.world
            symbols = {*self.drawn.weights, *world.held()}
            prices = {symbol: world.price(symbol) for symbol in symbols}
            self.planned_on = Truth(world.now, world.equity, world.held(), prices)

    def passed(self, span: timedelta, sent: Sequence[Sent]) -> None:
        """Time went by: was there a leg that could have been sent, and was not?

        What comes in during a run is nobody's to spend in it; and once cash was taken out it does not do for all that
        was planned, so that a leg may wait for one that is still to get its part.
        """
        busy = self.working and not self.world.standing_still
        plan = self.plan if busy and self.true and self.drawn.power == 1 else None
        if plan is None or trading_state(self.world.state, ALIAS) is not TradingState.ACTIVE:
            return
        tried = {(order.symbol, order.side) for order in sent}
        open_buys = [order for order in self.orders() if order.is_open and order.ticket.side.value == "buy"]
        promised = sum((order.reserved for order in open_buys), Decimal(0))
        for leg in plan.legs:
            key = (leg.symbol, leg.side.value)
            if key in tried:
                continue
            free = self.world.cash - self.world.deposited - plan.reserve - promised
            cost = leg.quantity * self.world.quote(leg.symbol)[1]
            if leg.side is Side.SELL or (free >= cost * Decimal("1.002") and not self.world.withdrawn):
                self.idle[key] = self.idle.get(key, timedelta(0)) + span
            elif free >= cost / 4:
                self.waits[key] = self.waits.get(key, timedelta(0)) + span


def named_orders(report: ExecutionReport | None, state: StateStore) -> frozenset[str]:
    """Client order ids and broker's ids of the orders that somebody is told of, or that somebody will look at again.

    Those that the report's words name, those of the run that the account's lease names as unfinished, loose orders.
    """
    names = set(_NAMES.findall("" if report is None else report.model_dump_json()))
    lease = load(state, keys.lease_record(ALIAS), LeaseRecord)
    if lease is not None and lease.value.unfinished_run is not None:
        partition = keys.run_partition(lease.value.unfinished_run)
        intents = load_all(state, partition, Intent, prefix=keys.INTENT_PREFIX)
        names.update(intent.value.client_order_id for intent in intents)
    records = load_all(state, keys.account_partition(ALIAS), LooseOrders, prefix=keys.LOOSE_PREFIX)
    names.update(order.client_order_id for record in records for order in record.value.orders)
    return frozenset(names)


def loose(world: World) -> list[tuple[str, str]]:
    """Orders of ours that may still fill: client order id and broker's id, the latter empty while in the network.

    What is in the network a second time does not count: the exchange takes an id once.
    """
    taken = world.exchange.venue.exchange.books.by_client_id
    at_the_exchange = [(order.client_order_id, str(order.id)) for order in world.ours() if order.is_open]
    return at_the_exchange + [(name, "") for name in world.in_flight if is_ours(name) and name not in taken]


def at_the_end(watched: Watched, report: ExecutionReport, liar: Liar) -> Iterator[Violation]:
    """When a run's report has just been given."""
    yield from _unnamed(watched, report)
    yield from _claims(watched, report, liar)
    if report.status is not RunStatus.COMPLETED and not report.reason:
        yield Violation("ended without a reason", report.status.value)


def afterwards(watched: Watched, report: ExecutionReport | None, liar: Liar) -> Iterator[Violation]:
    """When everything that was under way has arrived."""
    yield from _traded_too_much(watched)
    yield from _unnamed(watched, report)
    yield from _planned_wrongly(watched)
    yield from _orders_sent(watched, liar)
    world = watched.world
    if not (world.trades or world.transferred) and world.lowest_cash < -world.equity * Decimal("0.002"):
        yield Violation("spent more than the cash", f"cash was {world.lowest_cash:.2f} USD")
    strangers = {
        str(order.id): order
        for order in world.exchange.venue.exchange.books.orders.values()
        if not is_ours(order.client_order_id)
    }
    for identity in liar.cancelled:
        if identity in strangers:
            yield Violation("asked to cancel a stranger's order", strangers[identity].client_order_id)


def in_liveness(
    watched: Watched, report: ExecutionReport | None, ended: datetime, failures: int
) -> Iterator[Violation]:
    """What must have come of it once lies had stopped."""
    drawn = watched.drawn
    if report is None:
        yield Violation("not ended by itself", "no report after all deliveries and watches")
        return
    if ended > NOT_AFTER + _LATE:
        yield Violation("ended late", f"{ended - NOT_AFTER} after the deadline")
    for (symbol, side), span in watched.idle.items():
        if span > _IDLE:
            reason = next((leg.reason for leg in report.legs if leg.symbol == symbol), "")
            detail = f"{side} {symbol} was not sent for {span.total_seconds():.0f} s though it could be: {reason}"
            yield Violation("a leg left idle", detail)
    for (symbol, side), span in watched.waits.items():
        if span > _WAITS:
            detail = f"{side} {symbol} was not sent for {span.total_seconds():.0f} s though there was cash for a part"
            yield Violation("a leg waits for another", detail)
    early = drawn.truth_after <= 180 and failures <= 2
    if early and drawn.passing and report.status is not RunStatus.COMPLETED:
        yield Violation("ended otherwise without need", f"{report.status.value}: {report.reason}")
    plan = watched.plan
    if early and plan is not None and drawn.power < 1 and report.status in {RunStatus.COMPLETED, RunStatus.PARTIAL}:
        wanted = any(leg.side is Side.BUY for leg in plan.legs)
        bought = sum(filled for (_, side), filled in watched.world.traded(watched.orders()).items() if side == "buy")
        if wanted and not bought and drawn.passing_at_power:
            yield Violation("bought nothing within the buying power", report.reason)


def nothing_left(watched: Watched) -> Iterator[Violation]:
    """In liveness, when watches and the next run are through."""
    for client_order_id, _ in loose(watched.world):
        yield Violation("an order of ours open at the very end", client_order_id)


def _traded_too_much(watched: Watched) -> Iterator[Violation]:
    plan = watched.plan
    planned = {} if plan is None else {(leg.symbol, leg.side.value): leg.quantity for leg in plan.legs}
    for key, filled in watched.world.traded(watched.orders()).items():
        if filled > planned.get(key, Decimal(0)):
            yield Violation("traded more than planned", f"{key[1]} {key[0]}: {filled} of {planned.get(key)}")


def _unnamed(watched: Watched, report: ExecutionReport | None) -> Iterator[Violation]:
    names = named_orders(report, watched.world.state)
    for client_order_id, identity in loose(watched.world):
        if client_order_id not in names and identity not in names:
            status = "not ended" if report is None else report.status.value
            where = "open" if identity else "in the network"
            yield Violation("an order of ours not named", f"{client_order_id} {where} after a run {status}")


def _claims(watched: Watched, report: ExecutionReport, liar: Liar) -> Iterator[Violation]:
    """The report against the books."""
    traded = watched.world.traded(watched.orders())
    for leg in report.legs:
        true = traded.get((leg.symbol, leg.side.value), Decimal(0))
        if leg.filled > true:
            yield Violation("report says more than was filled", f"{leg.side} {leg.symbol}: {leg.filled}, truly {true}")
        if leg.status is LegStatus.FILLED and _worth(watched, leg.symbol, leg.intended - true) > _DUST_USD:
            yield Violation("report says filled", f"{leg.side} {leg.symbol}: {true} of {leg.intended}")
    if report.status is RunStatus.COMPLETED:
        yield from _completed(watched, report, traded, liar)


def _completed(
    watched: Watched, report: ExecutionReport, traded: Mapping[tuple[str, str], Decimal], liar: Liar
) -> Iterator[Violation]:
    plan, world = watched.plan, watched.world
    if plan is None:
        yield Violation("completed without a plan", report.reason)
        return
    reported = {(leg.symbol, leg.side.value): leg for leg in report.legs}
    short_of_cash = False
    smallest = world.equity * world.settings.trading.min_trade_share
    for leg in plan.legs:
        key = (leg.symbol, leg.side.value)
        missing = leg.quantity - traded.get(key, Decimal(0))
        if _worth(watched, leg.symbol, missing) <= _DUST_USD + smallest:
            continue
        if _cut(leg, reported.get(key)):
            short_of_cash = True
        else:
            yield Violation("completed, a leg not filled", f"{leg.side} {leg.symbol}: {missing} missing")
    noticed = liar.positions_true_at
    strange = [trade for trade in world.trades if noticed is not None and trade.at + _NOTICED < noticed]
    if any(trade.at > plan.made_at for trade in strange):
        yield Violation("completed over an unexplained position", f"{strange[0].quantity} {strange[0].symbol}")
    short_of_cash = short_of_cash or any(leg.cause is LegReason.CASH_SHORT for leg in plan.skipped)
    if not (world.trades or world.transferred or short_of_cash):
        yield from _off_target(watched)


def _cut(leg: PlannedLeg, report: LegReport | None) -> bool:
    return leg.side is Side.BUY and report is not None and "cash" in report.reason


def _off_target(watched: Watched) -> Iterator[Violation]:
    """A completed run leaves the account as decided, but for rounding, the allowance and prices that moved."""
    world = watched.world
    equity, held = world.equity, world.held()
    for symbol in sorted({*held, *watched.drawn.weights}):
        weight = Decimal(str(watched.drawn.weights.get(symbol, 0))) * Decimal("0.99")
        value = held.get(symbol, Decimal(0)) * world.price(symbol)
        if abs(value - weight * equity) > equity * Decimal("0.03") + world.price(symbol):
            detail = f"{symbol} is {value / equity:.3f} of the account instead of {weight:.3f}"
            yield Violation("completed, off target", detail)


def _planned_wrongly(watched: Watched) -> Iterator[Violation]:
    """Legs that went out and are not what the true account and the true prices ask for."""
    plan, truth = watched.plan, watched.planned_on
    if plan is None or truth is None:
        return
    sent = {(order.ticket.symbol, order.ticket.side.value) for order in watched.orders()}
    for leg in plan.legs:
        if (leg.symbol, leg.side.value) not in sent:
            continue
        weight = Decimal(str(watched.drawn.weights.get(leg.symbol, 0)))
        price = truth.prices.get(leg.symbol, leg.price)
        off = weight * truth.equity * Decimal("0.99") / price - truth.held.get(leg.symbol, Decimal(0))
        right = off if leg.side is Side.BUY else -off
        if (leg.quantity - max(right, Decimal(0))) * price > truth.equity * Decimal("0.03") + price:
            detail = f"{leg.side} {leg.quantity} {leg.symbol} where the true account asks for {right:.2f}"
            yield Violation("planned beyond the truth", detail)


def _orders_sent(watched: Watched, liar: Liar) -> Iterator[Violation]:
    world, collar = watched.world, watched.world.settings.execution.collar + Decimal("0.006")
    skew = timedelta(seconds=world.settings.execution.max_clock_skew_seconds)
    everyone = world.exchange.venue.exchange.books.open_orders
    resting = [order for order in everyone if not is_ours(order.client_order_id)]
    for order in liar.sent:
        if order.at > NOT_AFTER + skew and order.at < NOT_AFTER + timedelta(minutes=45):
            yield Violation("an order sent after the deadline", f"{order.client_order_id} at {order.at:%H:%M:%S}")
        if world.halted_at is not None and order.at > world.halted_at + _NOTICED:
            yield Violation("an order sent while halted", order.client_order_id)
        for stranger in resting:
            if order.listed_at is not None and order.listed_at > stranger.created_at + _NOTICED:
                detail = f"{order.client_order_id} beside {stranger.client_order_id}"
                yield Violation("an order sent beside a stranger's", detail)
        if order.limit is None:
            continue
        low, high = order.bid * (1 - collar), order.ask * (1 + collar)
        if (order.side == "sell" and order.limit < low) or (order.side == "buy" and order.limit > high):
            detail = f"{order.side} {order.symbol} at {order.limit}, quoted {order.bid}/{order.ask}"
            yield Violation("a limit beyond the collar", detail)


def _worth(watched: Watched, symbol: str, quantity: Decimal) -> Decimal:
    return quantity * watched.world.price(symbol)
