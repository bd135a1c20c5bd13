"""Asks the broker how the account stands now: reads only, and moves no time."""

from datetime import datetime, timedelta

from alchemiser_common.account_binding import check_binding
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.settings import ScheduleSettings
from alchemiser_monolith.platform import Platform
from alchemiser_readmodel.at_broker import BrokerAnswers

_DAYS_AHEAD = 10
"""No exchange holiday is longer."""


def ask_broker(platform: Platform) -> BrokerAnswers:
    """Account, holdings, open orders and the next decision time. Raises BrokerUnavailable, WrongAccount."""
    broker, now, settings = platform.broker, platform.clock.now(), platform.settings
    account = broker.account()
    check_binding(platform.state, settings.account_alias, settings.environment, account.account_id)
    holdings, orders = broker.holdings(), broker.open_orders()
    return BrokerAnswers(
        at=now,
        account=account,
        positions=holdings.positions,
        others=tuple(f"{other.symbol or 'a holding'}: {other.detail}" for other in holdings.others),
        open_orders=len(orders.orders) + len(orders.odd),
        next_decision=next_decision(broker, settings.schedule, now),
    )


def next_decision(broker: MarketReader, schedule: ScheduleSettings, now: datetime) -> datetime | None:
    """By the broker's calendar (UTC); None if it has no session within ten days. Raises BrokerUnavailable."""
    today = now.astimezone(EXCHANGE_ZONE).date()
    for ahead in range(_DAYS_AHEAD + 1):
        session = broker.session_on(today + timedelta(days=ahead))
        if session is not None and (due := decision_time(session, schedule)) > now:
            return due
    return None
