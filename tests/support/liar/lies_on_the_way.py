"""What becomes of orders and cancels on their way: taken and denied, held, swallowed, answered with another."""

from functools import partial

import requests

from support.liar.endpoints import Endpoint
from support.liar.lies_of_failure import error, lost
from support.liar.telling import Ask, Fields, Kind, Telling
from support.liar.transport import Answer, Asked, page, refusal
from support.liar.world import OURS

_ANOTHER: Fields = {
    "id": "another",
    "client_order_id": "somebody-else-2",
    "symbol": "ZZZ",
    "side": "buy",
    "qty": "7",
    "filled_qty": "7",
    "filled_avg_price": "10",
    "status": "filled",
}


def _taken(telling: Telling, asked: Asked, ask: Ask, *, answer: Answer) -> Answer:
    """The exchange takes it, and we hear something else."""
    if not telling.due:
        return ask(asked)
    telling.note()
    ask(asked)
    return answer


def _held(telling: Telling, asked: Asked, ask: Ask, *, shortest: float, longest: float) -> Answer:
    """It stays in the network and arrives later; its client gives up waiting."""
    if not telling.due:
        return ask(asked)
    world, seconds = telling.world, shortest + (longest - shortest) * telling.lie.share
    telling.note(f"held for {seconds:.0f} s")
    name = str(asked.json.get("client_order_id", asked.path))
    world.in_flight[name] = asked

    def arrive() -> None:
        world.in_flight.pop(name, None)
        try:
            status = ask(asked).status
        except requests.RequestException:
            status = 0
        world.tell(f"   {asked.method} {name} arrives: {status}")

    world.after(seconds, arrive)
    world.advance(2.0)
    raise requests.ReadTimeout("no answer")


def _swallowed(telling: Telling, asked: Asked, ask: Ask) -> Answer:
    if not telling.due:
        return ask(asked)
    telling.note()
    return Answer(204, b"")


def _other_order(telling: Telling, asked: Asked, ask: Ask, *, change: Fields) -> Answer:
    """The order is taken, and the answer shows another one."""
    if not telling.due:
        return ask(asked)
    answer = ask(asked)
    order = answer.json if answer.status == 200 else None
    if not isinstance(order, dict):
        return answer
    telling.note()
    strangers = [
        found
        for found in telling.world.exchange.venue.exchange.books.orders.values()
        if not found.client_order_id.startswith(OURS)
    ]
    identity = str(strangers[0].id) if strangers else "00000000-0000-5000-8000-000000000001"
    made = {"id": identity} if change.get("id") == "another" else {}
    return answer.saying({**order, **change, **made})


SENDING: dict[str, Kind] = {
    "order taken, error told": Kind(
        (Endpoint.SUBMIT,),
        {
            **{
                f"{status} HTML": partial(_taken, answer=page(status)) for status in (400, 403, 404, 429, 500, 502, 504)
            },
            "409": partial(_taken, answer=refusal(409, 0, "conflict")),
            "403 empty": partial(_taken, answer=Answer(403, b"")),
            "200 without JSON": partial(_taken, answer=Answer(200, b"ok")),
            "200 null": partial(_taken, answer=Answer(200, b"null")),
            "lost": partial(lost, carried_out=True),
        },
        passing=True,
        weight=6,
    ),
    "order not taken": Kind(
        (Endpoint.SUBMIT,),
        {
            **{
                f"{status} {form}": partial(error, status=status, form=form)
                for status in (429, 500, 503)
                for form in ("JSON", "HTML")
            },
            "lost": partial(lost, carried_out=False),
            "403 HTML": partial(error, status=403, form="HTML"),
        },
        passing=True,
        weight=3,
    ),
    "order held": Kind(
        (Endpoint.SUBMIT,),
        {
            "for seconds": partial(_held, shortest=3, longest=40),
            "for minutes": partial(_held, shortest=60, longest=600),
            "past the deadline": partial(_held, shortest=600, longest=1500),
        },
        weight=6,
    ),
    "another order answered": Kind(
        (Endpoint.SUBMIT,),
        {
            "another id": partial(_other_order, change={"id": "another"}),
            "another client id": partial(_other_order, change={"id": "another", "client_order_id": "somebody-else-1"}),
            "another order whole": partial(_other_order, change=_ANOTHER),
            "another symbol": partial(_other_order, change={"symbol": "ZZZ"}),
            "another quantity": partial(_other_order, change={"qty": "1", "filled_qty": "1", "status": "filled"}),
            "another limit": partial(_other_order, change={"limit_price": "0.01"}),
        },
        hides={"fills": "orders"},
        weight=4,
    ),
}
CANCELS: dict[str, Kind] = {
    "cancel": Kind(
        (Endpoint.CANCEL,),
        {"swallowed": _swallowed, "held": partial(_held, shortest=3, longest=120)},
        weight=4,
    ),
}
