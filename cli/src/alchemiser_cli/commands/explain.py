"""`alchemiser explain`: a decision as a readable tree."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.console import note, out
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.options import AsJson, AsOf, Since, Without
from alchemiser_cli.price_file import price_file, read_prices
from alchemiser_cli.research import Outcome, choose, evaluate, symbols_of
from alchemiser_cli.stored_runs import LATEST, find_run, read_detail
from alchemiser_cli.views import signals_tree
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.decision import Signal
from alchemiser_strategy.engine.explain import targets
from alchemiser_strategy.rules import rules_of

app = typer.Typer()


@app.command()
def explain(
    strategy: Annotated[
        list[str] | None, typer.Option(help="Only this strategy (with --data also a symphony file); repeatable.")
    ] = None,
    run: Annotated[
        str, typer.Option(help="Explain this run's decision: its id, the beginning of it, or `last`.")
    ] = LATEST,
    data: Annotated[Path | None, typer.Option(help="Explain a decision on these daily prices instead.")] = None,
    as_of: AsOf = None,
    since: Since = None,
    without: Without = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Why the strategies decided what they decided: every condition and ranking on the way, with its values.

    `fragile` marks what a move of 0.1 % in one close would have changed, and the tree says what it would have become.
    """
    with command(as_json=as_json) as context:
        names = strategy or []
        left_out: list[str] = []
        if data is None:
            day, signals = _of_run(context.or_demo(), run, names)
        else:
            shares = choose(context.settings.strategies, names)
            file = price_file(
                read_prices(data, context.settings.home),
                symbols_of(shares),
                without or (),
                context.settings.data.carry_gaps,
            )
            left_out = sorted(file.without)
            for remark in file.remarks:
                note(remark)
            bars = file.bars(symbols_of(shares), as_of.date() if as_of else None)
            outcomes = evaluate(shares, bars, since.date() if since else None)
            day, signals = bars.dates[-1].isoformat(), [_signal(outcome) for outcome in outcomes]
        context.emit(
            {"as_of": day, "without": left_out, "signals": [signal.model_dump(mode="json") for signal in signals]},
            lambda: out.print(signals_tree(day, signals)),
        )


def _signal(outcome: Outcome) -> Signal:
    result = outcome.result
    return Signal(
        strategy=outcome.share.strategy.name,
        allocation=outcome.share.fraction,
        status=result.status,
        weights=targets(result.weights),
        explanation=result.explanation,
        rules=rules_of(outcome.share.strategy),
    )


def _of_run(context: CommandContext, run: str, names: Sequence[str]) -> tuple[str, list[Signal]]:
    summary = find_run(context.state, context.account, run)
    decision = read_detail(context.state, context.archive, summary).decision
    if decision is None:
        raise InvalidSettings(f"run {summary.run_id} came to no decision: {summary.reason or summary.status}")
    there = [signal.strategy for signal in decision.signals]
    for name in names:
        if name not in there:
            raise InvalidSettings(f"run {summary.run_id} has no strategy {name!r}; it has {', '.join(there)}")
    return decision.as_of.isoformat(), [item for item in decision.signals if not names or item.strategy in names]
