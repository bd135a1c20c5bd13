"""`alchemiser phase`: where a stage's rollout stands, and what the next step takes. Changes nothing."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from alchemiser_cli.console import Exit, out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson, StageOption
from alchemiser_common.ids import Pipeline

if TYPE_CHECKING:
    from alchemiser_cli.stage.gate import Blocker, RolloutState
    from alchemiser_cli.stage.rollout import PhasePlan
    from alchemiser_readmodel.runs import RunSummary

app = typer.Typer(help="See where a stage's rollout stands, and plan its next step.", no_args_is_help=True)

_KEYS = {
    "own": "its own; whether it can trade, doctor asks the broker",
    "shared": "[bold red]the one that trades[/]: one of three barriers is absent",
}

type Found = Mapping[str, Sequence["Blocker"]]
"""What blocks the step to each neighbouring phase."""


@app.command()
def status(stage: StageOption, *, as_json: AsJson = False) -> None:
    """Show phase, authority, the last runs of both pipelines, and what blocks the next step.

    Exit code 0 even if something blocks: it is a report.
    """
    with command(as_json=as_json) as context:
        from alchemiser_cli.stage.gate import blockers
        from alchemiser_cli.stage.rollout import neighbours
        from alchemiser_cli.stage.rollout_state import read_rollout_state

        state = read_rollout_state(context.stage(stage))
        found = {target: blockers(state, target) for target in neighbours(state.phase)}
        context.emit(_as_json(state, found), lambda: _print_status(state, found), indent=2)


@app.command(name="plan")
def plan_step(
    to: Annotated[str, typer.Argument(help="The phase to go to, one step away, in either direction.")],
    stage: StageOption,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the commands and checks of one step of the rollout. Changes nothing.

    Exit code 1 if something blocks the step, 2 if the phase is not one step away.
    """
    with command(as_json=as_json) as context:
        from alchemiser_cli.stage.rollout import plan
        from alchemiser_cli.stage.rollout_state import read_rollout_state

        step = plan(read_rollout_state(context.stage(stage)), to)
        data = {"from": step.start, "to": step.target, "blockers": _said(step.blockers), "steps": list(step.steps)}
        context.emit(data, lambda: _print_plan(step), indent=2)
        if step.blockers:
            raise typer.Exit(Exit.FAILED)


@app.command()
def check(stage: StageOption, *, as_json: AsJson = False) -> None:
    """Say whether the gate to the next phase is open. Changes nothing; `deploy` asks the same.

    Exit code 1 if something blocks the step.
    """
    with command(as_json=as_json) as context:
        from alchemiser_cli.stage.gate import blockers
        from alchemiser_cli.stage.rollout import next_phase
        from alchemiser_cli.stage.rollout_state import read_rollout_state

        state = read_rollout_state(context.stage(stage))
        target = next_phase(state.phase)
        if target is None:
            context.emit({"from": state.phase, "to": None}, lambda: out.print(f"{state.phase} is the last phase"))
            return
        found = blockers(state, target)
        data = {"from": state.phase, "to": target, "open": not found, "blockers": _said(found)}
        context.emit(data, lambda: _print_check(state, target, found), indent=2)
        if found:
            raise typer.Exit(Exit.FAILED)


def _said(found: "Sequence[Blocker]") -> list[dict[str, object]]:
    return [{"says": blocker.says, "final": blocker.final} for blocker in found]


def _print_check(state: "RolloutState", target: str, found: "Sequence[Blocker]") -> None:
    out.print(f"{state.phase} to {target}: {'blocked' if found else 'open'}")
    for blocker in found:
        way = "no override goes past it" if blocker.final else "or --override REASON"
        out.print(f"  [bold red]blocked:[/] {escape(str(blocker))} ({way})", soft_wrap=True)


def _as_json(state: "RolloutState", found: "Found") -> dict[str, object]:
    from alchemiser_cli.stored_runs import summary_json

    last = {pipeline.value: state.last(pipeline) for pipeline in Pipeline}
    return {
        "stage": state.stage,
        "phase": state.phase,
        "authority": state.authority.value if state.authority else None,
        "trading": state.trading,
        "last_runs": {name: summary_json(run) if run else None for name, run in last.items()},
        "days_alike": state.days_in_a_row(),
        "shadow_key": state.shadow_key.value,
        "dead_letters": state.dead_letters,
        "alarms": list(state.alarms),
        "blockers": {target: _said(reasons) for target, reasons in found.items()},
    }


def _print_status(state: "RolloutState", found: "Found") -> None:
    from alchemiser_cli.stage.guards import trader_of

    table = Table(box=None, show_header=False)
    table.add_row("phase", f"[bold]{state.phase}[/], which lets {trader_of(state.phase).value} trade")
    table.add_row("authority", state.authority.value if state.authority else "[bold red]nobody[/]")
    table.add_row("trading", state.trading)
    for pipeline in Pipeline:
        table.add_row(f"last {pipeline.value} run", escape(_line(state.last(pipeline))))
    table.add_row("decided alike", f"{state.days_in_a_row()} trading days in a row, {state.days_alike} before cutover")
    table.add_row("shadow's key", _KEYS[state.shadow_key.value])
    table.add_row("dead letters", str(state.dead_letters))
    table.add_row("alarms", ", ".join(state.alarms) or "none firing")
    for target, reasons in found.items():
        table.add_row(f"to {target}", escape("; ".join(map(str, reasons))) or "nothing blocks it")
    out.print(table)


def _line(run: "RunSummary | None") -> str:
    return "none" if run is None else f"{run.cycle_id} {run.status} {run.reason}".rstrip()


def _print_plan(step: "PhasePlan") -> None:
    out.print(f"{step.start} to {step.target}")
    for blocker in step.blockers:
        out.print(f"  [bold red]blocked:[/] {escape(str(blocker))}", soft_wrap=True)
    for number, line in enumerate(step.steps, 1):
        out.print(f"  {number}. {line}", soft_wrap=True, highlight=False, markup=False)
