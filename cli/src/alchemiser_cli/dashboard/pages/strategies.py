"""Strategies: what each wants and why, and how that changed over the newest sessions."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.report import charts
from alchemiser_cli.report.allocation import bands
from alchemiser_cli.stored_account import newest_plans
from alchemiser_cli.stored_runs import decision_of
from alchemiser_readmodel.strategy_weights import WantedWeights, strategies_now, wanted

_RUNS = 120
"""Both pipelines' of sixty sessions."""


def strategies(source: Source, asked: Asked) -> Page:
    """`strategy`: only this one's weights, fractions of its capital; otherwise the account's."""
    plans = newest_plans(source.open_state(), source.account, runs=_RUNS)
    if not plans:
        return Page("strategies.html", "Strategies", {"now": (), "chosen": "", "signals": ()})
    plan = plans[-1]
    now = strategies_now(plan)
    chosen = asked.get("strategy", "")
    if chosen not in {each.strategy for each in now}:
        chosen = ""
    over_time = wanted(plans, chosen)
    decision = decision_of(source.open_archive(), plan.run_id, plan.session)
    signals = () if decision is None else decision.signals
    days, figure = _figure(over_time, chosen)
    return Page(
        "strategies.html",
        "Strategies",
        {
            "now": now,
            "chosen": chosen,
            "plan": plan,
            "allocations": {signal.strategy: signal.allocation for signal in signals},
            "signals": tuple(signal for signal in signals if not chosen or signal.strategy == chosen),
        },
        days=days,
        figures=[figure],
    )


def _figure(over_time: Sequence[WantedWeights], chosen: str) -> tuple[Sequence[date], charts.Figure]:
    symbols = sorted({symbol for each in over_time for symbol in each.weights})
    matrix = np.array([[each.weights.get(symbol, 0.0) for symbol in symbols] for each in over_time])
    layers = bands(symbols, matrix.reshape(len(over_time), len(symbols)))
    named = ", ".join(f"{band.name} {band.weights.mean():.0%}" for band in layers)
    whose = f"{chosen} wants" if chosen else "all strategies together want"
    of = "its capital" if chosen else "equity"
    figure = charts.weights(
        layers,
        alt=f"Stacked area chart of target weights. Mean shares of {of}: {named or 'none'}.",
        caption=f"What {whose}, as a share of {of}, over the newest {len(over_time)} sessions.",
    )
    return [each.session for each in over_time], figure
