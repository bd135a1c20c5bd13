"""What Alpaca's API may answer to what we ask: fields, types, what may be missing or null, by its own description.

Generated, seeded: valid answers, and answers that one mutation has spoiled.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

type Json = str | int | float | bool | list[Json] | dict[str, Json] | None
type Maker = Callable[[random.Random], Json]
type Path = tuple[str | int, ...]

CLASSES = (
    *("us_equity", "us_option", "crypto", "crypto_perp", "treasury"),
    *("corporate", "global_equity", "us_index", "us_equity_chain", "ipo"),
)
STATUSES = (
    *("new", "partially_filled", "filled", "done_for_day", "canceled", "expired", "replaced", "pending_cancel"),
    *("pending_replace", "accepted", "pending_new", "accepted_for_bidding", "stopped", "rejected", "suspended"),
    *("calculated", "held"),
)
ACCOUNTS = (
    *("INACTIVE", "PAPER_ONLY", "ONBOARDING", "SUBMISSION_FAILED", "SUBMITTED", "ACCOUNT_UPDATED", "APPROVAL_PENDING"),
    *("ACTIVE", "REJECTED", "ACCOUNT_CLOSED", "APPROVED", "ACCOUNT_CLOSED_PENDING", "ACTION_REQUIRED", "LIMITED"),
)
ENTRIES = (
    *("TRANS", "MISC", "ACATC", "ACATS", "CFEE", "CGD", "CSD", "CSW", "DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT"),
    *("DIVNRA", "DIVROC", "DIVTW", "DIVTXEX", "FEE", "INT", "INTNRA", "INTTW", "JNL", "JNLC", "JNLS", "MA", "NC"),
    *("OPASN", "OPCA", "OPCSH", "OPEXC", "OPEXP", "OPTRD", "PTC", "PTR", "REO", "REORG", "SPIN", "SPLIT", "OCT"),
)
SYMBOLS = ("SPY", "QQQ", "TLT", "BRK.B", "A", "AAPL251219C00200000", "BTC/USD")


def one_of(*values: Json) -> Maker:
    return lambda rng: rng.choice(values)


def or_null(maker: Maker) -> Maker:
    return lambda rng: None if rng.random() < 0.2 else maker(rng)


def figure(low: float, high: float) -> Maker:
    """A number as a string, as the trading API writes it."""
    return lambda rng: f"{rng.uniform(low, high):.{rng.randint(0, 9)}f}"


def real(low: float, high: float) -> Maker:
    """A JSON number, as the market data API writes it."""
    return lambda rng: round(rng.uniform(low, high), rng.randint(4, 6))


def flag(rng: random.Random) -> Json:
    return rng.random() < 0.5


def uuid(rng: random.Random) -> Json:
    return str(UUID(int=rng.getrandbits(128)))


def day(rng: random.Random) -> Json:
    return f"2020-{rng.randint(5, 6):02}-{rng.randint(1, 28):02}"


def moment(rng: random.Random) -> Json:
    fraction = f"{rng.random():.{rng.randint(1, 9)}f}"[1:] if rng.random() < 0.7 else ""
    time = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    return f"{day(rng)}T{time}{fraction}{rng.choice(('Z', '-04:00', '+00:00'))}"


def objects(fields: dict[str, Maker]) -> Maker:
    """Objects with these fields; one whose name ends in `?` may be missing."""

    def make(rng: random.Random) -> Json:
        return {
            name.rstrip("?"): maker(rng)
            for name, maker in fields.items()
            if not name.endswith("?") or rng.random() < 0.95
        }

    return make


def lists(maker: Maker, most: int = 6) -> Maker:
    return lambda rng: [maker(rng) for _ in range(rng.randint(0, most))]


def by_symbol(maker: Maker) -> Maker:
    return lambda rng: {symbol: maker(rng) for symbol in SYMBOLS if rng.random() < 0.7}


price, shares = figure(0.0001, 5000), figure(0.000000001, 20000)
symbol = one_of(*SYMBOLS)


def _available(rng: random.Random) -> Json:
    """A position some of whose shares are held by open orders."""
    found = _POSITION(rng)
    assert isinstance(found, dict)
    if rng.random() < 0.95:
        found["qty_available"] = rng.choice([str(found["qty"]), "0"])
    return found


POSITION: Maker = _available
ACCOUNT = objects(
    {
        "id": uuid,
        "status": lambda rng: "ACTIVE" if rng.random() < 0.7 else rng.choice(ACCOUNTS),
        "account_number?": or_null(one_of("PA1")),
        "currency?": one_of("USD"),
        **{f"{name}?": figure(-100, 1e6) for name in ("cash", "equity", "last_equity", "buying_power", "sma")},
        **{f"{name}?": flag for name in ("trading_blocked", "account_blocked", "trade_suspended_by_user")},
        "multiplier?": one_of("1", "2", "4"),
        "created_at?": moment,
    }
)
_POSITION = objects(
    {
        "asset_id": uuid,
        "symbol": symbol,
        "exchange": one_of("ARCA", "NASDAQ", "CRYPTO", ""),
        "asset_class": lambda rng: "us_equity" if rng.random() < 0.7 else rng.choice(CLASSES),
        "avg_entry_price": price,
        "qty": lambda rng: shares(rng) if rng.random() < 0.9 else f"-{shares(rng)}",
        "side": lambda rng: "long" if rng.random() < 0.9 else "short",
        **{name: figure(-1e5, 1e5) for name in ("market_value", "cost_basis", "unrealized_pl", "change_today")},
        "current_price": lambda rng: price(rng) if rng.random() < 0.9 else "0",
        "lastday_price": price,
        "asset_marginable": flag,
    }
)
_LEG = {
    "id?": uuid,
    "client_order_id?": lambda rng: f"alc-{rng.randint(1, 9)}",
    "symbol": symbol,
    "asset_class?": lambda rng: "us_equity" if rng.random() < 0.8 else rng.choice(CLASSES),
    **{f"{name}?": moment for name in ("created_at", "updated_at", "submitted_at")},
    **{f"{name}?": or_null(moment) for name in ("filled_at", "expired_at", "canceled_at", "failed_at", "replaced_at")},
    **{f"{name}?": or_null(uuid) for name in ("replaced_by", "replaces")},
    "notional": or_null(price),
    "qty": or_null(shares),
    "filled_qty?": figure(0, 100),
    "filled_avg_price?": or_null(price),
    "order_class?": one_of("", "simple", "bracket", "oco", "oto", "mleg"),
    "type": one_of("market", "limit", "limit", "stop", "stop_limit", "trailing_stop"),
    "side": one_of("buy", "sell"),
    "time_in_force": one_of("day", "gtc", "opg", "cls", "ioc", "fok"),
    "limit_price?": or_null(price),
    "stop_price?": or_null(price),
    "status?": one_of(*STATUSES),
    "extended_hours?": flag,
}
ORDER = objects({**_LEG, "symbol?": symbol, "side?": one_of("buy", "sell"), "legs?": or_null(lists(objects(_LEG), 2))})
ASSET = objects(
    {
        "id": uuid,
        "class": lambda rng: "us_equity" if rng.random() < 0.9 else rng.choice(CLASSES),
        "exchange": one_of("ARCA", "NASDAQ", "OTC"),
        "symbol": symbol,
        "name": one_of("A fund"),
        "status": one_of("active", "active", "inactive"),
        **dict.fromkeys(("tradable", "marginable", "shortable", "fractionable"), flag),
        "cusip?": or_null(one_of("78462F103")),
        "min_order_size?": shares,
        "attributes?": lists(one_of("ipo", "has_options"), 2),
    }
)
CALENDAR_DAY = objects(
    {
        "date": day,
        "open": one_of("09:30"),
        "close": one_of("16:00", "13:00"),
        "session_open": one_of("0400"),
        "session_close": one_of("2000"),
        "settlement_date": day,
    }
)
CLOCK = objects({"timestamp": moment, "is_open": flag, "next_open": moment, "next_close": moment})
FILL = objects(
    {
        "activity_type": one_of("FILL"),
        "id": lambda rng: f"20200603{rng.randint(0, 10**9):09}::{uuid(rng)}",
        "cum_qty": shares,
        "leaves_qty": figure(0, 10),
        "order_id": uuid,
        "order_status": one_of(*STATUSES),
        "price": price,
        "qty": shares,
        "side": one_of("buy", "sell", "sell_short"),
        "symbol": symbol,
        "transaction_time": moment,
        "type": one_of("fill", "partial_fill"),
    }
)
ENTRY = objects(
    {
        "activity_type": one_of(*ENTRIES),
        "activity_sub_type?": one_of("SDIV", "CDIV"),
        "id": lambda rng: f"20200603{rng.randint(0, 10**9):09}::{uuid(rng)}",
        "date": day,
        "created_at?": moment,
        "currency?": one_of("USD"),
        "net_amount?": figure(-1e4, 1e4),
        "qty?": figure(-100, 100),
        "per_share_amount?": price,
        "symbol?": symbol,
        "cusip?": one_of("78462F103"),
        "status?": one_of("executed", "correct", "canceled"),
        "description?": one_of("", "Cash DIV @ 0.51"),
    }
)
_BAR = objects(
    {
        "t": lambda rng: f"{day(rng)}T04:00:00Z",
        **{name: real(0.01, 5000) for name in ("o", "h", "l", "c", "vw")},
        **{name: one_of(0, 100, 10**9) for name in ("v", "n")},
    }
)
BARS = objects(
    {"bars": by_symbol(lists(_BAR)), "next_page_token": or_null(one_of("page-2")), "currency?": one_of("USD")}
)
TRADES = objects(
    {
        "trades": by_symbol(
            objects(
                {
                    "t": moment,
                    "p": real(0.0001, 5000),
                    "i": one_of(1, 2**63),
                    "s": one_of(1, 2**31),
                    "x": one_of("V"),
                    "c": lists(one_of("@", "I"), 2),
                    "z": one_of("A", "B"),
                }
            )
        ),
        "currency?": one_of("USD"),
    }
)
QUOTES = objects(
    {
        "quotes": by_symbol(
            objects(
                {
                    "t": moment,
                    "bp": real(0, 5000),
                    "ap": real(0, 5000),
                    "bs": one_of(0, 3),
                    "as": one_of(0, 3),
                    "bx": one_of("V", " "),
                    "ax": one_of("V", " "),
                    "c": lists(one_of("R"), 2),
                    "z": one_of("A", "B"),
                }
            )
        ),
        "currency?": one_of("USD"),
    }
)
_ACTION = {"id": uuid, "process_date": day, "currency?": one_of("USD"), "record_date?": day}
_SPLIT = {**_ACTION, "symbol": symbol, "ex_date": day, "new_rate": real(0.01, 50), "old_rate": real(0.01, 50)}
_UNITS = {
    **_ACTION,
    **dict.fromkeys(("old_symbol", "new_symbol", "alternate_symbol"), symbol),
    **{name: real(0.01, 9) for name in ("old_rate", "new_rate", "alternate_rate")},
    "effective_date": day,
}
ACTIONS = objects(
    {
        "corporate_actions": objects(
            {
                "forward_splits?": lists(objects({**_SPLIT, "cusip": one_of("1")}), 3),
                "reverse_splits?": lists(objects({**_SPLIT, "old_cusip": one_of("1"), "new_cusip": one_of("2")}), 3),
                "stock_dividends?": lists(
                    objects({**_ACTION, "symbol": symbol, "ex_date": day, "rate": real(0.001, 1)}), 3
                ),
                "unit_splits?": lists(objects(_UNITS), 2),
                "cash_dividends?": lists(objects({**_ACTION, "symbol": symbol, "rate": real(0, 9), "ex_date": day}), 2),
            }
        ),
        "next_page_token": or_null(one_of("page-2")),
    }
)
ERROR = objects(
    {"code?": one_of(40010001, 40310000, 40410000, 42210000), "message": one_of("it may not be", "forbidden.")}
)


@dataclass(frozen=True)
class Made:
    """An answer's content, and where it was spoiled: a path, empty for the root; None if it is valid."""

    content: Json
    spoiled: Path | None = None
    how: str = ""

    def untouched(self, path: Path) -> bool:
        """Whether what stands there is as it was made."""
        return self.spoiled is None or (self.spoiled[: len(path)] != path and path[: len(self.spoiled)] != self.spoiled)


