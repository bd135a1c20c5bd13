"""First contact with a broker's account: what the strategies and the order machine will meet there. Reads only.

One check a question, each with what to do about it; none of them moves money or makes a record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from alchemiser_cli.broker_answers import next_decision
from alchemiser_cli.stage.check_result import CheckFailed, CheckResult, Verdict, checked
from alchemiser_common.ids import CLIENT_ORDER_PREFIX
from alchemiser_common.messages.snapshot import Account, MarketSession
from alchemiser_common.ports.broker import Asset, Holdings, MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE, Clock
from alchemiser_common.settings import Environment, Settings
from alchemiser_common.text import named

_MOST_NAMED = 8
_SESSIONS_BACK = timedelta(days=10)
"""Within which the last session with bars lies, whatever the holidays."""
_ACTIVE = "ACTIVE"


@dataclass(frozen=True)
class FirstContact:
    """The broker with what is to be asked of it; what several checks need is asked once."""

    reader: MarketReader
    clock: Clock
    settings: Settings
    symbols: tuple[str, ...]
    """What the strategies read and may hold."""

    @cached_property
    def account(self) -> Account:
        return self.reader.account()

    @cached_property
    def holdings(self) -> Holdings:
        return self.reader.holdings()

    @cached_property
    def assets(self) -> Mapping[str, Asset]:
        return {asset.symbol: asset for asset in self.reader.assets(self.symbols)}

    @cached_property
    def now(self) -> datetime:
        return self.reader.now()

    @cached_property
    def session(self) -> MarketSession | None:
        """Today's."""
        return self.reader.session_on(self.now.astimezone(EXCHANGE_ZONE).date())

    @property
    def open(self) -> bool:
        """Whether the market is open now."""
        return self.session is not None and self.session.opens <= self.now < self.session.closes


def _key(contact: FirstContact) -> str:
    """The key is of the environment that the settings name."""
    wanted, paper = contact.settings.environment, contact.reader.paper
    simulated = contact.settings.broker.trading_url is not None
    if not simulated and paper != (wanted is Environment.PAPER):
        kind = "paper" if paper else "live"
        raise CheckFailed(
            f"the key is one of a {kind} account, the environment is {wanted.value}", "put the other in .env"
        )
    return f"a key of a {'paper' if paper else 'live'} account"


def _status(contact: FirstContact) -> str:
    """The account is active, and neither blocked by the broker nor by its owner."""
    account = contact.account
    if account.status != _ACTIVE or account.blocked:
        blocked = ", trading is blocked" if account.blocked else ""
        raise CheckFailed(
            f"account {account.account_id} is {account.status}{blocked}", "ask the broker; no run trades it"
        )
    return f"account {account.account_id} is {account.status}"


def _clock(contact: FirstContact) -> str:
    """The machine's clock agrees with the broker's."""
    reading = contact.reader.clock()
    apart = (reading.at - (contact.clock.now() - reading.round_trip / 2)).total_seconds()
    limit = contact.settings.execution.max_clock_skew_seconds
    if abs(apart) > limit:
        stand_in = contact.settings.broker.trading_url is not None
        raise CheckFailed(
            f"this machine's clock and the broker's are {apart:+.1f} s apart; limit {limit:g} s",
            "broker.trading_url names one with a time of its own"
            if stand_in
            else "set the clock (timedatectl set-ntp true)",
            Verdict.WARNING if stand_in else Verdict.WRONG,
        )
    return f"{apart:+.1f} s beside the broker's"


def _calendar(contact: FirstContact) -> str:
    """The broker's calendar has a next decision time."""
    due = next_decision(contact.reader, contact.settings.schedule, contact.now)
    if due is None:
        raise CheckFailed("the broker's calendar has no session in the next days", "ask again later", Verdict.UNKNOWN)
    market = "open" if contact.open else "closed"
    return f"the market is {market}; the next decision is due {due:%Y-%m-%d %H:%M} UTC"


def _bars(contact: FirstContact) -> str:
    """The data feed gives each symbol's bars, up to the last completed session."""
    today = contact.now.astimezone(EXCHANGE_ZONE).date()
    before = today - timedelta(days=1)
    days = contact.reader.sessions(today - _SESSIONS_BACK, before)
    if not days:
        raise CheckFailed("the calendar has no session in the last ten days", "", Verdict.UNKNOWN)
    bars = {item.symbol: item for item in contact.reader.daily_bars(contact.symbols, days[0], before)}
    late = [symbol for symbol in contact.symbols if symbol not in bars or days[-1] not in bars[symbol].days]
    feed = contact.settings.data.bars_feed
    if late:
        raise CheckFailed(
            f"feed {feed} has no bar of {days[-1]} for {named(late, _MOST_NAMED)}",
            "a run carries no more than data.carry_gaps of them; look at the symbols, or at data.bars_feed",
            Verdict.WARNING,
        )
    return f"feed {feed} has the bar of {days[-1]} for all {len(contact.symbols)} symbols"


