"""`alchemiser dlq`: messages that were delivered as often as a queue allows and never handled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli import formats
from alchemiser_cli.account_time import account_time
from alchemiser_cli.console import note, out, plain_table
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.dead_letter_summary import summarise
from alchemiser_cli.options import AsCsv, AsJson, Reason, Signature, Who, Yes, signed
from alchemiser_common.errors import AlchemiserError, InvalidSettings
from alchemiser_common.ports.queue import DeadLetter, DeadLetters

app = typer.Typer(no_args_is_help=True, help="Look at dead letters, send them back, or drop them.")

_SHOWN = 2_000
"""Characters of a body on the terminal; `--json` gives all."""

Id = Annotated[str, typer.Argument(metavar="ID", help="The letter's id, or its beginning.")]


@dataclass(frozen=True, slots=True)
class Located:
    """A dead letter and the queue of dead letters that has it."""

    letter: DeadLetter
    queue: DeadLetters


@app.command("list")
def list_dead_letters(*, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the dead letters of both queues, oldest first. Looking takes nothing away."""
    with command(as_json=as_json, as_csv=as_csv) as context:
        letters, now = [item.letter for item in _all(context)], datetime.now(UTC)
        strays = [name for queue in context.adapters.dead_letters() for name in queue.strays()]
        for name in strays:
            note(f"{name} lies among the dead letters and is none, by its name or because it cannot be read")
        rows = [_as_json(letter, now) for letter in letters]
        context.emit(rows, lambda: _print_list(letters, now), rows=rows)


@app.command()
def show(letter: Id, *, as_json: AsJson = False) -> None:
    """Show one dead letter: what it is, whether it can be read, and its text."""
    with command(as_json=as_json) as context:
        found, now = _one(context, letter).letter, datetime.now(UTC)
        context.emit(_as_json(found, now) | {"body": found.body}, lambda: _print_one(found, now))


@app.command()
def redrive(letter: Id, reason: Reason, who: Who = None, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Send one dead letter back to its queue, where it is handled as if it had just come.

    Safe to repeat: a run that has ended places nothing, and a decision past its deadline ends as expired.
    """
    _act(letter, _signed(who, reason, "redrive"), "redrive", yes=yes, as_json=as_json)


@app.command()
def drop(letter: Id, reason: Reason, who: Who = None, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete one dead letter. Its text is put into the archive first, so nothing is lost."""
    _act(letter, _signed(who, reason, "drop"), "drop", yes=yes, as_json=as_json)


def _signed(who: str | None, reason: str, what: str) -> Signature:
    return signed(who, reason, refusal=f"to {what} a letter needs a reason")


def _act(wanted: str, by: Signature, what: str, *, yes: bool, as_json: bool) -> None:
    """Redrive or drop one dead letter, after asking, and put it into the audit trail."""
    with command(as_json=as_json) as context:
        found = _one(context, wanted)
        message_id, queue = found.letter.message_id, found.letter.queue
        if not yes:
            note(f"{message_id} of {queue}: {summarise(found.letter.body).sentence(datetime.now(UTC))}")
            typer.confirm(f"{what} it?", abort=True)
        act = found.queue.redrive if what == "redrive" else found.queue.drop
        act(message_id)
        audited = _audit(context, found.letter, what, by)
        done = "sent back to" if what == "redrive" else "dropped from"
        context.emit(
            {"id": message_id, "queue": queue, "done": what, "audited": audited},
            lambda: out.print(escape(f"{message_id} {done} {queue}")),
        )


def _audit(context: CommandContext, letter: DeadLetter, what: str, by: Signature) -> bool:
    """Whether the change is in the audit trail: it has happened, so a store that stays away is only reported."""
    from alchemiser_trading.account.audit import Change, record

    try:
        now = account_time(context.state, context.settings, context.account)
        change = Change(f"{what} {letter.message_id} of {letter.queue}", by.who, by.reason, now)
        record(context.state, context.account, change, f"dlq-{letter.message_id}")
    except AlchemiserError as error:
        note(f"not in the audit trail: {error}")
        return False
    return True


def _all(context: CommandContext) -> list[Located]:
    """The dead letters of every queue, oldest first."""
    found = [Located(letter, queue) for queue in context.adapters.dead_letters() for letter in queue.list()]
    return sorted(found, key=lambda item: item.letter.sent_at)


def _one(context: CommandContext, wanted: str) -> Located:
    """The dead letter whose id begins so. Raises InvalidSettings if that is no one letter."""
    found = [item for item in _all(context) if item.letter.message_id.startswith(wanted)]
    if len(found) != 1:
        what = "is the beginning of several ids" if found else "is no dead letter's id"
        raise InvalidSettings(f"{wanted} {what}; `alchemiser dlq list` shows them")
    return found[0]


def _as_json(letter: DeadLetter, now: datetime) -> dict[str, object]:
    summary = summarise(letter.body)
    return {
        "id": letter.message_id,
        "queue": letter.queue,
        "sent_at": letter.sent_at.isoformat(),
        "delivered": letter.receive_count,
        "message": summary.kind,
        "run_id": summary.run_id,
        "cycle_id": summary.cycle_id,
        "state": summary.state(now),
        "fault": summary.fault,
    }


def _print_list(letters: Sequence[DeadLetter], now: datetime) -> None:
    if not letters:
        out.print("no dead letters")
        return
    table = plain_table(
        "id", "queue", "sent", "delivered", "message", "cycle", "state", least=("delivered", "queue", "cycle", "sent")
    )
    for letter in letters:
        summary, delivered = summarise(letter.body), str(letter.receive_count or "")
        sent = formats.moment(letter.sent_at)
        told = (letter.message_id, letter.queue, sent, delivered, summary.kind, summary.cycle_id, summary.state(now))
        table.add_row(*map(escape, told))
    out.print(table)


def _print_one(letter: DeadLetter, now: datetime) -> None:
    where = f"[bold]{escape(letter.message_id)}[/] of {escape(letter.queue)}"
    out.print(f"{where}, sent {formats.moment(letter.sent_at)}")
    out.print(escape(summarise(letter.body).sentence(now)))
    out.print(escape(letter.body[:_SHOWN]), soft_wrap=True)
    left_out = len(letter.body) - _SHOWN
    if left_out > 0:
        note(f"… and {left_out:,} characters more; --json prints all")
