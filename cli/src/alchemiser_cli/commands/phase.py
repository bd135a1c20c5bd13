"""`alchemiser phase`: where a stage's rollout stands, and what the next step takes. Changes nothing."""

import json
import shlex
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from alchemiser_cli.console import Exit, out, reported_errors
from alchemiser_cli.deployment import Deployment, open_deployment
from alchemiser_cli.history import RunSummary, list_runs, summary_json
from alchemiser_cli.records import open_settings
from alchemiser_cli.rollout import Facts, PhasePlan, RolloutPhase, blockers, plan
from alchemiser_common import keys
from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.state import StateStore, load

app = typer.Typer(help="See where a stage's rollout stands, and plan its next step.", no_args_is_help=True)

Stage = Annotated[str, typer.Option("--stage", help="dev, staging or prod; its stack is alchemiser-<stage>.")]
Cycles = Annotated[int, typer.Option(help="Cycles in a row that must have been decided alike before cutover.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def status(stage: Stage, cycles: Cycles = 10, *, as_json: AsJson = False) -> None:
    """Show phase, authority, the last runs of both pipelines, and what blocks the next step.

    Exit code 0 even if something blocks: it is a report. Region and credentials are those of the AWS environment;
    ALCHEMISER_AWS__REGION names the region.
    """
    with reported_errors():
        facts = read_facts(open_deployment(stage, open_settings().aws))
        steps = {target: blockers(facts, target, cycles=cycles) for target in facts.phase.neighbours}
        if as_json:
            out.print_json(json.dumps(_status_json(facts, steps)))
            return
        table = Table(box=None, show_header=False)
        table.add_row("phase", f"[bold]{facts.phase.value}[/], which lets {facts.phase.trader.value} trade")
        table.add_row("authority", facts.authority.value if facts.authority else "[bold red]nobody[/]")
        table.add_row("trading", facts.trading)
        for pipeline in Pipeline:
            table.add_row(f"last {pipeline.value} run", _line(facts.last(pipeline)))
        table.add_row("decided alike", f"{facts.parity_streak} cycles in a row")
        table.add_row("dead letters", str(facts.dead_letters))
        table.add_row("alarms", ", ".join(facts.alarms) or "none firing")
        for target, found in steps.items():
            table.add_row(f"to {target.value}", "; ".join(found) or "nothing blocks it")
        out.print(table)


@app.command(name="plan")
def plan_step(
    to: Annotated[RolloutPhase, typer.Argument(help="The phase to go to, one step away, in either direction.")],
    stage: Stage,
    cycles: Cycles = 10,
    *,
    as_json: AsJson = False,
) -> None:
    """Print the commands and checks of one step of the rollout. Changes nothing.

    Exit code 1 if something blocks the step, 2 if the phase is not one step away.
    """
    with reported_errors():
        step = plan(read_facts(open_deployment(stage, open_settings().aws)), to, cycles=cycles)
        if as_json:
            out.print_json(json.dumps(_plan_json(step)))
        else:
            out.print(f"{step.start.value} to {step.target.value}")
            for blocker in step.blockers:
                out.print(f"  [bold red]blocked:[/] {blocker}", soft_wrap=True)
            for number, command in enumerate(step.steps, 1):
                out.print(f"  {number}. {command}", soft_wrap=True, highlight=False, markup=False)
        if step.blockers:
            raise typer.Exit(Exit.FAILED)


@app.command()
def env(stage: Stage) -> None:
    """Print a stage's settings as shell commands: eval "$(alchemiser phase env --stage dev)".

    After that the other commands (runs, show, halt, authority, reconcile …) work on that stage.
    """
    with reported_errors():
        for name, value in sorted(open_deployment(stage, open_settings().aws).variables().items()):
            typer.echo(f"export {name}={shlex.quote(value)}")


def read_facts(deployment: Deployment) -> Facts:
    """What is known of the deployment now. Raises InvalidSettings or StoreUnavailable."""
    from alchemiser_common.aws.adapters import AwsAdapters
    from alchemiser_trading.authority import read_authority
    from alchemiser_trading.switch import trading_state

    settings = deployment.settings()
    store, alias = AwsAdapters(settings).state(), settings.account_alias
    authority = read_authority(store, alias)
    return Facts(
        stage=deployment.stage,
        phase=deployment.phase,
        authority=authority.pipeline if authority else None,
        run_in_progress=run_in_progress(store, alias, datetime.now(UTC)),
        trading=trading_state(store, alias).value,
        runs=list_runs(store, alias, limit=60),
        dead_letters=sum(deployment.dead_letters().values()),
        alarms=deployment.firing(),
    )


def run_in_progress(store: StateStore, alias: str, now: datetime) -> str:
    """Why nothing may change now; empty if no worker has the account and no run is unfinished."""
    from alchemiser_trading.lease import LeaseRecord

    known = load(store, keys.lease_record(alias), LeaseRecord)
    if known is None:
        return ""
    if known.value.unfinished_run is not None:
        return f"run {known.value.unfinished_run} has not ended; docs/runbooks/stuck-run.md"
    return (
        f"{known.value.owner} works on account {alias} until {known.value.expires_at}" if known.value.held(now) else ""
    )


def _line(run: RunSummary | None) -> str:
    return "none" if run is None else f"{run.cycle_id} {run.status} {run.reason}".rstrip()


def _status_json(facts: Facts, steps: dict[RolloutPhase, list[str]]) -> dict[str, object]:
    last = {pipeline.value: facts.last(pipeline) for pipeline in Pipeline}
    return {
        "stage": facts.stage,
        "phase": facts.phase.value,
        "authority": facts.authority.value if facts.authority else None,
        "trading": facts.trading,
        "last_runs": {name: summary_json(run) if run else None for name, run in last.items()},
        "parity_streak": facts.parity_streak,
        "dead_letters": facts.dead_letters,
        "alarms": list(facts.alarms),
        "blockers": {target.value: found for target, found in steps.items()},
    }


def _plan_json(step: PhasePlan) -> dict[str, object]:
    return {
        "from": step.start.value,
        "to": step.target.value,
        "blockers": list(step.blockers),
        "steps": list(step.steps),
    }
