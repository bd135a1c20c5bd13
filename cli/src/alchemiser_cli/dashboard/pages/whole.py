"""Today, performance and the newest runs with their reasons on one page: to keep, to print, to send."""

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.pages.performance import earned
from alchemiser_cli.dashboard.pages.runs import run_lines
from alchemiser_cli.dashboard.pages.today import today
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.stored_account import newest_plans
from alchemiser_cli.stored_runs import decision_of, list_runs

_RUNS = 30
_EXPLAINED = 10
"""Runs of which the reasons are there."""


def whole(source: Source, asked: Asked) -> Page:
    """`from` and `to` as on the page of performance."""
    state, archive = source.open_state(), source.open_archive()
    now, performance = today(source, {}), earned(source, asked)
    plans = newest_plans(state, source.account, runs=_EXPLAINED)[::-1]
    decisions = [(plan, decision_of(archive, plan.run_id, plan.session)) for plan in plans]
    return Page(
        "whole.html",
        f"Account {source.account}",
        {
            **now.values,
            **performance.values,
            "lines": run_lines(list_runs(state, source.account, limit=_RUNS)),
            "decisions": [(plan, decision) for plan, decision in decisions if decision is not None],
        },
        days=performance.days,
        figures=performance.figures,
    )