def made(maker: Maker, rng: random.Random) -> Made:
    """Valid one time in four, otherwise spoiled in one place."""
    content = maker(rng)
    return Made(content) if rng.random() < 0.25 else _spoil(content, rng)


def _spoil(content: Json, rng: random.Random) -> Made:
    places = _places(content)
    deep = [place for place in places if len(place) > 1] or places
    path = rng.choice(deep if rng.random() < 0.9 else places)
    content = json.loads(json.dumps(content))
    holder = content
    for part in path[:-1]:
        holder = holder[part]  # type: ignore[index]
    before = holder[path[-1]] if path else content  # type: ignore[index]
    how, value = rng.choice(_mutations(before))
    if how == "missing" and isinstance(holder, dict) and path:
        del holder[str(path[-1])]
    elif path:
        holder[path[-1]] = value  # type: ignore[index]
    else:
        content = value
    return Made(content, path, how)


def _places(content: Json) -> list[Path]:
    found: list[Path] = [()]
    if isinstance(content, dict):
        found += [(name, *path) for name, value in content.items() for path in _places(value)]
    elif isinstance(content, list):
        found += [(index, *path) for index, value in enumerate(content) for path in _places(value)]
    return found


def _mutations(value: Json) -> Sequence[tuple[str, Json]]:
    kinds: dict[str, list[Json]] = {
        "null": [None],
        "missing": [None],
        "wrong type": [7, True, ["x"], {"x": "y"}, "1580000000"],
        "empty": ["", [], {}],
        "huge": ["9" * 40, 10**30, 1.7e308, "1e999999", "x" * 100_000],
        "not a number": ["NaN", "Infinity", "1_000", "٣", " 1 ", "0x10", "--1", float("nan"), float("inf")],
        "unknown": ["wholly_new", "\x1b[31mred\x1b[0m", "..", [[[[[[[[]]]]]]]]],
        "odd date": ["9999-12-31T23:59:59-14:00", "0001-01-01", "2020-02-30", "2020-W06-1", "25:61"],
    }
    wrong = [(kind, other) for kind, others in kinds.items() for other in others]
    if isinstance(value, str) and value[:1].isdigit():
        wrong += [("negative", f"-{value}"), ("zero", "0")]
    if isinstance(value, int | float) and not isinstance(value, bool):
        wrong += [("negative", -value), ("zero", 0), ("as text", str(value))]
    if isinstance(value, list):
        wrong += [("twice", [*value, *value]), ("null in it", [None, *value]), ("list in it", [*value, [1]])]
    if isinstance(value, dict):
        wrong += [("more", {**value, "wholly_new": {"x": 1}})]
    return wrong
