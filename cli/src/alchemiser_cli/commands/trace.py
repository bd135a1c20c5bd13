"""`alchemiser trace`: where a run's time went, from the stored records alone."""

import typer

from alchemiser_cli.console import out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, RunArgument
from alchemiser_cli.stored_runs import LATEST, find_run, read_detail
from alchemiser_cli.waterfall_view import spans_rows, waterfall_json, waterfall_view
from alchemiser_common.errors import InvalidSettings
from alchemiser_readmodel.waterfall import waterfall

app = typer.Typer()


@app.command()
def trace(run: RunArgument = LATEST, *, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """Draw a run's time: scheduled, data, queue, strategy, queue, trading, to its last order and last fill.

    Beside each its seconds and its part of the latency budget (settings latency.*). A run that did not come to its end
    shows what there is, and where it stands.
    """
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        summary = find_run(context.state, context.account, run)
        detail = read_detail(context.state, context.archive, summary)
        budget = context.settings.latency
        if detail.times is None:
            raise InvalidSettings(f"of run {summary.run_id} nothing is stored but that it began: it has no times")
        seen = waterfall(detail.times, budget)
        context.emit(
            waterfall_json(seen, budget),
            lambda: out.print(waterfall_view(seen, budget)),
            rows=spans_rows(seen, budget),
            indent=2,
        )
