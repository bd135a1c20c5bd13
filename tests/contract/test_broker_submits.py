"""Answers to an order that was sent: sent once, refused only in Alpaca's own words, and another one never adopted."""

from decimal import Decimal

import pytest

from alchemiser_common.alpaca.broker import AlpacaBroker
from alchemiser_common.errors import AmbiguousOutcome, BrokerRefused, BrokerThrottled
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import LimitOrder, OrderRequest, OrderStatus
from alchemiser_common.ports.secrets import BrokerCredentials
from support.alpaca_elements import HTML, Json, order
from support.answered_broker import ORDER_ID, Answer, Asked, always, answered, as_json

REQUEST = OrderRequest(
    client_order_id="alc-1",
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal("1.50"),
    order_type=LimitOrder(Decimal("400.00")),
)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (as_json({"code": 40310000, "message": "insufficient buying power"}, 403), BrokerRefused),
        (as_json({"code": 42210000, "message": "no"}, 422), BrokerRefused),
        (Answer(403, HTML), AmbiguousOutcome),
        (Answer(400, b""), AmbiguousOutcome),
        (as_json({"message": "no"}, 403), AmbiguousOutcome),
        (as_json({"code": "40310000", "message": "no"}, 403), AmbiguousOutcome),
        (as_json({"code": True, "message": "no"}, 403), AmbiguousOutcome),
        (as_json([40310000], 403), AmbiguousOutcome),
        (as_json({"code": 40910000, "message": "conflict"}, 409), AmbiguousOutcome),
        (as_json({"code": 40810000, "message": "slow"}, 408), AmbiguousOutcome),
        (as_json({"code": 42910000, "message": "rate limit exceeded"}, 429), BrokerThrottled),
        (as_json({"message": "too many requests."}, 429), BrokerThrottled),
        (Answer(429, HTML), AmbiguousOutcome),
        (Answer(429, b""), AmbiguousOutcome),
        (as_json({"code": 50010000, "message": "internal"}, 500), AmbiguousOutcome),
        (Answer(302, b""), AmbiguousOutcome),
        (Answer(200, b""), AmbiguousOutcome),
        (as_json(None), AmbiguousOutcome),
        (as_json(order(qty=None)), AmbiguousOutcome),
    ],
)
def test_an_order_is_refused_only_in_alpacas_own_words(answer: Answer, outcome: type[Exception]) -> None:
    sent: list[Asked] = []

    def answering(asked: Asked) -> Answer:
        sent.append(asked)
        return answer

    with pytest.raises(outcome) as error:
        answered(answering, attempts=3).submit(REQUEST)
    assert type(error.value) is outcome
    assert [asked.method for asked in sent] == ["POST"], "sent once"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"client_order_id": "alc-2"}, "client_order_id alc-2 for alc-1"),
        ({"symbol": "QQQ"}, "symbol QQQ for SPY"),
        ({"side": "sell"}, "side sell for buy"),
        ({"qty": "15"}, "quantity 15 for 1.50"),
        ({"limit_price": "4000"}, "limit 4000 for 400.00"),
        ({"type": "market", "limit_price": None}, "limit None for 400.00"),
    ],
)
def test_an_answer_with_another_order_is_looked_up_not_adopted(changes: Json, words: str) -> None:
    with pytest.raises(AmbiguousOutcome, match=words):
        always(order(**changes)).submit(REQUEST)
    assert always(order()).submit(REQUEST).order_id == ORDER_ID


def taken(known: Answer) -> AlpacaBroker:
    refusal = as_json({"code": 40010001, "message": "client_order_id must be unique"}, 422)
    return answered(lambda asked: refusal if asked.method == "POST" else known)


def test_a_taken_id_gives_its_order_only_if_it_is_the_same_one() -> None:
    assert taken(as_json(order(status="filled"))).submit(REQUEST).status is OrderStatus.FILLED
    for known in (as_json(order(qty="15")), Answer(404, HTML), Answer(403, HTML), as_json({"code": 4}, 404)):
        with pytest.raises(AmbiguousOutcome):
            taken(known).submit(REQUEST)


@pytest.mark.parametrize(("body", "again"), [(b'{"message": "forbidden."}', 2), (HTML, 1), (b"forbidden.", 1)])
def test_an_order_is_sent_again_with_a_new_key_only_if_alpaca_refused_the_old_one(body: bytes, again: int) -> None:
    sent: list[Asked] = []

    def answering(asked: Asked) -> Answer:
        sent.append(asked)
        return Answer(403, body) if len(sent) == 1 else as_json(order())

    broker = answered(answering)
    found = BrokerCredentials(key_id="PKNEWERKEY", secret_key="newer-secret")
    broker._renewed = lambda: found
    if again == 2:
        broker.submit(REQUEST)
    else:
        with pytest.raises(AmbiguousOutcome):
            broker.submit(REQUEST)
    assert len(sent) == again
