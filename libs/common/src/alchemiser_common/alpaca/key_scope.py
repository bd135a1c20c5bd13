"""May a key trade? Asked of the broker itself, so that nobody's word is taken for it."""

import random
from uuid import UUID

from alpaca.trading.client import TradingClient

from alchemiser_common.alpaca.http import Caller
from alchemiser_common.alpaca.session import RequestPolicy, harden
from alchemiser_common.errors import BrokerRefused, BrokerUnavailable
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.secrets import BrokerCredentials
from alchemiser_common.settings import BrokerSettings

_MAY_NOT = frozenset({401, 403})
_NO_SUCH_ORDER = frozenset({404, 422})


def may_trade(
    credentials: BrokerCredentials, broker: BrokerSettings, clock: Clock, nobodys: UUID, *, paper: bool
) -> bool:
    """Whether these may send and cancel orders.

    The order `nobodys` does not exist, so nothing is cancelled; but whoever may not cancel is refused before it is
    looked for. Raises BrokerUnavailable for any other answer.
    """
    policy = RequestPolicy.of(broker)
    client = TradingClient(**credentials.arguments, paper=paper, raw_data=True, url_override=broker.trading_url)
    harden(client, policy)
    caller = Caller(policy, clock, random.Random())  # noqa: S311  (spreads retries, decides nothing)
    try:
        caller.read("cancel of an order that does not exist", lambda: client.cancel_order_by_id(nobodys))
    except BrokerRefused as error:
        if error.status in _MAY_NOT:
            return False
        if error.status not in _NO_SUCH_ORDER:
            raise BrokerUnavailable(f"whether the key may trade is not told: {error}") from error
    return True
