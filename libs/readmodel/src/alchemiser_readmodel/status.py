"""How an account stands now, on one screen: worth, holdings against targets, switches, the last run, what needs a hand.

Pure. Every figure is one that a record has, or a difference of two; each says from when it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID

from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.report import ExecutionReport, RunStatus
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.trading_state import TradingState, TradingStateRecord
from alchemiser_readmodel.account import AccountRecords
from alchemiser_readmodel.open_lots import shares_held
from alchemiser_readmodel.performance import Gain, Worth, gain, gain_since
from alchemiser_readmodel.runs import RunSummary
from alchemiser_readmodel.verdicts import VerdictView, days_alike

_SILENT = timedelta(days=4)
"""Longer than any weekend with a holiday: so long without a run, and something that starts them is broken."""
_WELL = frozenset({RunStatus.COMPLETED, RunStatus.SKIPPED, RunStatus.SHADOWED})


@dataclass(frozen=True, slots=True)
class Holding:
    """One symbol, held or wanted, after the run that last looked at the account."""

    symbol: str
    shares: Decimal
    """By the books of all strategies."""
    weight: float | None
    """Fraction of equity; None where no run has said it."""
    target: float | None

    @property
    def drift(self) -> float | None:
        """Weight less target, a fraction of equity."""
        return None if self.weight is None or self.target is None else self.weight - self.target


@dataclass(frozen=True, slots=True)
class OpenEnd:
    """An order, or a run, of which it is not known that it has ended."""

    run_id: UUID
    says: str


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account as its records show it."""

    account: str
    broker_account: str
    """The broker's own id; empty before the first run."""
    environment: str
    worth: Worth | None
    """After the last run that read the account; None if none did."""
    worth_at: datetime | None
    cash: Decimal | None
    outside: Decimal | None
    """USD of the equity that is neither cash nor in a book: holdings that are not managed, and what the books miss."""
    day: Gain | None
    """Since the session before."""
    week: Gain | None
    """Since seven days before."""
    whole: Gain | None
    """Since before the first run."""
    holdings: tuple[Holding, ...]
    authority: Authority | None
    switch: TradingStateRecord | None
    """None if nobody ever changed it: the account trades."""
    last_run: RunSummary | None
    verdict: VerdictView | None
    """The newest, where two pipelines run."""
    days_alike: int
    """Trading days in a row on which both pipelines decided alike; 0 where only one runs."""
    unfinished: tuple[OpenEnd, ...]
    run_needs: tuple[str, ...]
    """What the last run leaves to a person."""
    needs: tuple[str, ...]
    """What else needs a hand, the most urgent first."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Everything that needs a hand."""
        return (*self.run_needs, *self.needs)

    @property
    def targets(self) -> dict[str, float]:
        """The last run's, fractions of equity by symbol."""
        return {item.symbol: item.target for item in self.holdings if item.target is not None}

    @property
    def trading(self) -> TradingState:
        """What the account may do."""
        return TradingState.ACTIVE if self.switch is None else self.switch.state


def account_status(records: AccountRecords, environment: str, now: datetime | None, zone: tzinfo) -> AccountStatus:
    """How the account stands at `now`, aware UTC; None where nobody knows it, as on an exchange of made-up time.

    Days are the zone's.
    """
    curve, binding = records.curve, records.binding
    reported = _newest_with_account(records.runs)
    last = records.runs[0] if records.runs else None
    verdict = VerdictView.of(records.parities[0]) if records.parities else None
    unfinished = tuple(_unfinished(records))
    worth = curve[-1] if curve else None
    return AccountStatus(
        account=records.alias,
        broker_account="" if binding is None else binding.account_id,
        environment=environment if binding is None or not binding.environment else binding.environment,
        worth=worth,
        worth_at=None if reported is None or worth is None else _ended(reported),
        cash=records.equity[-1].cash if records.equity else None,
        outside=_outside(records),
        day=gain(curve[-2:]),
        week=None if worth is None else gain_since(curve, worth.day - timedelta(days=7)),
        whole=gain(curve),
        holdings=_holdings(records, reported),
        authority=records.authority,
        switch=records.switch,
        last_run=last,
        verdict=verdict,
        days_alike=days_alike(records.parities, records.runs, zone) if records.parities else 0,
        unfinished=unfinished,
        run_needs=() if last is None else tuple(_of_run(last, records)),
        needs=tuple(_needs(records, last, verdict, unfinished, now)),
    )


