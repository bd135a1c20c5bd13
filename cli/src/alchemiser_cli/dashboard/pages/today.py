"""Today: what needs a hand, the newest run as a line of stages, worth, holdings against targets, switches."""

from collections.abc import Iterator

from alchemiser_cli import formats
from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.report.facts import Fact, Tone
from alchemiser_cli.stored_account import read_account
from alchemiser_cli.stored_runs import run_times
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_readmodel.performance import Gain
from alchemiser_readmodel.progress import progress
from alchemiser_readmodel.status import AccountStatus, account_status
from alchemiser_readmodel.waterfall import waterfall

_WHILE_IT_RUNS = 5
"""Seconds."""


def today(source: Source, asked: Asked) -> Page:
    """Asked again every few seconds while the run has not ended."""
    del asked
    state = source.open_state()
    records = read_account(state, source.account)
    status = account_status(records, source.settings.environment.value, source.now(), EXCHANGE_ZONE)
    run = status.last_run
    times = None if run is None else run_times(state, run)
    seen = None if times is None else waterfall(times, source.settings.latency)
    runs = seen is not None and not seen.status.final
    return Page(
        "today.html",
        "Today",
        {
            "status": status,
            "tiles": tuple(_tiles(status)),
            "run": run,
            "seen": seen,
            "stages": () if seen is None else progress(seen),
            "runs_now": runs,
            "last_notes": () if run is None else run.notes,
        },
        refresh=_WHILE_IT_RUNS if runs else None,
    )


def _tiles(status: AccountStatus) -> Iterator[Fact]:
    if status.worth is None:
        return
    when = "" if status.worth_at is None else formats.moment(status.worth_at)
    yield Fact("Equity", formats.money(status.worth.equity), when)
    for name, gain in (("Day", status.day), ("Week", status.week), ("Since start", status.whole)):
        if gain is not None:
            yield gain_fact(name, gain)


def gain_fact(name: str, gain: Gain) -> Fact:
    """A profit with its return; the sign is in the text, too."""
    tone = Tone.GOOD if gain.profit > 0 else Tone.BAD if gain.profit < 0 else Tone.PLAIN
    sign = "+" if gain.profit > 0 else ""
    fraction = "" if gain.fraction is None else f"{formats.percent(float(gain.fraction), signed=True)}, "
    moved = f", {formats.money(gain.transferred)} transferred" if gain.transferred else ""
    return Fact(name, f"{sign}{formats.money(gain.profit)}", f"{fraction}since {gain.since}{moved}", tone)
