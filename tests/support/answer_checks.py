"""Answers each operation once for every seed, and checks what comes of it.

Whatever is answered: it is read as it is written, or left out by name, or refused with one of this project's errors.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.errors import AmbiguousOutcome, BrokerRefused, BrokerThrottled, BrokerUnavailable
from support import alpaca_answers as alpaca
from support.alpaca_answers import Json, Made, made
from support.answer_operations import MINE, OPERATIONS, Operation
from support.answer_oracles import check_account, check_order, check_placed, plain
from support.answered_broker import KEY, SECRET, Answer, Asked, answered, as_json
from support.quiet import quiet

_STATUSES = (201, 202, 204, 302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 451, 500, 502, 503, 504, 599)


def explore(name: str, seeds: Iterable[int]) -> Counter[str]:
    """Answer one operation once for each seed; what came of it. Raises AssertionError naming seed and answer."""
    outcomes: Counter[str] = Counter()
    answer = Answer(200)

    def answering(asked: Asked) -> Answer:
        follows: Json = {"next_page_token": None, "bars": {}, "corporate_actions": {}}
        return as_json(follows) if "page_token" in asked.query else answer

    broker = answered(answering)
    with quiet():
        for seed in seeds:
            rng = random.Random(f"{name} {seed}")
            answer, spoiled = _answer(OPERATIONS[name], rng)
            try:
                outcomes[_outcome(OPERATIONS[name], broker, answer, spoiled)] += 1
            except Exception as error:
                how = "" if spoiled is None else f" ({spoiled.how} at {spoiled.spoiled})"
                told = f"{type(error).__name__}: {error}\nHTTP {answer.status} {answer.body[:3000]!r}"
                raise AssertionError(f"{name}, seed {seed}{how}: {told}") from error
    return outcomes


def _answer(operation: Operation, rng: random.Random) -> tuple[Answer, Made | None]:
    """Mostly a 200 with content; otherwise another status, or a body that is none."""
    kind = rng.random()
    if kind < 0.8:
        content = made(operation.answers, rng)
        return as_json(content.content), content
    if kind < 0.92:
        error = made(alpaca.ERROR, rng).content
        return as_json(error, rng.choice(_STATUSES)), None
    bodies = (
        *(b"", b"null", b"[]", b"{", b"<html>502 Bad Gateway</html>", b"\xff\xfe{}", b"[" * 200_000, b"9" * 6000),
        *(b'{"code": true, "message": null}', b'{"message": "forbidden."}', f"{KEY} {SECRET}".encode()),
    )
    return Answer(rng.choice((200, *_STATUSES)), rng.choice(bodies)), None


def _outcome(operation: Operation, broker: AlpacaBroker, answer: Answer, spoiled: Made | None) -> str:
    try:
        read = operation.call(broker)
    except (BrokerRefused, BrokerUnavailable, AmbiguousOutcome) as error:
        _check_error(operation, answer, spoiled, error)
        return type(error).__name__
    if answer.status >= 400:
        absent = answer.status in {400, 404, 422} and not operation.order and isinstance(json.loads(answer.body), dict)
        assert absent, f"HTTP {answer.status} was read as {read!r}"
        return "absent"
    if spoiled is not None:
        operation.check(read, spoiled)
        return "read" if spoiled.spoiled is None else "read, spoiled"
    return "read, unchecked"


def _check_error(operation: Operation, answer: Answer, spoiled: Made | None, error: Exception) -> None:
    """It says why, gives no key away, and is the right one.

    Valid answers are read, and of spoiled ones all but the element at fault. An order is refused only in Alpaca's own
    words, and a read is never ambiguous.
    """
    assert str(error)
    plain(str(error))
    for secret in (KEY, SECRET):
        assert secret not in repr(error), "the key leaves"
    if spoiled is not None:
        assert spoiled.spoiled is not None or _may_refuse(operation, spoiled), "a valid answer is refused"
        depth = None if operation.elementwise is None else len(operation.elementwise)
        place = spoiled.spoiled or ()
        inside = depth is not None and len(place) > depth and place[:depth] == operation.elementwise
        assert not inside, "one odd element blinds the rest"
    if not operation.order:
        assert not isinstance(error, AmbiguousOutcome)
        return
    assert isinstance(error, AmbiguousOutcome | BrokerRefused | BrokerThrottled), "an order that was sent"
    if isinstance(error, BrokerRefused):
        content = json.loads(answer.body)
        assert 400 <= answer.status < 500
        assert answer.status not in {408, 409, 429}
        assert isinstance(content["code"], int), "refused without Alpaca's code"
        assert not isinstance(content["code"], bool), "refused without Alpaca's code"


def _may_refuse(operation: Operation, answer: Made) -> bool:
    """Valid answers that are rightly refused: accounts without money, other orders, splits of nobody knows whom."""
    content = answer.content
    if operation.check is check_account and isinstance(content, dict):
        needed = ("equity", "cash", "buying_power", "trading_blocked", "account_blocked", "trade_suspended_by_user")
        return not content.keys() >= set(needed)
    if operation.check in {check_order, check_placed} and isinstance(content, dict):
        return not all(content.get(name) == value for name, value in MINE.items())
    return False
