"""`alchemiser authority` and `alchemiser audit`: which pipeline may trade the account, and what people changed."""

import getpass
import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from alchemiser_cli.console import out, reported_errors
from alchemiser_cli.records import open_records
from alchemiser_common.ids import Pipeline
from alchemiser_common.records.authority import Authority
from alchemiser_trading.account.audit import read_audit
from alchemiser_trading.account.authority import read_authority, set_authority
from alchemiser_trading.account.trading_state import trading_state

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@app.command()
def authority(
    give_to: Annotated[Pipeline | None, typer.Option("--set", help="Give the account to this pipeline.")] = None,
    reason: Annotated[str, typer.Option(help="With --set: why; it is kept in the audit trail.")] = "",
    who: Annotated[str | None, typer.Option(help="With --set: who; default: the user of this machine.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show which pipeline may trade the account, or give it to one. Refused while a run is in progress."""
    with reported_errors():
        records = open_records()
        alias, store = records.settings.account_alias, records.state
        if give_to is not None:
            if not reason.strip():
                raise typer.BadParameter("a change of authority needs --reason")
            set_authority(store, alias, give_to, who=who or getpass.getuser(), reason=reason, now=datetime.now(UTC))
        current = read_authority(store, alias)
        state = trading_state(store, alias)
        if as_json:
            shown = current.model_dump(mode="json") if current is not None else None
            typer.echo(json.dumps({"account": alias, "authority": shown, "trading": state.value}))
        else:
            out.print(_sentence(alias, current))
            out.print(f"trading is [bold]{state.value}[/]")


@app.command()
def audit(*, as_json: AsJson = False) -> None:
    """List what people changed: authority, switches, repaired books."""
    with reported_errors():
        records = open_records()
        entries = read_audit(records.state, records.settings.account_alias)
        if as_json:
            typer.echo(json.dumps([entry.model_dump(mode="json") for entry in entries]))
            return
        table = Table("at", "who", "what", "reason", box=None, header_style="bold")
        for entry in entries:
            table.add_row(f"{entry.at:%Y-%m-%d %H:%M:%S}Z", entry.who, entry.what, entry.reason)
        out.print(table)


def _sentence(alias: str, current: Authority | None) -> str:
    if current is None:
        return f"no pipeline may trade account {alias}; `alchemiser authority --set modular --reason …` gives it to one"
    return (
        f"account {alias} is traded by [bold]{current.pipeline.value}[/] (epoch {current.epoch}), set by "
        f"{current.set_by} at {current.set_at:%Y-%m-%d %H:%M}Z: {current.reason}"
    )
