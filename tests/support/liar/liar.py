"""The liar at work: stands between client and exchange, tells the lies of a scenario, and keeps a trace of all said."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from alchemiser_common.errors import StoreUnavailable
from support.faulty_ports import Fault, Faults, Killed
from support.liar.endpoints import Endpoint, endpoint
from support.liar.lies import KINDS
from support.liar.scenario import Mishap
from support.liar.telling import Lie, Telling
from support.liar.transport import Answer, Asked, refusal
from support.liar.world import World


class Process(Faults):
    """One delivery's process: what befalls its calls of the store, and at which request it dies."""

    def __init__(self, world: World, mishaps: Sequence[Mishap]) -> None:
        super().__init__({item.call: Fault(item.name) for item in mishaps if item.name in set(Fault)})
        self._world = world
        self._pauses = {item.call: item.length for item in mishaps if item.name == "pause"}
        self._outages = [range(item.call, item.call + item.length) for item in mishaps if item.name == "outage"]
        self._deaths = {item.call: item.name for item in mishaps if item.name.startswith("die")}
        self._requests = 0
        self.over = False
        """Whether nothing befalls it any more."""

    def around[R](self, name: str, call: Callable[[], R], failure: Callable[[str], Exception]) -> R:
        if self.over:
            if self.dead:
                raise Killed
            return call()
        number = self.calls
        if any(number in outage for outage in self._outages):
            self.calls += 1
            self._world.tell(f"   store: {name}: away")
            raise StoreUnavailable(f"{name}: an outage")
        if number in self.at:
            self._world.tell(f"   store: {name}: {self.at[number].value}")
        result = super().around(name, call, failure)
        if number in self._pauses:
            self._world.tell(f"   the process stands still for {self._pauses[number]} s after {name}")
            self._world.standing_still = True
            self._world.advance(self._pauses[number])
            self._world.standing_still = False
        return result

    def request(self, ask: Callable[[], Answer]) -> Answer:
        """A request of this process, if it lives to make it and to hear the answer."""
        if self.dead:
            raise Killed
        death = None if self.over else self._deaths.get(self._requests)
        self._requests += 1
        if death == "die before":
            self._world.tell("   the process dies before the request")
            self._die()
        answer = ask()
        if death == "die after":
            self._world.tell("   the process dies after the request")
            self._die()
        return answer


@dataclass(frozen=True, slots=True)
class Sent:
    """An order as it left the client."""

    at: datetime
    client_order_id: str
    symbol: str
    side: str
    quantity: Decimal
    limit: Decimal | None
    bid: Decimal
    """The true quote at that moment, USD."""
    ask: Decimal
    listed_at: datetime | None
    """When open orders were last listed as they were."""


@dataclass
class Liar:
    """Tells the lies of one scenario. Lies stand in line: each hears what the one behind it says."""

    world: World
    lies: Sequence[Lie]
    process: Process
    sent: list[Sent] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    """The broker's ids of orders that we asked to cancel."""
    positions_true_at: datetime | None = None
    """When positions were last told as they are."""
    orders_true_at: datetime | None = None
    """When open orders were last listed as they are."""

    def __post_init__(self) -> None:
        self.tellings = [Telling(lie, self.world) for lie in self.lies]

    def stop(self) -> None:
        """From now on all is true."""
        for telling in self.tellings:
            telling.over = True

    @property
    def told(self) -> list[str]:
        """The kinds of lies that were told at all."""
        return sorted({telling.lie.kind for telling in self.tellings if telling.told})

    def tell(self, asked: Asked, ask: Callable[[Asked], Answer]) -> Answer:
        """As `Teller`."""
        self.world.count_request()
        return self.process.request(lambda: self._told(asked, ask))

    def _told(self, asked: Asked, ask: Callable[[Asked], Answer]) -> Answer:
        place = endpoint(asked)
        if place is Endpoint.SUBMIT:
            self._note_order(asked)
        elif place is Endpoint.CANCEL:
            self.cancelled.append(asked.path.rsplit("/", 1)[1])
        before = {id(telling): telling.told for telling in self.tellings}
        in_line = [telling for telling in self.tellings if place in telling.lie.at and not telling.spent]

        def through(number: int, wanted: Asked) -> Answer:
            if number == len(in_line):
                return self._true(place, wanted, ask)
            telling = in_line[number]
            tell = KINDS[telling.lie.kind].variants[telling.lie.variant]
            return tell(telling, wanted, lambda asked_on: through(number + 1, asked_on))

        status: int | str = "no answer"
        try:
            answer = through(0, asked)
            status = answer.status
            return answer
        finally:
            notes = [telling.notes[-1] for telling in in_line if telling.told > before[id(telling)] and telling.notes]
            if place is Endpoint.POSITIONS and status == 200 and not notes:
                self.positions_true_at = self.world.now
            if place in {Endpoint.LISTED, Endpoint.OPEN} and status == 200 and not notes:
                self.orders_true_at = self.world.now
            self.world.tell(f"{_line(place, asked)} {status}" + "".join(f"   <-- {note}" for note in notes))

    def _true(self, place: Endpoint, asked: Asked, ask: Callable[[Asked], Answer]) -> Answer:
        """The exchange's answer, buying power cut if the world says so."""
        cap = self.world.power_cap
        if cap is None or place not in {Endpoint.SUBMIT, Endpoint.ACCOUNT}:
            return ask(asked)
        books = self.world.exchange.venue.exchange.books
        spent = sum((order.filled_cost for order in self.world.ours() if order.ticket.side.value == "buy"), Decimal(0))
        power = max(cap - spent - books.reserved, Decimal(0))
        if place is Endpoint.ACCOUNT:
            answer = ask(asked)
            content = answer.json
            assert isinstance(content, dict)
            return answer.saying({**content, "buying_power": str(power)})
        order = asked.json
        limit = Decimal(str(order.get("limit_price") or self.world.quote(str(order["symbol"]))[1]))
        cost = Decimal(str(order["qty"])) * limit
        if order["side"] == "buy" and cost > power:
            fields = {"buying_power": str(power), "cost_basis": str(cost)}
            return refusal(403, 40310000, "insufficient buying power", **fields)
        return ask(asked)

    def _note_order(self, asked: Asked) -> None:
        order = asked.json
        symbol, limit = str(order["symbol"]), order.get("limit_price")
        bid, offer = self.world.quote(symbol)
        self.sent.append(
            Sent(
                at=self.world.now,
                client_order_id=str(order["client_order_id"]),
                symbol=symbol,
                side=str(order["side"]),
                quantity=Decimal(str(order["qty"])),
                limit=None if limit is None else Decimal(str(limit)),
                bid=bid,
                ask=offer,
                listed_at=self.orders_true_at,
            )
        )


def _line(place: Endpoint, asked: Asked) -> str:
    if place is Endpoint.SUBMIT:
        order = {"limit_price": None, **asked.json}
        return "submit {side} {qty} {symbol} at {limit_price} {client_order_id}".format_map(order)
    about = asked.query.get("client_order_id") or asked.query.get("symbols") or ""
    if place in {Endpoint.CANCEL, Endpoint.ORDER, Endpoint.ASSET}:
        about = asked.path.rsplit("/", 1)[1]
    return f"{place.value} {about}".rstrip()
