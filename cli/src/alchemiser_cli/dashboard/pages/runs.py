"""Runs: the list, newest first, a piece at a time, by text and status."""

from dataclasses import dataclass
from datetime import datetime

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.stored_runs import runs_before
from alchemiser_common.ids import scheduled_time
from alchemiser_common.messages.report import RunStatus
from alchemiser_readmodel.run_search import matches
from alchemiser_readmodel.runs import RunSummary

A_PAGE = 40
_LOOKED_THROUGH = 80
"""Runs that one search reads; it goes on from there when asked."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One line of the list."""

    run: RunSummary
    due: datetime


def runs(source: Source, asked: Asked) -> Page:
    """`q`: words to find; `status`; `before`: the place in the list that all shown precede."""
    text, status, before = (asked.get(name, "").strip() for name in ("q", "status", "before"))
    searches = bool(text or status)
    most = _LOOKED_THROUGH if searches else A_PAGE
    read = runs_before(source.open_state(), source.account, before=before, limit=most)
    found = [run for _, run in read if matches(run, text, status)]
    return Page(
        "runs.html",
        "Runs",
        {
            "lines": run_lines(found),
            "query": text,
            "status": status,
            "statuses": [each.value for each in RunStatus if each.reported is each],
            "searches": searches,
            "read": len(read),
            "before": before,
            "older": read[-1][0] if len(read) == most else "",
        },
    )


def run_lines(found: list[RunSummary]) -> list[RunLine]:
    """Each with the time it was due."""
    return [RunLine(run, scheduled_time(run.cycle_id)) for run in found]
