"""`alchemiser account`: the accounts of this home, and one that was traded under two names made one."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.account_time import account_time
from alchemiser_cli.console import note, out, plain_table
from alchemiser_cli.context import command
from alchemiser_cli.options import AsCsv, AsJson, Reason, Who, Yes, signed
from alchemiser_cli.stored_runs import list_runs
from alchemiser_common.account_binding import read_binding
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ports.state import StateStore
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.settings import Backend
from alchemiser_trading.account.trading_state import read_trading_state

app = typer.Typer(help="See the accounts of this home; make one of two names for one account.", no_args_is_help=True)


@app.command()
def show(*, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the accounts of this home: the broker's account behind each alias, its last run, and whether it trades."""
    with command(as_json=as_json, as_csv=as_csv) as context:
        store = context.home_state
        found = [_described(store, alias) for alias in context.accounts]
        context.emit(
            {"account": context.account, "accounts": found},
            lambda: _print(found, context.account),
            rows=found,
            indent=2,
        )


@app.command()
def adopt(
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="The alias to give up.")],
    reason: Reason,
    who: Who = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Yes = False,
) -> None:
    """Make what this home keeps under ALIAS part of the settings' account: both are one account of the broker.

    For homes whose paper account was traded as `paper` by `run --paper` and as `demo` by ALCHEMISER_ENVIRONMENT=paper.
    Books and targets are those of whichever traded last; a switch that is thrown stays thrown. Says first what it will
    do. Refused while a run of either is in progress. Nothing is deleted; ALIAS is not traded any more.
    """
    by = signed(who, reason, refusal="an adoption needs a reason")
    with command() as context:
        if context.settings.backend is Backend.AWS:
            raise InvalidSettings("a stage has one account, which its template names; this is for homes")
        store, new = context.home_state, context.account
        if alias not in context.accounts:
            raise InvalidSettings(f"{context.place} has no account {alias}; it has {', '.join(context.accounts)}")
        from alchemiser_trading.account.adoption import adopt as carry_out
        from alchemiser_trading.account.adoption import plan_adoption

        adoption = plan_adoption(store, alias, new)
        out.print(f"{alias} becomes part of {new}:")
        for line in adoption.lines():
            out.print(f"  {escape(line)}", soft_wrap=True, highlight=False)
        if dry_run:
            note("nothing was changed")
            return
        if not yes:
            typer.confirm("do it?", abort=True)
        environment, now = context.settings.environment, account_time(store, context.settings, new)
        carry_out(store, adoption, environment, who=by.who, reason=by.reason, now=now)
        out.print(f"{alias} is part of {new} now; `alchemiser audit` has it")


def _described(store: StateStore, alias: str) -> dict[str, str]:
    binding, switch = read_binding(store, alias), read_trading_state(store, alias)
    bound = binding.value if binding is not None else None
    runs = list_runs(store, alias, limit=1)
    return {
        "alias": alias,
        "environment": bound.environment if bound else "",
        "broker_account": bound.account_id if bound else "",
        "since": bound.since.isoformat(timespec="minutes") if bound else "",
        "moved_to": bound.moved_to if bound else "",
        "last_run": runs[0].cycle_id.partition(":")[2] if runs else "",
        "trading": (switch.state if switch is not None else TradingState.ACTIVE).value,
    }


def _print(found: Sequence[dict[str, str]], chosen: str) -> None:
    table = plain_table(
        "account",
        "environment",
        "the broker's account",
        "last run",
        "trading",
        least=("environment", "last run", "the broker's account"),
    )
    for item in found:
        name = f"[bold]{item['alias']}[/]" if item["alias"] == chosen else item["alias"]
        trading = f"given up for {item['moved_to']}" if item["moved_to"] else item["trading"]
        behind = item["broker_account"] or "bound by its next run"
        table.add_row(name, item["environment"], escape(behind), item["last_run"], trading)
    out.print(table)
    if chosen not in {item["alias"] for item in found}:
        note(f"the settings' account {chosen} has no records here")