def _outside(records: AccountRecords) -> Decimal | None:
    if not records.equity:
        return None
    last = records.equity[-1]
    return last.equity - last.cash - sum((item.market_value for item in last.strategies), Decimal(0))


def _newest_with_account(runs: Sequence[RunSummary]) -> ExecutionReport | None:
    reports = (run.report for run in runs)
    return next((report for report in reports if report is not None and report.account_after is not None), None)


def _ended(report: ExecutionReport) -> datetime | None:
    return max((stage.finished for stage in report.trace), default=None)


def _holdings(records: AccountRecords, report: ExecutionReport | None) -> tuple[Holding, ...]:
    """What is held or was wanted, the largest first."""
    held = shares_held(records.books)
    told = {} if report is None else {item.symbol: item for item in report.residuals}
    found = []
    for symbol in held.keys() | told.keys():
        said = told.get(symbol)
        shares = held.get(symbol, Decimal(0))
        if said is None:
            found.append(Holding(symbol, shares, None, None))
        elif shares or said.actual or said.target:
            found.append(Holding(symbol, shares, said.actual, said.target))
    return tuple(sorted(found, key=lambda item: (-(item.weight or 0.0), item.symbol)))


def _unfinished(records: AccountRecords) -> Iterator[OpenEnd]:
    lease = records.lease
    if lease is not None and lease.unfinished_run is not None:
        until = f" until {lease.unfinished_until:%Y-%m-%d %H:%M}Z" if lease.unfinished_until is not None else ""
        yield OpenEnd(lease.unfinished_run, f"run {str(lease.unfinished_run)[:8]} has not ended; it may trade{until}")
    for loose in records.loose:
        for order in loose.orders:
            known = f", {order.filled} known to be filled" if order.filled else ""
            says = f"{order.side.value} {order.quantity} {order.symbol} may be open{known}: {order.reason}"
            yield OpenEnd(loose.run_id, says)


def _needs(
    records: AccountRecords,
    last: RunSummary | None,
    verdict: VerdictView | None,
    unfinished: Sequence[OpenEnd],
    now: datetime | None,
) -> Iterator[str]:
    """What needs a hand beside the last run, the most urgent first."""
    switch = records.switch
    if switch is not None and switch.state is not TradingState.ACTIVE:
        yield f"trading is {switch.state.value} since {switch.at:%Y-%m-%d %H:%M}Z, by {switch.who}: {switch.reason}"
    if records.authority is None:
        yield "no pipeline may trade the account; `alchemiser authority --set` gives it to one"
    if last is None:
        yield "the account has never been run"
    else:
        silent = timedelta(0) if now is None else now - scheduled_time(last.cycle_id)
        if silent > _SILENT:
            yield f"no run for {silent.days} days: the last was due {scheduled_time(last.cycle_id):%Y-%m-%d %H:%M}Z"
    yield from (end.says for end in unfinished)
    if verdict is not None and verdict.broken:
        yield f"cycle {verdict.cycle_id} is {verdict.verdict.value}: {verdict.line}"
    for blocked in records.followed.blocked if records.followed is not None else ():
        yield f"{blocked.symbol} is not traded: {blocked.reason}"


def _of_run(run: RunSummary, records: AccountRecords) -> Iterator[str]:
    status = run.known_status
    unfinished = records.lease is not None and records.lease.unfinished_run == run.run_id
    if status is not None and status.final and status not in _WELL:
        yield f"the last run is {status.value}: {run.reason or 'no reason is on record'}"
    elif status is not None and not status.final and not unfinished:
        yield f"the last run stands at {status.value}"
