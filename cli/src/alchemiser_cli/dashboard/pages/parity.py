"""Parity and rollout: who trades, how long both pipelines have decided alike, and each verdict with its evidence."""

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.stored_runs import list_parities, list_runs, one_of
from alchemiser_common import keys
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.authority import Authority
from alchemiser_readmodel.verdicts import VerdictView, days_alike

_RUNS = 60
"""Both pipelines' of thirty days."""


def parity(source: Source, asked: Asked) -> Page:
    """Of the newest runs' cycles."""
    del asked
    state = source.open_state()
    runs = list_runs(state, source.account, limit=_RUNS)
    verdicts = list_parities(state, source.account, runs)
    return Page(
        "parity.html",
        "Parity and rollout",
        {
            "authority": one_of(state, keys.authority_record(source.account), Authority),
            "pipelines": sorted({run.pipeline for run in runs if run.pipeline}),
            "alike": days_alike(verdicts, runs, EXCHANGE_ZONE) if verdicts else 0,
            "verdicts": [VerdictView.of(item) for item in verdicts],
        },
    )
