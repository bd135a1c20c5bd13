"""`alchemiser dlq`: messages that were delivered as often as a queue allows and never handled."""

import getpass
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from alchemiser_cli.console import note, out, reported_errors
from alchemiser_cli.dead_letter_summary import Contents, contents_of
from alchemiser_cli.records import Records, open_records
from alchemiser_common.errors import AlchemiserError, InvalidSettings
from alchemiser_common.ports.queue import DeadLetter, DeadLetters

app = typer.Typer(no_args_is_help=True, help="Look at dead letters, send them back, or drop them.")

_SHOWN = 2_000
"""Characters of a body on the terminal; `--json` gives all."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Letter = Annotated[str, typer.Argument(metavar="ID", help="The letter's id, or its beginning.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail.", prompt="Reason")]
Who = Annotated[str | None, typer.Option(help="Who; default: the user of this machine.")]


@dataclass(frozen=True, slots=True)
class Found:
    """A letter and the box it lies in."""

    letter: DeadLetter
    box: DeadLetters


@app.command("list")
def list_letters(*, as_json: AsJson = False) -> None:
    """List the dead letters of both queues, oldest first. Looking takes nothing away."""
    with reported_errors():
        found = _all(open_records())
        if as_json:
            typer.echo(json.dumps([_json(item.letter) for item in found]))
            return
        if not found:
            out.print("no dead letters")
            return
        table = Table("id", "queue", "sent", "delivered", "message", "cycle", "state", box=None, header_style="bold")
        for item in found:
            letter, contents = item.letter, contents_of(item.letter.body)
            times = str(letter.receive_count or "")
            sent = f"{letter.sent_at:%Y-%m-%d %H:%M:%S}Z"
            state = contents.state(datetime.now(UTC))
            table.add_row(letter.message_id, letter.queue, sent, times, contents.kind, contents.cycle_id, state)
        out.print(table)


@app.command()
def show(letter: Letter, *, as_json: AsJson = False) -> None:
    """Show one dead letter: what it is, whether it can be read, and its text."""
    with reported_errors():
        found = _one(open_records(), letter).letter
        if as_json:
            typer.echo(json.dumps(_json(found) | {"body": found.body}))
            return
        out.print(f"[bold]{found.message_id}[/] of {found.queue}, sent {found.sent_at:%Y-%m-%d %H:%M:%S}Z")
        out.print(escape(_sentence(contents_of(found.body))))
        rest = len(found.body) - _SHOWN
        out.print(escape(found.body[:_SHOWN]), soft_wrap=True)
        if rest > 0:
            note(f"… and {rest:,} characters more; --json prints all")


@app.command()
def redrive(letter: Letter, reason: Reason, who: Who = None, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Send one dead letter back to its queue, where it is handled as if it had just come.

    Safe to repeat: a run that has ended places nothing, and a decision past its deadline ends as expired.
    """
    _act(letter, reason, who, "redrive", yes=yes, as_json=as_json)


@app.command()
def drop(letter: Letter, reason: Reason, who: Who = None, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete one dead letter. Its text is put into the archive first, so nothing is lost."""
    _act(letter, reason, who, "drop", yes=yes, as_json=as_json)


def _act(wanted: str, reason: str, who: str | None, what: str, *, yes: bool, as_json: bool) -> None:
    if not reason.strip():
        raise typer.BadParameter(f"to {what} a letter needs a reason")
    with reported_errors():
        records = open_records()
        found = _one(records, wanted)
        message_id, queue = found.letter.message_id, found.letter.queue
        if not yes:
            note(f"{message_id} of {queue}: {_sentence(contents_of(found.letter.body))}")
            typer.confirm(f"{what} it?", abort=True)
        act = found.box.redrive if what == "redrive" else found.box.drop
        act(message_id)
        audited = _audit(records, found.letter, what, who or getpass.getuser(), reason)
        if as_json:
            typer.echo(json.dumps({"id": message_id, "queue": queue, "done": what, "audited": audited}))
        else:
            out.print(f"{message_id} {'sent back to' if what == 'redrive' else 'dropped from'} {queue}")


def _audit(records: Records, letter: DeadLetter, what: str, who: str, reason: str) -> bool:
    """Whether the change is in the audit trail: it has happened, so a store that stays away is only told of."""
    from alchemiser_trading.account.audit import Change, record

    change = Change(f"{what} {letter.message_id} of {letter.queue}", who, reason, datetime.now(UTC))
    try:
        record(records.state, records.settings.account_alias, change, f"dlq-{letter.message_id}")
    except AlchemiserError as error:
        note(f"not in the audit trail: {error}")
        return False
    return True


def _all(records: Records) -> list[Found]:
    found = [Found(letter, box) for box in records.adapters.dead_letters() for letter in box.list()]
    return sorted(found, key=lambda item: item.letter.sent_at)


def _one(records: Records, wanted: str) -> Found:
    found = [item for item in _all(records) if item.letter.message_id.startswith(wanted)]
    if len(found) != 1:
        what = "is the beginning of several ids" if found else "is no dead letter's id"
        raise InvalidSettings(f"{wanted} {what}; `alchemiser dlq list` shows them")
    return found[0]


def _json(letter: DeadLetter) -> dict[str, object]:
    contents = contents_of(letter.body)
    return {
        "id": letter.message_id,
        "queue": letter.queue,
        "sent_at": letter.sent_at.isoformat(),
        "delivered": letter.receive_count,
        "message": contents.kind,
        "run_id": contents.run_id,
        "cycle_id": contents.cycle_id,
        "state": contents.state(datetime.now(UTC)),
        "fault": contents.fault,
    }


def _sentence(contents: Contents) -> str:
    if contents.fault:
        return f"cannot be read: {contents.fault}"
    return f"{contents.kind} of cycle {contents.cycle_id}, run {contents.run_id}: {contents.state(datetime.now(UTC))}"
