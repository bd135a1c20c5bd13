"""`alchemiser halt`, `reduce` and `resume`: what accounts may do, from the next order on."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.account_time import account_time
from alchemiser_cli.console import Exit, fail, note, out
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.options import Reason, Signature, Who, signed
from alchemiser_common.account_binding import read_binding
from alchemiser_common.errors import AlchemiserError, Conflict, InvalidSettings
from alchemiser_common.ports.state import StateStore
from alchemiser_common.records.trading_state import TradingState, TradingStateRecord
from alchemiser_trading.account.trading_state import read_trading_state, set_trading_state

app = typer.Typer()

One = Annotated[str | None, typer.Option("--account", help="This account of the home; default: the settings'.")]
OneOrAll = Annotated[str | None, typer.Option("--account", help="Only this account; default: every one of the home.")]
_TRIES = 5
"""Of a change that another change comes before."""


@app.command()
def halt(reason: Reason, who: Who = None, account: OneOrAll = None) -> None:
    """Stop trading, on every account of the home: from now on no order is sent, in a running cycle too.

    Open orders may still be cancelled. Exit code 1 if an account could not be stopped, 2 if there is none.
    """
    by = _signed(who, reason)
    with command() as context:
        store = context.home_state
        aliases = [_known(context, account)] if account else _in_use(store, context.accounts)
        if not aliases:
            raise InvalidSettings(f"{context.place} has no account to stop")
        failed = {}
        for alias in aliases:
            try:
                _show(alias, switch(context, alias, TradingState.HALTED, by))
            except AlchemiserError as error:
                failed[alias] = error
        if failed:
            said = "; ".join(f"{alias}: {error}" for alias, error in failed.items())
            raise fail(f"NOT stopped: {said}", Exit.FAILED)


@app.command()
def reduce(reason: Reason, who: Who = None, account: One = None) -> None:
    """Allow sells only, from the next order on."""
    _change(TradingState.REDUCING, _signed(who, reason), account)


@app.command()
def resume(reason: Reason, who: Who = None, account: One = None) -> None:
    """Allow every order again, on one account: others that are stopped stay so, and are named."""
    _change(TradingState.ACTIVE, _signed(who, reason), account)


def _signed(who: str | None, reason: str) -> Signature:
    return signed(who, reason, refusal="a change of what may be traded needs a reason")


def _change(state: TradingState, by: Signature, account: str | None) -> None:
    with command() as context:
        store, alias = context.home_state, _known(context, account or context.account)
        _show(alias, switch(context, alias, state, by))
        for other in context.accounts:
            if other != alias:
                _say_unless_active(store, other)


def _say_unless_active(store: StateStore, alias: str) -> None:
    """What is done is done: an account that cannot be read here is only named."""
    try:
        found = None if _given_up(store, alias) else read_trading_state(store, alias)
    except AlchemiserError as error:
        note(f"account {alias}: {error}")
        return
    if found is not None and found.state is not TradingState.ACTIVE:
        note(f"account {alias} stays {found.state.value}: --account {alias} changes that")


def _known(context: CommandContext, alias: str) -> str:
    """The alias, if the store has such an account. Raises InvalidSettings."""
    if alias not in context.accounts:
        raise InvalidSettings(
            f"{context.place} has no account {alias}; it has {', '.join(context.accounts) or 'none'}: name one with "
            "--account"
        )
    return alias


def _in_use(store: StateStore, aliases: Sequence[str]) -> list[str]:
    """Without those that were given up for another: nothing trades under them. One that cannot be read may be in use:
    what is wrong with it keeps no other account from being stopped.
    """
    found = []
    for alias in aliases:
        try:
            given_up = _given_up(store, alias)
        except AlchemiserError as error:
            note(f"account {alias}: {error}")
            given_up = False
        if not given_up:
            found.append(alias)
    return found


def _given_up(store: StateStore, alias: str) -> bool:
    """Whether the alias was left for another. Raises StoreUnavailable, StateCorrupt."""
    known = read_binding(store, alias)
    return known is not None and bool(known.value.moved_to)


def switch(context: CommandContext, alias: str, state: TradingState, by: Signature) -> TradingStateRecord:
    """Change what the account may do, with an entry in the audit trail.

    Raises StoreUnavailable, StateCorrupt, or Conflict if others change it all the time.
    """
    store = context.home_state

    def change() -> TradingStateRecord:
        now = account_time(store, context.settings, alias)
        return set_trading_state(store, alias, state, who=by.who, reason=by.reason, now=now)

    for _ in range(_TRIES - 1):
        try:
            return change()
        except Conflict:
            continue  # another person's change came first; this one is the later word
    return change()


def _show(alias: str, record: TradingStateRecord) -> None:
    out.print(f"account {alias} is [bold]{record.state.value}[/], says {escape(record.who)}: {escape(record.reason)}")
