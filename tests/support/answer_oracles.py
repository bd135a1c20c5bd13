"""What must come of an answer of Alpaca's that is read: each element as it is written, or left out by name."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast
from uuid import UUID

from alchemiser_common.alpaca.reading import shown
from alchemiser_common.ids import Side
from alchemiser_common.messages.snapshot import Account
from alchemiser_common.ports.broker import (
    AccountEntry,
    Activities,
    Asset,
    BrokerOrder,
    ClockReading,
    Fill,
    Holdings,
    LimitOrder,
    OrderList,
    OrderRequest,
    Split,
    SymbolBars,
)
from support.alpaca_answers import SYMBOLS, Json, Made

REQUEST = OrderRequest(
    client_order_id="alc-1",
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal("1.5"),
    order_type=LimitOrder(Decimal("400.25")),
)
ASKED_FOR = [name for name in SYMBOLS if name != "BTC/USD"]

type Check = Callable[[object, Made], None]


def _figure(raw: object) -> Decimal:
    """What a number of the answer says; whoever made one of anything else made it up."""
    assert isinstance(raw, int | float | str), f"a number was made from {raw!r}"
    assert not isinstance(raw, bool), f"a number was made from {raw!r}"
    text = str(raw)
    assert re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII), f"a number was made from {raw!r}"
    return Decimal(text)


def _same(read: Decimal | None, raw: object) -> None:
    if read is None:
        assert raw is None, f"{raw!r} was lost"
        return
    assert read == _figure(raw), f"{raw!r} was read as {read}"
    assert abs(read) < 10**15, f"{read} went through"


def _objects(content: Json) -> list[dict[str, Json]]:
    return [item for item in content if isinstance(item, dict)] if isinstance(content, list) else []


def plain(text: str) -> None:
    assert text.isprintable(), f"{text!r} would reach a terminal"
    assert len(text) < 2000, "an error of unbounded length"


def check_clock(read: object, answer: Made) -> None:
    assert isinstance(read, ClockReading)
    assert isinstance(answer.content, dict)
    stamp = answer.content["timestamp"]
    assert isinstance(stamp, str)
    assert read.at.utcoffset() is not None
    if answer.untouched(("timestamp",)):
        assert read.at == datetime.fromisoformat(stamp)


def check_account(read: object, answer: Made) -> None:
    assert isinstance(read, Account)
    content = answer.content
    assert isinstance(content, dict)
    for name in ("equity", "cash", "buying_power"):
        _same(getattr(read, name), content[name])
    _same(read.last_equity, content.get("last_equity"))
    flags = [content[name] for name in ("trading_blocked", "account_blocked", "trade_suspended_by_user")]
    assert all(isinstance(flag, bool) for flag in flags)
    assert read.blocked == any(flags)


def check_holdings(read: object, answer: Made) -> None:
    assert isinstance(read, Holdings)
    assert isinstance(answer.content, list)
    assert len(read.positions) + len(read.others) == len(answer.content), "each element is in one of the two"
    for position in read.positions:
        (raw,) = [
            item
            for item in _objects(answer.content)
            if item.get("symbol") == position.symbol and item.get("asset_class") == "us_equity"
        ]
        _same(position.quantity, raw["qty"])
        _same(position.available, raw["qty_available"])
        _same(position.market_value, raw["market_value"])
        _same(position.price, raw["current_price"])
        _same(position.average_entry_price, raw["avg_entry_price"])
        assert position.quantity > 0
    for other in read.others:
        assert other.detail
        for text in (other.symbol, other.kind, other.detail):
            plain(text)
    times = Counter(str(item.get("symbol")) for item in _objects(answer.content))
    managed = {position.symbol for position in read.positions}
    for index, item in enumerate(answer.content):
        if isinstance(item, dict) and answer.untouched((index,)) and _managed(item) and times[str(item["symbol"])] == 1:
            assert item["symbol"] in managed, f"{item} is lost"


def _managed(item: Mapping[str, Json]) -> bool:
    return (
        item["asset_class"] == "us_equity"
        and item["side"] == "long"
        and Decimal(str(item["qty"])) > 0
        and Decimal(str(item["current_price"])) > 0
        and "qty_available" in item
    )


def _check_order(order: BrokerOrder, raw: Mapping[str, Json]) -> None:
    _same(order.quantity, raw["qty"])
    _same(order.filled_quantity, raw["filled_qty"])
    average = raw.get("filled_avg_price")
    _same(order.average_price or Decimal(0), 0 if average is None else average)  # a price of zero is none
    limit = order.order_type.limit_price
    _same(limit, raw.get("limit_price"))
    assert (raw["type"], raw.get("limit_price") is None) == (("market", True) if limit is None else ("limit", False))
    assert (order.symbol, order.side.value) == (raw["symbol"], raw["side"])
    told = str(raw["client_order_id"])
    assert order.client_order_id == (told if told.isprintable() else shown(told)), "what acts on a terminal is not kept"
    assert order.client_order_id.isprintable()
    assert raw.get("asset_class", "us_equity") == "us_equity"
    assert UUID(order.order_id) == UUID(str(raw["id"]))
    assert order.raw_status


def check_orders(read: object, answer: Made) -> None:
    assert isinstance(read, OrderList)
    assert isinstance(answer.content, list)
    assert len(read.orders) + len(read.odd) == len(answer.content), "each element is in one of the two"
    found = {UUID(order.order_id): order for order in read.orders}
    for index, item in enumerate(answer.content):
        whole = isinstance(item, dict) and answer.untouched((index,)) and _simple(item)
        assert not whole or UUID(str(item["id"])) in found, f"{item} is lost"  # type: ignore[call-overload, index]
    for order in read.orders:
        raw = next(item for item in _objects(answer.content) if str(item.get("id")).lower() == order.order_id)
        _check_order(order, raw)
    ended = {"filled", "canceled", "expired", "rejected", "replaced", "done_for_day"}
    for odd in read.odd:
        assert odd.detail
        for text in (odd.order_id, odd.client_order_id, odd.symbol, odd.detail):
            plain(text)
    surely_ended = sum(
        item.get("status") in ended for item in _objects(answer.content) if _hashable(item.get("status"))
    )
    assert sum(not odd.open for odd in read.odd) <= surely_ended, "what may fill is open"


def _hashable(value: Json) -> bool:
    return not isinstance(value, list | dict)


def _simple(item: Mapping[str, Json]) -> bool:
    limit = item.get("limit_price")
    return (
        {"id", "client_order_id", "symbol", "side", "status", "filled_qty"} <= item.keys()
        and item.get("asset_class", "us_equity") == "us_equity"
        and item.get("order_class") != "mleg"
        and (item["qty"] is not None or item["notional"] is not None)
        and ((item["type"] == "limit" and limit is not None) or (item["type"] == "market" and limit is None))
        and re.fullmatch(r"[A-Z0-9][A-Z0-9./-]{0,19}", str(item["symbol"])) is not None
    )


def check_order(read: object, answer: Made) -> None:
    assert isinstance(read, BrokerOrder), "an answer of 200 does not mean that the order is unknown"
    assert isinstance(answer.content, dict)
    _check_order(read, answer.content)


def check_placed(read: object, answer: Made) -> None:
    check_order(read, answer)
    assert isinstance(read, BrokerOrder)
    assert read.client_order_id == REQUEST.client_order_id
    assert (read.symbol, read.side, read.quantity) == (REQUEST.symbol, REQUEST.side, REQUEST.quantity)
    assert read.order_type == REQUEST.order_type


def check_assets(read: object, answer: Made) -> None:
    content: list[Json] = answer.content if isinstance(answer.content, list) else [answer.content]
    assert isinstance(read, Sequence)
    for asset in read:
        assert isinstance(asset, Asset)
        raw = [item for item in _objects(content) if item.get("symbol") == asset.symbol]
        assert not asset.tradable or any(
            item.get("tradable") is True and item.get("status") == "active" and item.get("class") == "us_equity"
            for item in raw
        )
        assert not asset.fractionable or any(item.get("fractionable") is True for item in raw)
    for index, item in enumerate(content):
        path = (index,) if isinstance(answer.content, list) else ()
        if isinstance(item, dict) and answer.untouched(path) and item["class"] == "us_equity":
            tradable = item["tradable"] and item["status"] == "active"
            mine = [asset for asset in read if asset.symbol == item["symbol"]]
            if item["symbol"] in ASKED_FOR and (len(content) > 1 or item["symbol"] == "SPY"):
                assert mine, f"{item} is lost"
                assert mine[0].tradable or not tradable, "of two the tradable one"


def check_sessions(read: object, answer: Made) -> None:
    assert isinstance(read, Sequence)
    listed = {str(item.get("date"))[:10] for item in _objects(answer.content)}
    assert {day.isoformat() for day in read} <= listed
    assert list(read) == sorted(set(read))
    if answer.spoiled is None:
        assert {day.isoformat() for day in read} == listed, "a day is lost"


def check_activities(read: object, answer: Made) -> None:
    assert isinstance(read, Activities)
    raw = {str(item.get("id")): item for item in reversed(_objects(answer.content))}
    for entry in read.entries:
        item = raw[entry.activity_id]
        if isinstance(entry, Fill):
            _same(entry.quantity, item["qty"])
            _same(entry.price, item["price"])
            assert entry.side.value == str(item["side"]).removesuffix("_short")
            assert entry.quantity > 0
        elif entry.code != "FILL":
            assert isinstance(entry, AccountEntry)
            _same(entry.quantity, item.get("qty") or 0)
            _same(entry.amount, item.get("net_amount") or 0)
            for text in (entry.code, entry.status, entry.symbol, entry.description):
                plain(text)
    for line in read.odd:
        plain(line)
    assert isinstance(answer.content, list)
    if answer.spoiled is None:
        ids = {entry.activity_id for entry in read.entries}
        for item in _objects(answer.content):
            inside = "2020-05-01" < str(item.get("date", item.get("transaction_time")))[:10] < "2020-06-28"
            known = item["activity_type"] == "FILL" or "net_amount" in item
            assert not (inside and known) or item["id"] in ids, f"{item} is lost"


def check_bars(read: object, answer: Made) -> None:
    assert isinstance(read, Sequence)
    by_symbol = answer.content.get("bars") if isinstance(answer.content, dict) else None
    by_symbol = by_symbol if isinstance(by_symbol, dict) else {}
    for bars in read:
        assert isinstance(bars, SymbolBars)
        raw = by_symbol[bars.symbol]
        assert isinstance(raw, list)
        for day, close, item in zip(bars.days, bars.closes, raw, strict=True):
            assert isinstance(item, dict)
            assert str(item["t"]).startswith(day.isoformat())
            number = item.get("c")
            if close == close:
                assert isinstance(number, int | float), f"a close was made from {number!r}"
                assert not isinstance(number, bool), f"a close was made from {number!r}"
                assert close == number
    got = {bars.symbol for bars in read}
    for name, raw in by_symbol.items():
        if raw and name in ASKED_FOR and answer.untouched(("bars", name)):
            assert name in got, f"{name} is lost"


def check_latest(kind: str, fields: Mapping[str, str]) -> Check:
    def check(read: object, answer: Made) -> None:
        assert isinstance(read, Sequence)
        by_symbol = answer.content.get(kind) if isinstance(answer.content, dict) else None
        by_symbol = by_symbol if isinstance(by_symbol, dict) else {}
        for item in read:
            raw = by_symbol[item.symbol]
            assert isinstance(raw, dict)
            for name, key in fields.items():
                _same(getattr(item, name), raw[key])
            assert isinstance(raw["t"], str)
        got = {item.symbol for item in read}
        for name in by_symbol:
            if name in ASKED_FOR and answer.untouched((kind, name)):
                assert name in got, f"{name} is lost"

    return check


def check_splits(read: object, answer: Made) -> None:
    assert isinstance(read, Sequence)
    text = json.dumps(answer.content)
    for split in read:
        assert isinstance(split, Split)
        assert split.symbol == "SPY"
        assert min(split.new_shares, split.old_shares) > 0
        assert split.day.isoformat() in text
    if answer.spoiled is None:
        groups = cast("dict[str, dict[str, list[dict[str, Json]]]]", answer.content)["corporate_actions"]
        kinds = ("forward_splits", "reverse_splits", "stock_dividends")
        mine = {item["ex_date"] for kind in kinds for item in groups.get(kind, []) if item["symbol"] == "SPY"}
        assert mine <= {split.day.isoformat() for split in read}, "a split is lost"


def check_nothing(read: object, answer: Made) -> None:
    assert read is None
