"""`alchemiser phase`: where a stage's rollout stands, and what the next step takes. Changes nothing."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from alchemiser_cli.console import Exit, out, reported_errors

if TYPE_CHECKING:
    from alchemiser_cli.history import RunSummary
    from alchemiser_cli.stage.rollout import Facts

app = typer.Typer(help="See where a stage's rollout stands, and plan its next step.", no_args_is_help=True)

StageName = Annotated[str, typer.Option("--stage", help="A stage of deploy/samconfig.toml: dev, staging, prod.")]
Cycles = Annotated[int, typer.Option(help="Cycles in a row that must have been decided alike before cutover.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def status(stage: StageName, cycles: Cycles = 10, *, as_json: AsJson = False) -> None:
    """Show phase, authority, the last runs of both pipelines, and what blocks the next step.

    Exit code 0 even if something blocks: it is a report.
    """
    with reported_errors():
        from alchemiser_cli.stage.guards import trader_of
        from alchemiser_cli.stage.opening import open_stage
        from alchemiser_cli.stage.rollout import blockers, neighbours
        from alchemiser_cli.stage.rollout_state import read_facts
        from alchemiser_common.ids import Pipeline

        facts = read_facts(open_stage(stage))
        steps = {target: blockers(facts, target, cycles=cycles) for target in neighbours(facts.phase)}
        if as_json:
            out.print_json(json.dumps(_as_json(facts, steps)))
            return
        table = Table(box=None, show_header=False)
        table.add_row("phase", f"[bold]{facts.phase}[/], which lets {trader_of(facts.phase).value} trade")
        table.add_row("authority", facts.authority.value if facts.authority else "[bold red]nobody[/]")
        table.add_row("trading", facts.trading)
        for pipeline in Pipeline:
            table.add_row(f"last {pipeline.value} run", _line(facts.last(pipeline)))
        table.add_row("decided alike", f"{facts.parity_streak} cycles in a row")
        table.add_row("dead letters", str(facts.dead_letters))
        table.add_row("alarms", ", ".join(facts.alarms) or "none firing")
        for target, found in steps.items():
            table.add_row(f"to {target}", "; ".join(found) or "nothing blocks it")
        out.print(table)


@app.command(name="plan")
def plan_step(
    to: Annotated[str, typer.Argument(help="The phase to go to, one step away, in either direction.")],
    stage: StageName,
    cycles: Cycles = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the commands and checks of one step of the rollout. Changes nothing.

    Exit code 1 if something blocks the step, 2 if the phase is not one step away.
    """
    with reported_errors():
        from alchemiser_cli.stage.opening import open_stage
        from alchemiser_cli.stage.rollout import plan
        from alchemiser_cli.stage.rollout_state import read_facts

        step = plan(read_facts(open_stage(stage)), to, cycles=cycles)
        if as_json:
            told = {"from": step.start, "to": step.target, "blockers": list(step.blockers), "steps": list(step.steps)}
            out.print_json(json.dumps(told))
        else:
            out.print(f"{step.start} to {step.target}")
            for blocker in step.blockers:
                out.print(f"  [bold red]blocked:[/] {blocker}", soft_wrap=True)
            for number, command in enumerate(step.steps, 1):
                out.print(f"  {number}. {command}", soft_wrap=True, highlight=False, markup=False)
        if step.blockers:
            raise typer.Exit(Exit.FAILED)


def _line(run: "RunSummary | None") -> str:
    return "none" if run is None else f"{run.cycle_id} {run.status} {run.reason}".rstrip()


def _as_json(facts: "Facts", steps: dict[str, list[str]]) -> dict[str, object]:
    from alchemiser_cli.history import summary_json
    from alchemiser_common.ids import Pipeline

    last = {pipeline.value: facts.last(pipeline) for pipeline in Pipeline}
    return {
        "stage": facts.stage,
        "phase": facts.phase,
        "authority": facts.authority.value if facts.authority else None,
        "trading": facts.trading,
        "last_runs": {name: summary_json(run) if run else None for name, run in last.items()},
        "parity_streak": facts.parity_streak,
        "dead_letters": facts.dead_letters,
        "alarms": list(facts.alarms),
        "blockers": steps,
    }
