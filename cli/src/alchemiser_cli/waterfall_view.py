"""A run's waterfall in the terminal and as JSON: the same figures. Pure: values in, renderables out."""

from datetime import datetime, timedelta

from rich.bar import Bar
from rich.console import Group
from rich.table import Table
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.console import plain_table
from alchemiser_cli.views import status_text
from alchemiser_common.messages.base import Stage
from alchemiser_common.settings import LatencySettings
from alchemiser_readmodel.waterfall import Span, Waterfall

_WIDTH = 40


def waterfall_view(run: Waterfall, budget: LatencySettings) -> Group:
    """Each stretch below the one before it, then the budget, then where the run ended."""
    return Group(
        Text.assemble(
            ("run ", "dim"),
            str(run.run.run_id),
            ("  pipeline ", "dim"),
            run.run.pipeline.value,
            "  ",
            status_text(run.status.value),
        ),
        Text.assemble(("scheduled ", "dim"), formats.moment(run.run.scheduled_at)),
        Text(),
        _spans(run, budget) if run.spans else Text("no stage left a time", style="dim"),
        Text(),
        _budget(run, budget),
        Text(),
        Text(_orders(run)),
        Text(_standing(run)),
    )


def waterfall_json(run: Waterfall, budget: LatencySettings) -> dict[str, object]:
    """The same for `--json`: times as ISO 8601 in UTC, lengths in seconds, parts of the budget as fractions."""
    took = run.latency.to_last_order
    return {
        "run_id": str(run.run.run_id),
        "cycle_id": run.run.cycle_id,
        "pipeline": run.run.pipeline.value,
        "status": run.status.value,
        "reason": run.reason,
        "ended": run.status.final,
        "stage": run.stage.value,
        "at": run.at.isoformat(),
        "scheduled_at": run.run.scheduled_at.isoformat(),
        "first_order": _iso(run.orders.first),
        "last_order": _iso(run.orders.last),
        "last_fill": _iso(run.orders.last_fill),
        "spans": spans_rows(run, budget),
        "budget": {
            "seconds": budget.budget_seconds,
            "to_last_order": None if took is None else took.total_seconds(),
            "stages": [
                {
                    "stage": stage.value,
                    "seconds": run.latency.stages[stage].total_seconds() if stage in run.latency.stages else None,
                    "limit": budget.allowed(stage).total_seconds(),
                }
                for stage in Stage
            ],
            "breaks": list(run.latency.breaks),
        },
    }


def spans_rows(run: Waterfall, budget: LatencySettings) -> list[dict[str, object]]:
    """Its stretches alone, for `--csv`."""
    return [
        {
            "stage": span.stage.value,
            "part": span.stretch.value,
            "started": span.started.isoformat(),
            "finished": span.finished.isoformat(),
            "seconds": span.took.total_seconds(),
            "of_budget": _of_budget(span, budget),
        }
        for span in run.spans
    ]


def _spans(run: Waterfall, budget: LatencySettings) -> Table:
    table = plain_table("stage", "part", "after", "took", "of budget", "", least=("", "part"))
    whole = (run.spans[-1].finished - run.run.scheduled_at).total_seconds() or 1.0
    for span in run.spans:
        begin, end = (_after(run, moment).total_seconds() for moment in (span.started, span.finished))
        table.add_row(
            span.stage.value,
            span.stretch.value,
            formats.seconds(begin),
            formats.seconds(span.took.total_seconds()),
            formats.percent(_of_budget(span, budget), 1),
            Bar(whole, begin, end, width=_WIDTH),
        )
    return table


def _budget(run: Waterfall, budget: LatencySettings) -> Table:
    table = plain_table("budget", "took", "limit", "used", "")
    for stage in Stage:
        _add(table, stage.value, run.latency.stages.get(stage), budget.allowed(stage))
    _add(table, "to last order", run.latency.to_last_order, timedelta(seconds=budget.budget_seconds))
    return table


def _add(table: Table, name: str, took: timedelta | None, limit: timedelta) -> None:
    over = took is not None and took > limit
    table.add_row(
        name,
        formats.DASH if took is None else formats.seconds(took.total_seconds()),
        formats.seconds(limit.total_seconds()),
        formats.percent(None if took is None else took / limit, 0),
        "over" if over else "",
        style="bold red" if over else None,
    )


def _of_budget(span: Span, budget: LatencySettings) -> float | None:
    return span.took.total_seconds() / budget.budget_seconds if span.stretch.budgeted else None


def _orders(run: Waterfall) -> str:
    moments = {"first order": run.orders.first, "last order": run.orders.last, "last fill": run.orders.last_fill}
    told = [
        f"{name} after {formats.seconds(_after(run, moment).total_seconds())}"
        for name, moment in moments.items()
        if moment is not None
    ]
    return ", ".join(told) or "no orders"


def _standing(run: Waterfall) -> str:
    end = "ended in" if run.status.final else "not ended, last heard of in"
    after = formats.seconds(_after(run, run.at).total_seconds())
    why = f": {run.reason}" if run.reason else ""
    return f"{end} {run.stage.value} after {after}, {run.status.value}{why}"


def _after(run: Waterfall, moment: datetime) -> timedelta:
    return moment - run.run.scheduled_at


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
