"""What a person is told of a run that has ended: one message, the same text wherever it is sent from. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.notice import Notice, Urgency
from alchemiser_common.messages.report import LegReport, RunStatus
from alchemiser_common.records.parity import Verdict
from alchemiser_common.text import and_more
from alchemiser_readmodel.performance import Gain, Worth

_MOST_LEGS = 12
_WELL = frozenset({RunStatus.COMPLETED, RunStatus.SKIPPED, RunStatus.SHADOWED})


@dataclass(frozen=True, slots=True)
class RunNews:
    """What there is to say of a run that has ended."""

    account: str
    environment: str
    run_id: UUID
    cycle_id: str
    pipeline: str
    status: RunStatus
    reason: str = ""
    worth: Worth | None = None
    """After it; None if the account could not be read."""
    day: Gain | None = None
    whole: Gain | None = None
    legs: Sequence[LegReport] = ()
    verdict: Verdict | None = None
    """Of its cycle, where two pipelines run and it is made."""
    needs: Sequence[str] = ()
    """What needs a hand, beside the run."""


def notice_of(news: RunNews) -> Notice:
    """The message: how it ended and what was earned on top, then what was traded, and what needs a hand."""
    earned = "" if news.day is None else f", {_gain(news.day)}"
    title = f"{news.account} ({news.environment}): {news.status.value}{earned}"
    return Notice(title, "\n".join(_lines(news)), _urgency(news))


def trouble(account: str, environment: str, run: UUID, what: str, due: datetime) -> Notice:
    """A cycle that is missed or stuck, as `what` says."""
    body = (
        f"run {str(run)[:8]} was due {due:%Y-%m-%d %H:%M} UTC and is {what}. A missed cycle is not caught up: the next "
        "session's is. Look at `alchemiser status`."
    )
    return Notice(f"{account} ({environment}): {what}", body, Urgency.FAILURE)


def _urgency(news: RunNews) -> Urgency:
    if news.status in {RunStatus.FAILED, RunStatus.HALTED, RunStatus.EXPIRED}:
        return Urgency.FAILURE
    broken = news.verdict is not None and news.verdict.broken
    return Urgency.WARNING if broken or news.needs or news.status not in _WELL else Urgency.INFO


def _lines(news: RunNews) -> Iterator[str]:
    due = scheduled_time(news.cycle_id)
    yield f"{news.pipeline} run {str(news.run_id)[:8]} of {due:%Y-%m-%d %H:%M} UTC: {news.status.value}"
    if news.reason:
        yield f"why: {news.reason}"
    for needed in news.needs:
        yield f"needs a hand: {needed}"
    if news.verdict is not None:
        yield f"both pipelines: {news.verdict.value}"
    if news.worth is not None:
        yield f"equity: {news.worth.equity:,.2f} USD"
    if news.whole is not None:
        yield f"since {news.whole.since}: {_gain(news.whole)}"
    traded = [_leg(leg) for leg in news.legs]
    yield from and_more(traded, _MOST_LEGS) if traded else ("nothing was traded",)
    yield f"more: alchemiser show {str(news.run_id)[:8]}"


def _gain(gain: Gain) -> str:
    fraction = "" if gain.fraction is None else f" ({float(gain.fraction):+.2%})"
    return f"{gain.profit:+,.2f} USD{fraction}"


def _leg(leg: LegReport) -> str:
    price = "" if leg.average_price is None else f" at {leg.average_price:,.4f}"
    lacking = "" if leg.filled == leg.intended else f" of {leg.intended:f}: {leg.status.value}, {leg.reason}"
    return f"{leg.side.value} {leg.filled:f} {leg.symbol}{price}{lacking}"