def _tradable(contact: FirstContact) -> str:
    """Each symbol can be traded, in fractions."""
    known = [contact.assets[symbol] for symbol in contact.symbols if symbol in contact.assets]
    closed = [asset.symbol for asset in known if not asset.tradable]
    whole = [asset.symbol for asset in known if asset.tradable and not asset.fractionable]
    if closed:
        raise CheckFailed(
            f"the broker does not trade {named(closed, _MOST_NAMED)}", "their targets cannot be met", Verdict.WARNING
        )
    if whole:
        return f"all {len(known)} can be traded; in whole shares only: {named(whole, _MOST_NAMED)}"
    return f"all {len(known)} can be traded, in fractions"


def _quotes(contact: FirstContact) -> str:
    """Quotes are young enough to be traded on, while the market is open."""
    quotes = {quote.symbol: quote for quote in contact.reader.latest_quotes(contact.symbols)}
    lacking = [symbol for symbol in contact.symbols if symbol not in quotes]
    feed, limit = contact.settings.data.quotes_feed, contact.settings.execution.max_quote_age_seconds
    if not contact.open:
        got = f"feed {feed} answers for {len(quotes)} of {len(contact.symbols)} symbols"
        raise CheckFailed(f"{got}; how old they are shows while the market is open", "", Verdict.SKIPPED)
    old = [symbol for symbol, quote in quotes.items() if (contact.now - quote.at).total_seconds() > limit]
    if lacking or old:
        raise CheckFailed(
            f"feed {feed} has no quote younger than {limit:g} s for {named(sorted({*lacking, *old}), _MOST_NAMED)}",
            "thin symbols wait for one (execution.quote_patience_seconds); data.quotes_feed = sip sees every exchange",
            Verdict.WARNING,
        )
    return f"feed {feed}: all younger than {limit:g} s"


def _money(contact: FirstContact) -> str:
    """Buying power covers the cash."""
    account = contact.account
    said = f"equity {account.equity:,.2f} USD, cash {account.cash:,.2f}, buying power {account.buying_power:,.2f}"
    if account.equity <= 0:
        raise CheckFailed(f"{said}: there is nothing to trade with", "put money into the account", Verdict.WARNING)
    if account.buying_power < account.cash:
        raise CheckFailed(
            f"{said}: buys are cut to the buying power", "unsettled or held cash becomes free later", Verdict.WARNING
        )
    return said


def _orders(contact: FirstContact) -> str:
    """No open order of somebody else is in the way."""
    listed = contact.reader.open_orders()
    foreign = [
        f"{order.side.value} {order.symbol}"
        for order in listed.orders
        if not order.client_order_id.startswith(CLIENT_ORDER_PREFIX)
    ]
    foreign += [f"order {odd.order_id}" for odd in listed.odd]
    if foreign:
        raise CheckFailed(
            f"{len(foreign)} open orders are not this system's: {named(foreign, _MOST_NAMED)}",
            "cancel them, or let them fill: no run trades beside them",
            Verdict.WARNING,
        )
    return f"{len(listed.orders)} open"


def _positions(contact: FirstContact) -> str:
    """What is held is the strategies' to trade, or named."""
    others = [f"{item.symbol or 'a holding'} ({item.kind})" for item in contact.holdings.others]
    unread = [item.symbol for item in contact.holdings.positions if item.symbol not in contact.symbols]
    if unread:
        raise CheckFailed(
            f"{named(unread, _MOST_NAMED)}: held, and no strategy reads them: the first run sells them",
            "move them to another account if you want to keep them",
            Verdict.WARNING,
        )
    if others:
        return f"left alone, and not allocated: {named(others, _MOST_NAMED)}"
    return f"{len(contact.holdings.positions)} held, all of symbols that the strategies read"


CHECKS: Mapping[str, Callable[[FirstContact], str]] = {
    "key": _key,
    "status": _status,
    "clock": _clock,
    "calendar": _calendar,
    "bars": _bars,
    "tradable": _tradable,
    "quotes": _quotes,
    "money": _money,
    "orders": _orders,
    "positions": _positions,
}
_ESSENTIAL = frozenset({"status", "clock"})
"""A broker that does not answer these answers nothing."""


def first_contact(contact: FirstContact) -> list[CheckResult]:
    """Every check's result, in order. A broker that does not answer is said once: the rest would only wait."""
    found: list[CheckResult] = []
    for name, run in CHECKS.items():
        found.append(checked(name, lambda run=run: run(contact)))  # type: ignore[misc]
        if found[-1].verdict is Verdict.UNKNOWN and name in _ESSENTIAL:
            return [*found, CheckResult("the rest", Verdict.SKIPPED, "the broker does not answer")]
    return found
