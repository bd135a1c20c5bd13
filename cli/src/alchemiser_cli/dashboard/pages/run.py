"""One run: why, what was planned, each order's steps and prices, where its time went, its report, who was told."""

from dataclasses import dataclass
from uuid import UUID

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.stored_runs import parity_of, read_detail, read_run, told_of
from alchemiser_common.ids import scheduled_time
from alchemiser_common.settings import LatencySettings
from alchemiser_readmodel.leg_steps import leg_steps
from alchemiser_readmodel.progress import progress
from alchemiser_readmodel.verdicts import VerdictView
from alchemiser_readmodel.waterfall import Waterfall, waterfall

_WHILE_IT_RUNS = 5
"""Seconds."""


class NoSuchRun(LookupError):
    """The address names no run that is stored."""


@dataclass(frozen=True, slots=True)
class Stripe:
    """One stretch of a run's time, drawn: percent of its whole time."""

    stage: str
    part: str
    after: float
    """Seconds from the scheduled time."""
    took: float
    """Seconds."""
    of_budget: float | None
    """A fraction; None of what the budget does not count."""
    begins: float
    width: float


def run(source: Source, asked: Asked) -> Page:
    """Of the run whose id the address has. Raises NoSuchRun."""
    state = source.open_state()
    try:
        known = read_run(state, UUID(asked["run"]))
    except ValueError:
        known = None
    if known is None:
        raise NoSuchRun(asked["run"])
    detail = read_detail(state, source.open_archive(), known)
    seen = None if detail.times is None else waterfall(detail.times, source.settings.latency)
    parity = parity_of(state, known.cycle_id)
    return Page(
        "run.html",
        f"Run of {scheduled_time(known.cycle_id):%Y-%m-%d}",
        {
            "run": known,
            "due": scheduled_time(known.cycle_id),
            "notes": detail.notes,
            "decision": detail.decision,
            "plan": detail.plan,
            "legs": leg_steps(detail.plan, detail.intents, known.report),
            "dry_walk": detail.dry_walk,
            "report": known.report,
            "seen": seen,
            "stages": () if seen is None else progress(seen),
            "stripes": () if seen is None else stripes(seen, source.settings.latency),
            "verdict": None if parity is None else VerdictView.of(parity),
            "told": told_of(state, source.account, known.run_id),
        },
        refresh=None if seen is None or seen.status.final else _WHILE_IT_RUNS,
    )


def stripes(seen: Waterfall, budget: LatencySettings) -> tuple[Stripe, ...]:
    """The run's spans as they are drawn."""
    if not seen.spans:
        return ()
    begun = seen.run.scheduled_at
    whole = (seen.spans[-1].finished - begun).total_seconds() or 1.0
    found = []
    for span in seen.spans:
        after, took = (span.started - begun).total_seconds(), span.took.total_seconds()
        share = took / budget.budget_seconds if span.stretch.budgeted else None
        drawn = round(max(after, 0.0) / whole * 100, 2), round(max(took / whole * 100, 0.5), 2)
        found.append(Stripe(span.stage.value, span.stretch.value, after, took, share, *drawn))
    return tuple(found)
