"""`alchemiser deploy`, `alchemiser rollback`: a stage on AWS, changed one step at a time and taken back in seconds."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from alchemiser_cli.console import Exit, fail, note, out
from alchemiser_cli.context import command
from alchemiser_cli.options import AsJson, StageArgument, Who, Yes, signed

if TYPE_CHECKING:
    from alchemiser_cli.stage.changes import ChangeSet
    from alchemiser_cli.stage.deployment import Deployed
    from alchemiser_cli.stage.rollback import RolledBack

app = typer.Typer()

_ALL = "all"


@app.command()
def deploy(
    stage: StageArgument,
    *,
    phase: Annotated[str | None, typer.Option(help="Rollout phase to be in: the present one or a neighbour.")] = None,
    service: Annotated[
        str, typer.Option(help="Service that gets --tag: monolith, data, strategy, trading or all.")
    ] = _ALL,
    tag: Annotated[str | None, typer.Option(help="Image to deploy, by the git commit it is tagged with.")] = None,
    parameter: Annotated[list[str] | None, typer.Option(help="NAME=value of a template parameter; repeatable.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would change, and stop.")] = False,
    override: Annotated[
        str | None,
        typer.Option(
            metavar="REASON", help="Step forward in spite of what blocks it, and why; it is kept in the audit trail."
        ),
    ] = None,
    who: Who = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Bring a stage to this checkout's template, and optionally to another phase or image.

    Shows the changes and asks. Every function that changes is tried beside what is live, with its new settings, before
    anything moves: it starts, and whatever decides does so on the stage's last snapshot. Says what was decided, by
    strategy, and what differs. Refused while a run is in progress, past a neighbouring phase, while authority and phase
    disagree, and where something blocks the step forward (`alchemiser phase check`). What was not named stays as it is
    deployed.

    Exit codes: 0 done or nothing to do, 1 refused or failed (the output says what is in place), 2 wrong arguments or
    settings, 3 AWS out of reach.
    """
    with command(as_json=as_json) as context:
        from alchemiser_cli.stage import deployment
        from alchemiser_cli.stage.names import SERVICES

        if service != _ALL and tag is None:
            raise typer.BadParameter(f"--service {service} needs --tag")
        services = SERVICES if service == _ALL else (service,)
        images = {} if tag is None else dict.fromkeys(services, tag)
        answered = None if override is None else signed(who, override, refusal="--override needs a reason")
        request = deployment.DeployRequest(phase, images, _pairs(parameter or []), only_plan=plan, override=answered)
        done = deployment.deploy(context.stage(stage), request, partial(_confirm, plan=plan, yes=yes))
        context.emit(_as_json(stage, done), lambda: out.print(_sentence(stage, done)))
        if done.changes and not done.carried_out and not plan:
            raise typer.Exit(Exit.FAILED)


@app.command()
def rollback(
    stage: StageArgument,
    service: Annotated[str, typer.Argument(help="monolith, data, strategy or trading.")],
    *,
    tag: Annotated[
        str | None, typer.Option(help="Go to this build; by default to the one before the live one.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put an earlier build of one service live again.

    With it come the allocations and other portfolio parameters that were live with it, and the universe of its
    strategies. The earlier version is asked first, then the alias `live` goes to it, which takes seconds; then the
    stack is deployed with that build and those parameters, so that it says the same. Interrupted, the same command
    goes on.
    Refused while a run is in progress: halt the account first (`alchemiser halt`).
    """
    with command(as_json=as_json) as context:
        from alchemiser_cli.stage.rollback import roll_back

        done = roll_back(context.stage(stage), service, tag, partial(_confirm, plan=False, yes=yes))
        summary = {"service": service, "left": done.left, "tag": done.image.tag, "digest": done.image.digest}
        context.emit(
            {**summary, "at_once": done.at_once, "stack": _as_json(stage, done.stack)},
            lambda: _print_rollback(stage, done),
        )
        if done.stack.changes and not done.stack.carried_out:
            raise typer.Exit(Exit.FAILED)


def _confirm(change: "ChangeSet", *, plan: bool, yes: bool) -> bool:
    """Show the changes; ask unless told not to."""
    for item in change.changes:
        note(f"  {item}")
    note(f"{len(change.changes)} changes to stack {change.stack}")
    if plan:
        return False
    if yes:
        return True
    if not sys.stdin.isatty():
        raise fail(
            "the changes must be confirmed, and standard input is not a terminal: give --yes to carry them out, or "
            "--plan to only show them",
            Exit.USAGE,
        )
    return typer.confirm("Carry them out?", err=True)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"--parameter has {len(text)} characters and no '='; write NAME=value")
        pairs[name] = value
    return pairs


def _print_rollback(stage: str, done: "RolledBack") -> None:
    out.print(f"{done.service}: {done.image.tag} is live again, {done.left} was left")
    out.print(_sentence(stage, done.stack))


def _sentence(stage: str, done: "Deployed") -> str:
    if not done.changes:
        return f"stage {stage} is as it should be, in phase {done.phase}: nothing to change"
    if not done.carried_out:
        return f"stage {stage}: nothing was changed"
    images = ", ".join(f"{image.service} {image.tag}" for image in done.images) or "the same images"
    return f"stage {stage} is in phase {done.phase} with {images}: {len(done.changes)} changes carried out"


def _as_json(stage: str, done: "Deployed") -> dict[str, object]:
    return {
        "stage": stage,
        "phase": done.phase,
        "carried_out": done.carried_out,
        "images": [{"service": item.service, "tag": item.tag, "digest": item.digest} for item in done.images],
        "strategies": [item.model_dump(mode="json") for item in done.strategies],
        "decisions": {service: item.content_hash() for service, item in done.decisions.items()},
        "changes": [
            {"action": item.action, "name": item.name, "type": item.kind, "replacement": item.replacement}
            for item in done.changes
        ],
    }
