"""What a broker must do, on Alpaca's API as the simulator speaks it, through unmodified alpaca-py."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr

from alchemiser_cli.simulated import Exchange, SimulatedClock, embedded_exchange, open_market
from alchemiser_common.alpaca.broker import AlpacaBroker, AlpacaReader
from alchemiser_common.alpaca.session import RequestPolicy
from alchemiser_common.errors import (
    AmbiguousOutcome,
    BrokerRefused,
    BrokerThrottled,
    BrokerUnavailable,
)
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import Fill, LimitOrder, OrderRequest, OrderStatus, Split
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_simulator.control.faults import (
    DropConnection,
    Fault,
    RateLimited,
    Reject,
    ServerError,
    TimeoutAfterAccept,
    When,
)
from alchemiser_simulator.market.changes import MadeSplit

DAY = date(2020, 2, 3)
ORDERS = When(method="POST", path="/v2/orders")


@pytest.fixture(scope="module")
def running() -> Iterator[Exchange]:
    with embedded_exchange(open_market(None), start=DAY, state=None) as exchange:
        yield exchange


@pytest.fixture
def exchange(running: Exchange) -> Exchange:
    """The exchange a quarter of an hour after the open, with a fresh account."""
    opening = open_market(None).sessions_from(DAY, 1)[0].opens
    running.control.reset(start=opening + timedelta(minutes=15))
    return Exchange(running.url, running.control, SimulatedClock(running.control))


@pytest.fixture
def broker(exchange: Exchange) -> AlpacaBroker:
    return connect(exchange, AlpacaBroker)


def connect[B: AlpacaReader](exchange: Exchange, kind: type[B]) -> B:
    key = SecretStr("PKTEST")
    return kind(
        BrokerCredentials(key_id=key, secret_key=key),
        exchange.clock,
        random.Random(1),
        paper=True,
        trading_url=exchange.url,
        data_url=exchange.url,
        policy=RequestPolicy(connect_timeout=2, read_timeout=0.5, read_attempts=3),
    )


def order(client_order_id: str = "alc-1", **changes: object) -> OrderRequest:
    request = OrderRequest(
        client_order_id=client_order_id,
        symbol="SPY",
        side=Side.BUY,
        quantity=Decimal("1.5"),
        order_type=LimitOrder(Decimal("400.00")),
    )
    return request.model_copy(update=changes)


def test_the_session_is_known_with_its_predecessor_and_a_closed_day_is_none(broker: AlpacaBroker) -> None:
    session = broker.session_on(DAY)
    assert session is not None
    assert session.previous_day == date(2020, 1, 31)
    assert session.opens == broker.now() - timedelta(minutes=15)
    assert broker.session_on(date(2020, 2, 2)) is None
    early = broker.session_on(date(2019, 11, 29))
    assert early is not None
    assert early.closes - early.opens == timedelta(hours=3, minutes=30)


def test_daily_bars_follow_every_page_and_end_before_today(broker: AlpacaBroker) -> None:
    symbols = open_market(None).history.symbols
    bars = broker.daily_bars(symbols, DAY - timedelta(days=365), date(2020, 1, 31))
    assert [item.symbol for item in bars] == list(symbols)
    assert sum(len(item.days) for item in bars) > 10_000, "more than one page of Alpaca's 10,000 bars"
    assert {item.days[-1] for item in bars} == {date(2020, 1, 31)}


def test_sessions_are_the_calendars_and_cost_one_request(broker: AlpacaBroker) -> None:
    before = broker.requests()
    days = broker.sessions(date(2019, 12, 24), date(2020, 1, 3))
    assert [day.isoformat() for day in days] == [
        *("2019-12-24", "2019-12-26", "2019-12-27", "2019-12-30", "2019-12-31"),
        *("2020-01-02", "2020-01-03"),
    ]
    assert broker.sessions(date(2020, 2, 1), date(2020, 2, 2)) == []
    assert broker.requests() - before == 2


def test_whole_bars_have_the_closes_of_the_daily_bars(broker: AlpacaBroker) -> None:
    (closes,) = broker.daily_bars(["SPY"], DAY - timedelta(days=30), date(2020, 1, 31))
    (whole,) = broker.daily_prices(["SPY", "NOPE"], DAY - timedelta(days=30), date(2020, 1, 31))
    assert (whole.days, whole.closes) == (closes.days, closes.closes)
    for low, opened, close, high in zip(whole.lows, whole.opens, whole.closes, whole.highs, strict=True):
        assert low <= min(opened, close) <= max(opened, close) <= high
    assert min(whole.volumes) > 0


SPLIT_DAY = date(2020, 1, 15)


def closes_around_the_split(broker: AlpacaBroker, *, adjusted: bool) -> list[float]:
    (bars,) = broker.daily_bars(["SPY"], date(2020, 1, 14), SPLIT_DAY, adjusted=adjusted)
    return list(bars.closes)


def test_raw_bars_show_a_split_and_adjusted_ones_do_not(broker: AlpacaBroker, exchange: Exchange) -> None:
    before, after = closes_around_the_split(broker, adjusted=True)
    exchange.control.change_market(MadeSplit(symbol="SPY", day=SPLIT_DAY, ratio=4))
    assert closes_around_the_split(broker, adjusted=True) == [before, after]
    assert closes_around_the_split(broker, adjusted=False) == [4 * before, after]


def test_splits_are_announced_by_the_day_they_take_effect(broker: AlpacaBroker, exchange: Exchange) -> None:
    exchange.control.change_market(MadeSplit(symbol="SPY", day=SPLIT_DAY, ratio=1.5))
    exchange.control.change_market(MadeSplit(symbol="SPY", day=date(2020, 1, 10), ratio=0.05))
    exchange.control.change_market(MadeSplit(symbol="QQQ", day=SPLIT_DAY, ratio=2))
    reverse = Split("SPY", date(2020, 1, 10), Decimal(1), Decimal(20))
    forward = Split("SPY", SPLIT_DAY, Decimal(3), Decimal(2))
    assert broker.announced_splits("SPY", date(2020, 1, 1), DAY) == [reverse, forward]
    assert broker.announced_splits("SPY", date(2020, 1, 11), SPLIT_DAY) == [forward]
    assert broker.announced_splits("TLT", date(2020, 1, 1), DAY) == []
    assert broker.announced_splits("BRK/B", date(2020, 1, 1), DAY) == [], "refused, hence unknown"


def test_a_malformed_symbol_costs_the_others_nothing(
    broker: AlpacaBroker, exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    good = [symbol for symbol in open_market(None).history.symbols if symbol != "SPY"][:9]
    wanted = [*good[:4], "BRK/B", *good[4:], "B@D"]
    with caplog.at_level("WARNING"):
        assert [bars.symbol for bars in broker.daily_bars(wanted, DAY - timedelta(days=9), DAY)] == good
    assert {getattr(record, "symbol", None) for record in caplog.records} == {"BRK/B", "B@D"}
    assert [trade.symbol for trade in broker.latest_trades(wanted)] == good
    assert [quote.symbol for quote in broker.latest_quotes(wanted)] == good
    assert sorted(asset.symbol for asset in broker.assets(wanted)) == sorted(good)
    asked = exchange.control.state().requests["GET /v2/stocks/trades/latest"]
    assert asked <= 1 + 2 * 2 * 4, "halved, not asked one by one"


def test_a_refusal_that_no_symbol_explains_is_raised(broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerRefused, match="end should not be before start"):
        broker.daily_bars(["SPY", "QQQ", "TLT"], DAY, DAY - timedelta(days=9))


def test_long_lists_are_asked_for_in_groups(broker: AlpacaBroker, exchange: Exchange) -> None:
    wanted = [f"S{number:04}" for number in range(650)] + ["SPY"]
    assert [quote.symbol for quote in broker.latest_quotes(wanted)] == ["SPY"]
    assert exchange.control.state().requests["GET /v2/stocks/quotes/latest"] == 3


def test_an_unknown_symbol_is_left_out_everywhere(broker: AlpacaBroker) -> None:
    assert [item.symbol for item in broker.daily_bars(["NOPE", "SPY"], DAY - timedelta(days=9), DAY)] == ["SPY"]
    assert [item.symbol for item in broker.latest_quotes(["NOPE", "SPY"])] == ["SPY"]
    assert [item.symbol for item in broker.assets(["NOPE", "SPY"])] == ["SPY"]


def test_an_order_is_placed_filled_and_shows_up_as_a_position(broker: AlpacaBroker, exchange: Exchange) -> None:
    placed = broker.submit(order())
    exchange.clock.sleep(2)
    found = broker.order_by_client_id("alc-1")
    assert found is not None
    assert (found.order_id, found.status, found.filled_quantity) == (
        placed.order_id,
        OrderStatus.FILLED,
        Decimal("1.5"),
    )
    (position,) = broker.holdings().positions
    assert (position.symbol, position.quantity, position.available) == ("SPY", Decimal("1.5"), Decimal("1.5"))
    assert broker.account().cash < Decimal(100_000)


def test_a_fill_is_among_the_accounts_activities(broker: AlpacaBroker, exchange: Exchange) -> None:
    placed = broker.submit(order())
    exchange.clock.sleep(2)
    found = broker.activities(DAY, DAY)
    fills = [item for item in found.entries if isinstance(item, Fill)]
    assert {(item.order_id, item.symbol, item.side) for item in fills} == {(placed.order_id, "SPY", Side.BUY)}
    assert sum(item.quantity for item in fills) == Decimal("1.5")
    assert found.odd == ()
    assert broker.activities(DAY - timedelta(days=3), DAY - timedelta(days=1)).entries == ()


def test_an_open_order_is_listed_until_its_cancel_is_confirmed(broker: AlpacaBroker) -> None:
    placed = broker.submit(order(order_type=LimitOrder(Decimal("100.00"))))
    assert [item.client_order_id for item in broker.open_orders().orders] == ["alc-1"]
    broker.cancel(placed.order_id)
    broker.cancel(placed.order_id)
    assert broker.open_orders().orders == ()
    found = broker.order_by_client_id("alc-1")
    assert found is not None
    assert found.status is OrderStatus.CANCELLED


def test_a_used_client_order_id_gives_the_order_it_was_used_for(broker: AlpacaBroker, exchange: Exchange) -> None:
    first = broker.submit(order(order_type=LimitOrder(Decimal("100.00"))))
    broker.cancel(first.order_id)
    again = broker.submit(order(order_type=LimitOrder(Decimal("100.00"))))
    assert (again.order_id, again.status) == (first.order_id, OrderStatus.CANCELLED)
    with pytest.raises(AmbiguousOutcome, match=r"another order: quantity 1\.5 for 7, limit 100 for 400"):
        broker.submit(order(quantity=Decimal(7)))
    assert len(exchange.control.state().orders) == 1


def test_an_unknown_client_order_id_is_none(broker: AlpacaBroker) -> None:
    assert broker.order_by_client_id("alc-never") is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": Decimal(10_000)}, "insufficient buying power"),
        ({"side": Side.SELL}, "insufficient qty"),
        ({"symbol": "NOPE"}, "NOPE"),
    ],
)
def test_a_refusal_says_why_and_places_nothing(
    broker: AlpacaBroker, exchange: Exchange, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(BrokerRefused, match=words):
        broker.submit(order().model_copy(update=changes))
    assert exchange.control.state().orders == []


@pytest.mark.parametrize(
    ("fault", "landed"),
    [
        (TimeoutAfterAccept(match=ORDERS, count=1, hold_seconds=2), True),
        (TimeoutAfterAccept(match=ORDERS, count=1), True),
        (ServerError(match=ORDERS, count=1, status=504, accepted=True), True),
        (ServerError(match=ORDERS, count=1, status=502), False),
        (DropConnection(match=ORDERS, count=1), False),
    ],
    ids=["silence", "hang-up after accept", "504 after accept", "502 html", "dropped"],
)
def test_an_order_without_an_answer_is_ambiguous_and_sent_once(
    broker: AlpacaBroker, exchange: Exchange, fault: Fault, landed: bool
) -> None:
    exchange.control.add_fault(fault)
    with pytest.raises(AmbiguousOutcome):
        broker.submit(order())
    found = broker.order_by_client_id("alc-1")
    assert (found is not None) == landed
    assert exchange.control.state().requests["POST /v2/orders"] == 1, "the client must not repeat an order by itself"


def test_a_throttled_order_surely_did_not_land(broker: AlpacaBroker, exchange: Exchange) -> None:
    exchange.control.add_fault(RateLimited(match=ORDERS, count=1))
    with pytest.raises(BrokerThrottled):
        broker.submit(order())
    assert exchange.control.state().orders == []


@pytest.mark.parametrize(
    "fault",
    [
        RateLimited(match=When(path="/v2/account"), count=2),
        ServerError(match=When(path="/v2/account"), count=2),
        DropConnection(match=When(path="/v2/account"), count=2),
    ],
    ids=["429", "502 html", "dropped"],
)
def test_a_read_is_tried_again_and_then_gives_up(broker: AlpacaBroker, exchange: Exchange, fault: Fault) -> None:
    exchange.control.add_fault(fault)
    before = exchange.clock.now()
    assert broker.account().status == "ACTIVE"
    assert exchange.clock.now() - before > timedelta(seconds=0.5), "pauses grow between the tries"
    exchange.control.clear_faults()
    exchange.control.add_fault(fault.model_copy(update={"count": None}))
    with pytest.raises(BrokerUnavailable):
        broker.account()


def test_a_reader_shows_everything_and_has_nothing_to_trade_with(broker: AlpacaBroker, exchange: Exchange) -> None:
    placed = broker.submit(order(order_type=LimitOrder(Decimal("100.00"))))
    reader = connect(exchange, AlpacaReader)
    assert reader.account().account_id == broker.account().account_id
    assert [item.order_id for item in reader.open_orders().orders] == [placed.order_id]
    public = {name for name in dir(reader) if not name.startswith("_")}
    assert public == {name for name in dir(broker) if not name.startswith("_")} - {"submit", "cancel"}


def test_requests_are_counted_as_they_are_sent(broker: AlpacaBroker, exchange: Exchange) -> None:
    before = broker.requests()
    broker.account()
    broker.assets(["SPY", "QQQ", "NONE"])
    assert broker.requests() - before == 4, "one, and one a symbol"
    exchange.control.add_fault(ServerError(match=When(path="/v2/account"), count=1))
    broker.account()
    assert broker.requests() - before == 6, "one that failed, and one that did not"
    broker.latest_quotes(["SPY"])
    assert broker.requests() - before == 6, "market data have a limit of their own"


@pytest.mark.parametrize(
    ("words", "may_pass"),
    [
        ("insufficient buying power", True),
        ("Potential WASH TRADE detected", True),
        ("insufficient qty available for order (requested: 3, held_for_orders: 3)", True),
        ("asset SPY is not tradable", False),
    ],
)
def test_the_refusals_words_say_whether_it_may_pass(
    broker: AlpacaBroker, exchange: Exchange, words: str, may_pass: bool
) -> None:
    exchange.control.add_fault(Reject(status=403, message=words))
    with pytest.raises(BrokerRefused) as refusal:
        broker.submit(order())
    assert refusal.value.may_pass is may_pass


def test_what_may_pass_is_said_with_the_refusal(broker: AlpacaBroker) -> None:
    with pytest.raises(BrokerRefused) as poor:
        broker.submit(order(quantity=Decimal(1_000_000)))
    assert poor.value.may_pass, str(poor.value)
    with pytest.raises(BrokerRefused) as unknown:
        broker.submit(order("alc-2", symbol="NONE"))
    assert not unknown.value.may_pass, str(unknown.value)


def test_errors_never_show_the_key(broker: AlpacaBroker, exchange: Exchange) -> None:
    exchange.control.add_fault(DropConnection(match=When(path="/v2/account")))
    with pytest.raises(BrokerUnavailable) as error:
        broker.account()
    assert "PKTEST" not in f"{error.value!r} {error.value.__cause__!r}"
