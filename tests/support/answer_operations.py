"""The operations of Alpaca's API that we call, the answers that each may get, and the oracle of what it reads."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from alchemiser_common.alpaca.broker import AlpacaBroker
from support import alpaca_answers as alpaca
from support.alpaca_answers import Json, Maker
from support.answer_oracles import (
    ASKED_FOR,
    REQUEST,
    Check,
    check_account,
    check_activities,
    check_assets,
    check_bars,
    check_clock,
    check_holdings,
    check_latest,
    check_nothing,
    check_order,
    check_orders,
    check_placed,
    check_sessions,
    check_splits,
)
from support.answered_broker import NOON, ORDER_ID

FIRST, LAST = date(2020, 5, 1), date(2020, 6, 28)


@dataclass(frozen=True)
class Operation:
    """What is called, the answers it may get, and the check of what it makes of them."""

    call: Callable[[AlpacaBroker], object]
    answers: Maker
    check: Check
    elementwise: tuple[str, ...] | None = None
    """Where the elements are that cost the others nothing; None if the answer is good or bad as a whole."""
    order: bool = False


def _activity(rng: random.Random) -> Json:
    return (alpaca.FILL if rng.random() < 0.5 else alpaca.ENTRY)(rng)


def _named(maker: Maker, **fields: Json) -> Maker:
    """Objects of which some fields are as they were asked for, mostly."""

    def make(rng: random.Random) -> Json:
        found = maker(rng)
        assert isinstance(found, dict)
        return found | fields if rng.random() < 0.9 else found

    return make


MINE: dict[str, Json] = {
    "id": ORDER_ID,
    "client_order_id": "alc-1",
    "symbol": "SPY",
    "side": "buy",
    "qty": "1.5",
    "filled_qty": "0",
    "type": "limit",
    "limit_price": "400.25",
    "status": "new",
    "asset_class": "us_equity",
    "order_class": "",
}
_MANY = [*ASKED_FOR, *(f"S{number}" for number in range(30))]
OPERATIONS: Mapping[str, Operation] = {
    "clock": Operation(lambda broker: broker.clock(), alpaca.CLOCK, check_clock),
    "account": Operation(lambda broker: broker.account(), alpaca.ACCOUNT, check_account),
    "positions": Operation(lambda broker: broker.holdings(), alpaca.lists(alpaca.POSITION), check_holdings, ()),
    "open orders": Operation(lambda broker: broker.open_orders(), alpaca.lists(alpaca.ORDER), check_orders, ()),
    "orders": Operation(lambda broker: broker.orders_since(NOON), alpaca.lists(alpaca.ORDER), check_orders, ()),
    "order by client id": Operation(
        lambda broker: broker.order_by_client_id("alc-1"), _named(alpaca.ORDER, **MINE), check_order
    ),
    "order": Operation(lambda broker: broker.order(ORDER_ID), _named(alpaca.ORDER, **MINE), check_order),
    "submit": Operation(lambda broker: broker.submit(REQUEST), _named(alpaca.ORDER, **MINE), check_placed, order=True),
    "cancel": Operation(lambda broker: broker.cancel(ORDER_ID), alpaca.one_of("", None, {}), check_nothing),
    "asset": Operation(lambda broker: broker.assets(["SPY"]), _named(alpaca.ASSET, symbol="SPY"), check_assets),
    "assets": Operation(lambda broker: broker.assets(_MANY), alpaca.lists(alpaca.ASSET), check_assets, ()),
    "calendar": Operation(
        lambda broker: broker.sessions(FIRST, LAST), alpaca.lists(alpaca.CALENDAR_DAY), check_sessions
    ),
    "activities": Operation(
        lambda broker: broker.activities(FIRST, LAST), alpaca.lists(_activity), check_activities, ()
    ),
    "bars": Operation(lambda broker: broker.daily_bars(ASKED_FOR, FIRST, LAST), alpaca.BARS, check_bars, ("bars",)),
    "latest trades": Operation(
        lambda broker: broker.latest_trades(ASKED_FOR),
        alpaca.TRADES,
        check_latest("trades", {"price": "p"}),
        ("trades",),
    ),
    "latest quotes": Operation(
        lambda broker: broker.latest_quotes(ASKED_FOR),
        alpaca.QUOTES,
        check_latest("quotes", {"bid": "bp", "ask": "ap"}),
        ("quotes",),
    ),
    "corporate actions": Operation(
        lambda broker: broker.announced_splits("SPY", FIRST, LAST), alpaca.ACTIONS, check_splits
    ),
}
