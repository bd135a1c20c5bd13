"""`alchemiser authority` and `alchemiser audit`: which pipeline may trade the account, and what people changed."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli import formats
from alchemiser_cli.account_time import account_time, simulated
from alchemiser_cli.console import note, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, ReasonIfChanged, Who, signed
from alchemiser_common.ids import Pipeline
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Environment
from alchemiser_trading.account.audit import read_audit
from alchemiser_trading.account.authority import read_authority, set_authority
from alchemiser_trading.account.trading_state import trading_state

app = typer.Typer()


@app.command()
def authority(
    give_to: Annotated[Pipeline | None, typer.Option("--set", help="Give the account to this pipeline.")] = None,
    reason: ReasonIfChanged = "",
    who: Who = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Show which pipeline may trade the account, or give it to one. Refused while a run is in progress."""
    with command(as_json=as_json) as context:
        alias = context.account
        if give_to is None:
            store = context.state
        else:
            by = signed(who, reason, refusal="a change of authority needs --reason")
            store = context.new_state if context.settings.environment is Environment.LIVE else context.home_state
            now = account_time(store, context.settings, alias)
            set_authority(store, alias, give_to, who=by.who, reason=by.reason, now=now)
        current = read_authority(store, alias)
        state = trading_state(store, alias)
        shown = current.model_dump(mode="json") if current is not None else None
        context.emit(
            {"account": alias, "authority": shown, "trading": state.value},
            lambda: _print_authority(alias, current, state),
        )


@app.command()
def audit(*, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List what people changed: authority, switches, repaired books."""
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        entries = read_audit(context.state, context.account)
        if simulated(context.state, context.settings, context.account):
            note("times are the simulated exchange's")
        rows = [entry.model_dump(mode="json") for entry in entries]
        context.emit(rows, lambda: _print_audit(entries), rows=rows)


def _print_authority(alias: str, current: Authority | None, state: TradingState) -> None:
    if current is None:
        out.print(
            f"no pipeline may trade account {alias}; `alchemiser authority --set modular --reason …` gives it to one"
        )
    else:
        out.print(
            f"account {alias} is traded by [bold]{current.pipeline.value}[/] (epoch {current.epoch}), set by "
            f"{escape(current.set_by)} at {current.set_at:%Y-%m-%d %H:%M}Z: {escape(current.reason)}"
        )
    out.print(f"trading is [bold]{state.value}[/]")


def _print_audit(entries: Sequence[AuditEntry]) -> None:
    table = plain_table("at", "who", "what", "reason", prose=("what", "reason"))
    for entry in entries:
        table.add_row(formats.moment(entry.at), escape(entry.who), escape(entry.what), escape(entry.reason))
    out.print(table)
