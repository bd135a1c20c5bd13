"""Answers that a broker has given to somebody, and what must come of them: one odd element blinds nothing."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from alchemiser_common.alpaca.broker import AlpacaBroker, open_alpaca
from alchemiser_common.errors import (
    AmbiguousOutcome,
    BrokerRefused,
    BrokerThrottled,
    BrokerUnavailable,
)
from alchemiser_common.ids import Side
from alchemiser_common.ports.broker import (
    AccountEntry,
    Asset,
    BrokerOrder,
    Fill,
    LimitOrder,
    OrderRequest,
    OrderStatus,
)
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.settings import Settings
from support.answered_broker import KEY, NOON, ORDER_ID, SECRET, Answer, Asked, always, answered, as_json
from support.clock import ManualClock

DAY = date(2020, 6, 3)
type Json = Mapping[str, object]


def position(symbol: str = "SPY", **changes: object) -> Json:
    usual = {
        "symbol": symbol,
        "asset_class": "us_equity",
        "side": "long",
        "qty": "10",
        "qty_available": "10",
        "market_value": "3000",
        "current_price": "300",
        "avg_entry_price": "290.5",
    }
    return usual | changes


@pytest.mark.parametrize(
    ("odd", "kind", "words"),
    [
        (position("ODD", current_price=None), "unpriced", "no price"),
        (position("ODD", current_price="0"), "unpriced", "no price"),
        (position("ODD", current_price="-1"), "unreadable", "price"),
        (position("ODD", asset_class="us_option"), "us_option", "only us_equity is managed"),
        (position("ODD", asset_class="crypto"), "crypto", "only us_equity is managed"),
        (position("ODD", asset_class=None), "unreadable", "asset_class"),
        (position("ODD", side="short", qty="-10"), "short", "-10 shares held short"),
        (position("ODD", qty="-10"), "short", "-10 shares held short"),
        (position("ODD", qty=None), "unreadable", "is no number"),
        (position("ODD", qty=True), "unreadable", "is no number"),
        (position("ODD", qty="NaN"), "unreadable", "is no number"),
        (position("ODD", qty="0"), "unreadable", "qty: 0"),
        (position("ODD", qty="1e40"), "unreadable", "beyond"),
        (position("ODD", qty_available="11"), "unreadable", "11 of 10 shares"),
        (position("ODD", market_value=None), "unreadable", "market_value"),
        (position("odd"), "unreadable", "symbol"),
        (None, "unreadable", "null, not an object"),
        ([], "unreadable", "a list, not an object"),
    ],
)
def test_a_holding_that_is_not_managed_is_named_beside_the_others(odd: object, kind: str, words: str) -> None:
    holdings = always([position("QQQ"), odd, position("SPY")]).holdings()
    assert [item.symbol for item in holdings.positions] == ["QQQ", "SPY"]
    (other,) = holdings.others
    assert other.kind == kind
    assert words in other.detail


def test_what_a_holding_is_worth_is_told_where_it_can_be_read() -> None:
    option = position("AAPL251219C00200000", asset_class="us_option", qty="2", market_value="1234.5")
    (other,) = always([option]).holdings().others
    assert (other.symbol, other.quantity, other.market_value) == ("AAPL251219C00200000", Decimal(2), Decimal("1234.5"))
    (other,) = always([position(qty=None, market_value=None)]).holdings().others
    assert (other.quantity, other.market_value) == (None, None)


@pytest.mark.parametrize("second", [position("SPY"), position("SPY", qty=None), position("SPY", current_price=None)])
def test_a_symbol_that_is_listed_twice_contradicts_itself(second: Json) -> None:
    holdings = always([position("SPY", qty="7", qty_available="7"), second, position("QQQ")]).holdings()
    assert [item.symbol for item in holdings.positions] == ["QQQ"]
    assert [item.symbol for item in holdings.others] == ["SPY", "SPY"]
    assert any("listed 2 times" in item.detail for item in holdings.others)


def test_null_is_not_an_empty_list() -> None:
    for read in (AlpacaBroker.holdings, AlpacaBroker.open_orders):
        with pytest.raises(BrokerUnavailable, match="null, not a list"):
            read(always(None))


def order(**changes: object) -> Json:
    usual = {
        "id": ORDER_ID,
        "client_order_id": "alc-1",
        "symbol": "SPY",
        "asset_class": "us_equity",
        "order_class": "",
        "side": "buy",
        "type": "limit",
        "limit_price": "400",
        "qty": "1.5",
        "notional": None,
        "filled_qty": "0",
        "filled_avg_price": None,
        "status": "new",
        "submitted_at": "2020-06-03T14:00:00.123456789Z",
    }
    return usual | changes


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (order(order_class="mleg", symbol="", side="", qty="1"), "several legs"),
        (order(symbol="AAPL251219C00200000", asset_class="us_option"), "us_option, not us_equity"),
        (order(limit_price="0"), "a limit of 0"),
        (order(limit_price=None), "no limit"),
        (order(type="market"), "a limit of 400"),
        (order(type="trailing_stop", limit_price=None), "trailing_stop"),
        (order(filled_qty=None), "filled_qty"),
        (order(filled_qty="half"), "filled_qty"),
        (order(qty=None), "neither a quantity nor an amount"),
        (order(filled_avg_price="-3"), "average_price"),
        (order(id="../../v2/orders"), "id"),
        (order(side="sideways"), "side"),
        (None, "null, not an object"),
    ],
)
def test_an_element_that_is_no_order_of_ours_is_odd_and_may_fill(odd: object, words: str) -> None:
    listed = always([order(client_order_id="alc-before"), odd, order(client_order_id="alc-after")]).open_orders()
    assert [item.client_order_id for item in listed.orders] == ["alc-before", "alc-after"]
    (found,) = listed.odd
    assert found.open
    assert words in found.detail


def test_an_odd_order_that_has_ended_is_not_open() -> None:
    (found,) = always([order(limit_price="0", status="canceled")]).orders_since(NOON).odd
    assert (found.order_id, found.client_order_id, found.symbol, found.open) == (ORDER_ID, "alc-1", "SPY", False)


@pytest.mark.parametrize("status", ["calculated", "held", "suspended", "wholly_new"])
def test_a_status_is_told_as_the_broker_wrote_it_and_counts_as_open(status: str) -> None:
    (found,) = always([order(status=status)]).open_orders().orders
    assert (found.raw_status, found.status) == (status, OrderStatus.OPEN)


def test_figures_that_contradict_each_other_are_passed_on_as_reported() -> None:
    for filled in ("-100", "99"):
        (found,) = always([order(filled_qty=filled)]).open_orders().orders
        assert found.filled_quantity == Decimal(filled)


REQUEST = OrderRequest(
    client_order_id="alc-1",
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal("1.50"),
    order_type=LimitOrder(Decimal("400.00")),
)
HTML = b"<html>Access denied</html>"


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


def test_only_alpacas_own_words_make_an_order_unknown() -> None:
    unknown = as_json({"code": 40410000, "message": "order not found"}, 404)
    look_ups: list[Callable[[AlpacaBroker], BrokerOrder | None]] = [
        lambda broker: broker.order_by_client_id("alc-1"),
        lambda broker: broker.order(ORDER_ID),
    ]
    for look_up in look_ups:
        assert look_up(answered(lambda _: unknown)) is None
        for answer in (Answer(404, HTML), Answer(404, b""), as_json({"message": "endpoint not found."}, 404)):
            with pytest.raises(BrokerUnavailable):
                look_up(answered(lambda _, answer=answer: answer))  # type: ignore[misc]
        with pytest.raises(BrokerUnavailable, match="the answer is order"):
            look_up(always(order(client_order_id="alc-2", id=str(UUID(int=8)))))


def test_a_cancel_that_alpaca_has_not_answered_is_not_done() -> None:
    for status in (404, 422):
        answered(lambda _, status=status: as_json({"code": 42210000, "message": "x"}, status)).cancel(ORDER_ID)  # type: ignore[misc]
        with pytest.raises(BrokerUnavailable):
            answered(lambda _, status=status: Answer(status, HTML)).cancel(ORDER_ID)  # type: ignore[misc]


@pytest.mark.parametrize("name", ["..", "../orders", ".", "", "alc-1"])
def test_what_is_no_id_never_becomes_part_of_a_path(name: str) -> None:
    def nothing(asked: Asked) -> Answer:
        raise AssertionError(f"{asked.method} {asked.path} was sent")

    for call in (AlpacaBroker.cancel, AlpacaBroker.order):
        with pytest.raises(BrokerRefused, match="UUID"):
            call(answered(nothing), name)


def account(**changes: object) -> Json:
    usual = {
        "id": "acc-1",
        "status": "ACTIVE",
        "currency": "USD",
        **dict.fromkeys(("equity", "last_equity", "cash", "buying_power"), "1000.5"),
        **dict.fromkeys(("trading_blocked", "account_blocked", "trade_suspended_by_user"), False),
    }
    return usual | changes


def test_yesterdays_equity_may_be_unknown() -> None:
    without = {name: value for name, value in account().items() if name != "last_equity"}
    for content in (account(last_equity=None), without):
        assert always(content).account().last_equity is None
    assert always(account()).account().last_equity == Decimal("1000.5")


@pytest.mark.parametrize("name", ["equity", "cash", "buying_power", "trading_blocked"])
def test_an_account_without_figures_is_no_account(name: str) -> None:
    with pytest.raises(BrokerUnavailable, match=f"another shape than expected: {name} missing"):
        always(account(**{name: None})).account()
    with pytest.raises(BrokerRefused, match=f"acc-1 is ONBOARDING, not ACTIVE, and has no {name}"):
        always(account(status="ONBOARDING", **{name: None})).account()
    assert always(account(status="ONBOARDING")).account().status == "ONBOARDING"


def asset(symbol: str = "SPY", **changes: object) -> Json:
    return {
        "symbol": symbol,
        "class": "us_equity",
        "status": "active",
        "tradable": True,
        "fractionable": True,
    } | changes


@pytest.mark.parametrize(
    ("found", "tradable", "fractionable"),
    [
        (asset(), True, True),
        (asset(fractionable=None), True, False),
        (asset(fractionable="true"), True, False),
        (asset(tradable=None), False, True),
        (asset(tradable=1), False, True),
        (asset(status="inactive"), False, True),
        (asset(status=None), False, True),
    ],
)
def test_what_an_asset_is_not_said_to_be_it_is_not(found: Json, tradable: bool, fractionable: bool) -> None:
    assert always(found).assets(["SPY"]) == [Asset(symbol="SPY", tradable=tradable, fractionable=fractionable)]


def test_an_asset_that_is_another_or_unreadable_is_left_out() -> None:
    odd: list[object] = [
        asset("QQQ"),
        {**asset(), "class": "crypto"},
        {**asset(), "class": None},
        None,
        [],
        {"symbol": None},
    ]
    for content in odd:
        assert always(content).assets(["SPY"]) == []


def test_of_an_asset_that_is_listed_twice_the_tradable_one_counts() -> None:
    many = [f"S{number}" for number in range(30)]
    gone, here = asset("S1", status="inactive", tradable=False), asset("S1")
    for listed in ([gone, here], [here, gone]):
        (found,) = always([None, {"symbol": 7}, *listed, asset("ELSE")]).assets(many)
        assert (found.symbol, found.tradable) == ("S1", True)


def days(**changes: object) -> list[Json]:
    return [
        {"date": "2020-06-01", "open": "09:30", "close": "16:00"},
        {"date": "2020-06-02", "open": "16:00", "close": "09:30"},
        {"date": "2020-06-03", "open": "09:30", "close": "16:00"} | changes,
    ]


def test_hours_that_cannot_be_matter_to_who_asks_for_them() -> None:
    session = always(days()).session_on(DAY)
    assert session is not None
    assert (session.previous_day, session.opens) == (
        date(2020, 6, 2),
        datetime(2020, 6, 3, 9, 30, tzinfo=EXCHANGE_ZONE),
    )
    for hours in ({"open": "16:00", "close": "09:30"}, {"open": None}, {"close": "25:00"}, {"open": 930}):
        with pytest.raises(BrokerUnavailable, match="the hours of 2020-06-03 cannot be"):
            always(days(**hours)).session_on(DAY)
    assert always(days()).sessions(date(2020, 6, 1), DAY) == [date(2020, 6, day) for day in (1, 2, 3)]


def test_a_calendar_that_is_in_doubt_is_no_closed_day() -> None:
    for undated in ({"date": None}, None, {"date": "2020-06-31"}):
        with pytest.raises(BrokerUnavailable, match="calendar"):
            always([*days()[:2], undated]).session_on(DAY)
    with pytest.raises(BrokerUnavailable, match="different hours"):
        always([*days(), {"date": "2020-06-03", "open": "09:30", "close": "13:00"}]).session_on(DAY)
    again = always([*days(), *days()])
    assert again.session_on(DAY) == always(days()).session_on(DAY)
    assert always(days()[:2]).session_on(DAY) is None


MORNING = "2020-06-03T14:00:00Z"


def bar(day: int, close: object) -> Json:
    return {"t": f"2020-06-{day:02}T04:00:00Z", "c": close}


def test_null_bars_are_none_and_odd_ones_cost_their_own_symbol_only(caplog: pytest.LogCaptureFixture) -> None:
    symbols = ["QQQ", "SPY", "TLT", "BIL", "GLD"]
    assert always({"bars": None}).daily_bars(symbols, DAY, DAY) == []
    bars = {
        "QQQ": None,
        "SPY": [bar(1, 300.5), bar(2, 301)],
        "TLT": [bar(1, 150.5), bar(2, None), bar(3, "151"), bar(4, True), bar(5, float("nan")), bar(6, 1e16)],
        "BIL": [bar(1, 91.5), {"t": None, "c": 91.5}],
        "GLD": {"x": 1},
    }
    with caplog.at_level("WARNING"):
        spy, tlt = always({"bars": bars, "next_page_token": None}).daily_bars(symbols, DAY, DAY)
    assert (spy.symbol, spy.days, spy.closes) == ("SPY", [date(2020, 6, 1), date(2020, 6, 2)], [300.5, 301])
    assert [day.day for day in tlt.days] == [1, 2, 3, 4, 5, 6]
    assert [close == close for close in tlt.closes] == [True] + 5 * [False], "NaN, no number from a null"
    assert {"BIL", "GLD", "TLT"} == {getattr(record, "symbol", "") for record in caplog.records}


def test_pages_that_lead_nowhere_end() -> None:
    with pytest.raises(BrokerUnavailable, match="leads nowhere new after 2 pages"):
        always({"bars": {}, "next_page_token": "again"}).daily_bars(["SPY"], DAY, DAY)
    with pytest.raises(BrokerUnavailable, match="leads nowhere new"):
        always({"bars": {}, "next_page_token": 7}).daily_bars(["SPY"], DAY, DAY)


def test_a_trade_or_quote_that_cannot_be_read_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    symbols = ["SPY", "QQQ", "TLT", "BIL"]
    good = {"t": MORNING, "p": 300.1, "bp": 300, "ap": 300.2}
    entries = {"QQQ": None, "SPY": good, "TLT": good | {"p": True, "bp": None}, "BIL": [good]}
    with caplog.at_level("WARNING"):
        assert [trade.symbol for trade in always({"trades": entries}).latest_trades(symbols)] == ["SPY"]
        assert [quote.symbol for quote in always({"quotes": entries}).latest_quotes(symbols)] == ["SPY"]
    assert len(caplog.records) == 6
    assert always({"trades": None}).latest_trades(symbols) == []
    with pytest.raises(BrokerUnavailable, match="trades: is missing"):
        always({"quotes": entries}).latest_trades(symbols)


def test_no_page_of_a_proxy_makes_a_symbol_unknown() -> None:
    page = answered(lambda _: Answer(404, HTML))
    for read in (page.latest_trades, page.latest_quotes, page.assets):
        with pytest.raises(BrokerRefused, match="HTTP 404"):
            read(["SPY", "QQQ"])


def test_anothers_announcement_that_cannot_be_read_costs_nothing_and_ones_own_stops() -> None:
    mine = {"symbol": "SPY", "ex_date": "2020-06-03", "new_rate": 2, "old_rate": 1}
    theirs = {"symbol": "QQQ", "ex_date": None, "new_rate": None}
    splits = [theirs, mine]
    content = {"corporate_actions": {"forward_splits": splits, "unit_splits": None}}
    assert [split.ratio for split in always(content).announced_splits("SPY", DAY, DAY)] == [2]
    splits.append(theirs | {"symbol": "SPY"})
    with pytest.raises(BrokerUnavailable, match="ex_date"):
        always(content).announced_splits("SPY", DAY, DAY)
    assert always({"corporate_actions": None}).announced_splits("SPY", DAY, DAY) == []


def fill(number: int, **changes: object) -> Json:
    usual = {
        "activity_type": "FILL",
        "id": f"2020060314000000{number}::x",
        "transaction_time": "2020-06-03T14:00:00.1Z",
        "symbol": "SPY",
        "side": "buy",
        "qty": "1.5",
        "price": "300.25",
        "order_id": ORDER_ID,
    }
    return usual | changes


def entry(number: int, code: str = "CSD", **changes: object) -> Json:
    return {"activity_type": code, "id": f"20200603::{number}", "date": "2020-06-03", "net_amount": "500"} | changes


def test_fills_and_other_activities_are_read_and_odd_ones_named() -> None:
    found = always(
        [
            fill(1),
            fill(2, side="sell_short", symbol="QQQ"),
            entry(3, "CSW", net_amount="-30000", description="withdrawal"),
            entry(4, "DIV", symbol="T", qty="2", net_amount="1.02", per_share_amount="0.51"),
            entry(5, "SPLIT", symbol="SOXL", qty="200", net_amount=None),
            entry(6, "DIV", net_amount=None, qty="2"),
            entry(7, net_amount=None),
            entry(8, currency="EUR"),
            fill(9, qty="-1"),
            fill(10, price=None),
            None,
        ]
    ).activities(DAY, DAY)
    assert found.entries == (
        Fill(
            activity_id="20200603140000001::x",
            at=datetime(2020, 6, 3, 14, 0, 0, 100_000, tzinfo=UTC),
            symbol="SPY",
            side=Side.BUY,
            quantity=Decimal("1.5"),
            price=Decimal("300.25"),
            order_id=ORDER_ID,
        ),
        Fill(
            activity_id="20200603140000002::x",
            at=datetime(2020, 6, 3, 14, 0, 0, 100_000, tzinfo=UTC),
            symbol="QQQ",
            side=Side.SELL,
            quantity=Decimal("1.5"),
            price=Decimal("300.25"),
            order_id=ORDER_ID,
        ),
        AccountEntry(activity_id="20200603::3", code="CSW", day=DAY, amount=Decimal(-30000), description="withdrawal"),
        AccountEntry(
            activity_id="20200603::4", code="DIV", day=DAY, symbol="T", quantity=Decimal(2), amount=Decimal("1.02")
        ),
        AccountEntry(activity_id="20200603::5", code="SPLIT", day=DAY, symbol="SOXL", quantity=Decimal(200)),
    )
    assert len(found.entries) == 5
    assert len(found.odd) == 6
    assert found.odd[0].startswith("DIV 20200603::6: net_amount: is missing")


def test_an_options_fill_is_the_cash_and_contracts_it_moved() -> None:
    (found,) = always([fill(1, symbol="AAPL251219C00200000", qty="2", price="3.5")]).activities(DAY, DAY).entries
    assert isinstance(found, AccountEntry)
    assert (found.code, found.quantity, found.amount) == ("FILL", Decimal(2), Decimal(-700))


def test_activities_count_by_the_day_they_happened_or_were_entered() -> None:
    late = entry(1, date="2020-05-20", created_at="2020-06-03T23:00:00Z")
    listed = [entry(2, date="2020-06-02"), entry(3, date="2020-06-04"), entry(4), late]
    found = always(listed).activities(DAY, DAY)
    assert [item.activity_id for item in found.entries] == ["20200603::1", "20200603::4"], "oldest first"
    night = always([fill(1, transaction_time="2020-06-04T01:00:00Z")])
    assert len(night.activities(DAY, DAY).entries) == 1, "still the third of June in New York"


def test_activities_are_followed_page_by_page() -> None:
    everything = [fill(number) for number in range(1000, 1250)]
    asked_for: list[Mapping[str, str]] = []

    def answering(asked: Asked) -> Answer:
        asked_for.append(asked.query)
        ids = [item["id"] for item in everything]
        start = ids.index(asked.query["page_token"]) + 1 if "page_token" in asked.query else 0
        return as_json(everything[start : start + int(asked.query["page_size"])])

    broker = answered(answering)
    assert len(broker.activities(DAY, DAY).entries) == 250
    assert len(asked_for) == 3
    assert {(query["direction"], query["after"] < "2020-06-03" < query["until"]) for query in asked_for} == {
        ("asc", True)
    }
    with pytest.raises(BrokerUnavailable, match="brings nothing new"):
        always([fill(number) for number in range(1000, 1100)]).activities(DAY, DAY)


def test_an_id_that_means_two_things_is_named() -> None:
    found = always([entry(1), entry(1), entry(1, net_amount="7")]).activities(DAY, DAY)
    assert len(found.entries) == 1
    assert "its id was used for another" in found.odd[0]


def test_the_clock_comes_with_its_round_trip() -> None:
    clock = ManualClock(NOON)

    def answering(_: Asked) -> Answer:
        clock.advance(timedelta(seconds=12))
        return as_json({"timestamp": "2020-06-03T12:00:06-04:00", "is_open": True})

    broker = answered(answering, clock)
    reading = broker.clock()
    assert reading.at == NOON + timedelta(seconds=6) == broker.now()
    assert timedelta(seconds=12) <= reading.round_trip < timedelta(seconds=13)
    middle = clock.now() - reading.round_trip / 2
    assert abs(reading.at + timedelta(seconds=12) - middle) < timedelta(seconds=1)


def test_a_clock_set_back_meanwhile_does_not_shorten_the_round_trip() -> None:
    clock = ManualClock(NOON)

    def answering(_: Asked) -> Answer:
        clock.advance(timedelta(hours=-1))
        return as_json({"timestamp": "2020-06-03T12:00:06-04:00"})

    assert timedelta(0) <= answered(answering, clock).clock().round_trip < timedelta(seconds=5)


@pytest.mark.parametrize("status", [200, 401, 403, 404, 429, 500])
def test_a_server_that_echoes_the_key_does_not_give_it_away(status: int, caplog: pytest.LogCaptureFixture) -> None:
    echo = {"code": 4, "message": f"headers: {KEY} {SECRET}", "headers": {"APCA-API-KEY-ID": KEY, "x": SECRET}}
    for body in (json.dumps(echo), json.dumps(echo).replace("/", "\\/"), f"<html>{KEY} {SECRET}</html>"):
        broker = answered(lambda _, body=body: Answer(status, body.encode()))  # type: ignore[misc]
        with pytest.raises((BrokerRefused, BrokerUnavailable)) as error:
            broker.account()
        chain: list[BaseException | None] = [error.value]
        while chain[-1] is not None:
            for secret in (KEY, SECRET, SECRET.replace("/", "\\/")):
                assert secret not in f"{chain[-1]!r} {chain[-1]}"
            chain.append(chain[-1].__cause__ or chain[-1].__context__)
    holdings = always([position(SECRET), position(asset_class=KEY)]).holdings()
    listed = always([order(symbol=SECRET, client_order_id=KEY)]).open_orders()
    for secret in (KEY, SECRET):
        assert secret not in repr((holdings, listed, caplog.text))


class NoSecrets:
    def broker_credentials(self) -> BrokerCredentials:
        raise AssertionError("not asked")


def opened(environment: str, url: str) -> AlpacaBroker:
    settings = Settings.model_validate({"environment": environment, "broker": {"trading_url": url}})
    credentials = BrokerCredentials(key_id=KEY, secret_key=SECRET)
    return open_alpaca(AlpacaBroker, settings, credentials, NoSecrets(), ManualClock(NOON))


def test_addresses_that_are_private_or_encrypted_are_fine() -> None:
    for url in ("https://broker.test", "http://127.0.0.1:8765", "http://localhost:8765", "http://[::1]:8765"):
        assert isinstance(opened("paper", url), AlpacaBroker)
    assert isinstance(opened("simulated", "http://alpaca:8765"), AlpacaBroker), "a container's neighbour"


def test_what_is_nested_without_end_is_no_answer() -> None:
    for body in (b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000, b"\xff\xfe", b"nothing"):
        with pytest.raises(BrokerUnavailable):
            answered(lambda _, body=body: Answer(200, body)).account()  # type: ignore[misc]


def test_a_bare_nan_costs_its_own_element_only() -> None:
    body = json.dumps([position("SPY"), position("QQQ", qty=float("nan"))]).encode()
    assert b"NaN" in body
    holdings = answered(lambda _: Answer(200, body)).holdings()
    assert [item.symbol for item in holdings.positions] == ["SPY"]


def test_the_order_types_stay_what_they_are() -> None:
    (found,) = always([order()]).open_orders().orders
    assert isinstance(found, BrokerOrder)
    assert found.order_type == LimitOrder(Decimal(400))
    assert found.submitted_at == datetime(2020, 6, 3, 14, 0, 0, 123_456, tzinfo=UTC)
