"""The endpoints of the broker that lies are told at, and which one a request goes to."""

from enum import StrEnum

from support.liar.transport import Asked


class Endpoint(StrEnum):
    """What a request is about."""

    CLOCK = "clock"
    CALENDAR = "calendar"
    ACCOUNT = "account"
    ACTIVITIES = "activities"
    POSITIONS = "positions"
    ASSET = "asset"
    LISTED = "day's orders"
    OPEN = "open orders"
    LOOK_UP = "look-up"
    ORDER = "order by id"
    SUBMIT = "submit"
    CANCEL = "cancel"
    QUOTES = "quotes"
    TRADES = "trades"
    SNAPSHOTS = "snapshots"
    BARS = "bars"
    OTHER = "other"


_PATHS = {
    "/v2/clock": Endpoint.CLOCK,
    "/v2/calendar": Endpoint.CALENDAR,
    "/v2/account": Endpoint.ACCOUNT,
    "/v2/positions": Endpoint.POSITIONS,
    "/v2/orders:by_client_order_id": Endpoint.LOOK_UP,
    "/v2/stocks/quotes/latest": Endpoint.QUOTES,
    "/v2/stocks/trades/latest": Endpoint.TRADES,
    "/v2/stocks/snapshots": Endpoint.SNAPSHOTS,
    "/v2/stocks/bars": Endpoint.BARS,
}
ORDERS = (Endpoint.LISTED, Endpoint.OPEN, Endpoint.LOOK_UP, Endpoint.ORDER)
READS = (
    *ORDERS,
    Endpoint.CLOCK,
    Endpoint.CALENDAR,
    Endpoint.ACCOUNT,
    Endpoint.ACTIVITIES,
    Endpoint.POSITIONS,
    Endpoint.ASSET,
    Endpoint.QUOTES,
    Endpoint.TRADES,
    Endpoint.SNAPSHOTS,
    Endpoint.BARS,
    Endpoint.CANCEL,
)


def endpoint(asked: Asked) -> Endpoint:
    """Which one a request goes to."""
    if asked.path == "/v2/orders":
        if asked.method == "POST":
            return Endpoint.SUBMIT
        return Endpoint.OPEN if asked.query.get("status", "open") == "open" else Endpoint.LISTED
    if asked.path.startswith("/v2/orders/"):
        return Endpoint.CANCEL if asked.method == "DELETE" else Endpoint.ORDER
    if asked.path.startswith("/v2/assets"):
        return Endpoint.ASSET
    if asked.path.startswith("/v2/account/activities"):
        return Endpoint.ACTIVITIES
    return _PATHS.get(asked.path, Endpoint.OTHER)
