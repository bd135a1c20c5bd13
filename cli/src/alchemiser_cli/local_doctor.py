"""Checks of this machine's own settings: what they enable, what the broker says of it, what comes of it next.

The portfolio's part of what `alchemiser doctor --stage` examines of a stage, and the first contact with an account.
Reads only.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from alchemiser_cli.broker_doctor import FirstContact, first_contact
from alchemiser_cli.context import CommandContext
from alchemiser_cli.exchanges import has_own_exchange
from alchemiser_cli.stage.check_result import CheckFailed, CheckResult, Verdict, checked
from alchemiser_cli.stage.last_decision import changed_rules, stored_targets
from alchemiser_cli.stage.universe_record import read_universe
from alchemiser_common.account_binding import check_binding, read_binding
from alchemiser_common.clocks import open_clock
from alchemiser_common.errors import AlchemiserError
from alchemiser_common.ports.broker import MarketReader
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.private_files import open_to_others
from alchemiser_common.probes import Composition, unknown_of
from alchemiser_common.records.universe import lacking
from alchemiser_common.settings import Backend
from alchemiser_common.text import named

_MOST_NAMED = 8


def run_local_checks(context: CommandContext) -> list[CheckResult]:
    """The result of every check, in order. Raises InvalidSettings or StrategyError if there is nothing to examine."""
    from alchemiser_strategy.bootstrap import enabled_strategies
    from alchemiser_strategy.composition import composition_of

    made_of = composition_of(enabled_strategies(context.settings.strategies, context.variables))
    checks: Mapping[str, Callable[[CommandContext, Composition], str]] = {
        "account": _account,
        "files": _files,
        "strategies": _strategies,
        "universe": _universe,
        "symbols": _symbols,
        "rules": _rules,
        "limits": _limits,
    }
    own = [checked(name, lambda run=run: run(context, made_of)) for name, run in checks.items()]  # type: ignore[misc]
    return [*own, *broker_checks(context, tuple(sorted(made_of.bars)))]


def broker_checks(context: CommandContext, symbols: tuple[str, ...]) -> list[CheckResult]:
    """What runs will meet at the broker, in order; none of it can be asked of a home's own exchange."""
    if has_own_exchange(context.settings):
        return [CheckResult("broker", Verdict.SKIPPED, "the environment is simulated: there is no broker to ask")]
    try:
        contact = FirstContact(_reader(context), open_clock(context.settings), context.settings, symbols)
    except AlchemiserError as error:
        return [CheckResult("broker", Verdict.WRONG, str(error))]
    return first_contact(contact)


def _account(context: CommandContext, _: Composition) -> str:
    """What is acted on, and whether the key opens the account that the alias is bound to."""
    settings = context.settings
    where = f"{context.place}, environment {settings.environment.value}, account {settings.account_alias}"
    if not context.has_store:
        return f"{where}; nothing was run here yet"
    store = context.adapters.state()
    binding = read_binding(store, settings.account_alias)
    if binding is None:
        return f"{where}, which its next run binds to the account that the key opens"
    if not has_own_exchange(settings):
        opened = _reader(context).account().account_id
        check_binding(store, settings.account_alias, settings.environment, opened)
    return f"{where}, bound to the broker's account {binding.value.account_id} since {binding.value.since:%Y-%m-%d}"


def _files(context: CommandContext, _: Composition) -> str:
    """State, archive, logs and the key are for the user of this machine only."""
    folders = [context.settings.home] if context.settings.backend is not Backend.AWS else []
    places = [path for path in (*folders, context.folder / ".env") if path.exists()]
    try:
        found = [str(path) for place in places for path in open_to_others(place)]
    except OSError as error:
        raise CheckFailed(f"{error.filename} cannot be examined: {error.strerror}", "", Verdict.WARNING) from error
    if found:
        roots = " ".join(str(place) for place in places)
        raise CheckFailed(
            f"others on this machine can read {named(found, _MOST_NAMED)}", f"chmod -R go-rwx {roots}", Verdict.WARNING
        )
    return "only the user of this machine can read them"


def _strategies(_: CommandContext, made_of: Composition) -> str:
    parts = (f"{item.strategy} {item.allocation:.2%} ({item.rules[:12]})" for item in made_of.strategies)
    return f"{', '.join(parts)}; `alchemiser config show` says where each setting comes from"


def _universe(context: CommandContext, made_of: Composition) -> str:
    """On AWS the stored one is the strategies'; a run of this machine reads for itself."""
    size = f"{len(made_of.bars)} symbols, up to {max(made_of.bars.values())} bars"
    if context.settings.backend is not Backend.AWS:
        return f"{size}; a run on this machine reads for itself"
    stored = read_universe(context.adapters.state(), context.account)
    short = () if stored is None else lacking(made_of.bars, stored.bars)
    if stored is None or short:
        what = "no universe is stored" if stored is None else f"the stored one lacks {named(short, _MOST_NAMED)}"
        raise CheckFailed(f"{what}; {size} are needed", "`alchemiser universe --write`; on a stage `alchemiser deploy`")
    return f"{size}, all of it stored"


def _symbols(context: CommandContext, made_of: Composition) -> str:
    """The broker knows every symbol, where there is a broker."""
    reader = _reader(context)
    unknown = unknown_of(made_of.bars, [asset.symbol for asset in reader.assets(sorted(made_of.bars))])
    if unknown:
        raise CheckFailed(
            f"the broker does not know {named(unknown, _MOST_NAMED)}: renamed, delisted or misspelt",
            "change the strategy's file; what rests on them is unknown at every run",
            Verdict.WARNING,
        )
    return f"the broker knows all {len(made_of.bars)}"


def _limits(context: CommandContext, _: Composition) -> str:
    """No limit of trading stands in the way of what the strategies want, on the account as it is now."""
    from alchemiser_trading.plan.account_reading import AccountReader, AccountReading
    from alchemiser_trading.plan.forecast import Outlook, limits_met

    reader, clock, settings = _reader(context), open_clock(context.settings), context.settings
    account, holdings = reader.account(), reader.holdings()
    today = reader.now().astimezone(EXCHANGE_ZONE).date()
    day = AccountReader(reader, clock, settings, today).day(AccountReading(account, holdings, Decimal(0)))
    held = [position.symbol for position in holdings.positions]
    trading_day = reader.session_on(today) is not None
    targets = stored_targets(context.adapters.state(), context.account) if context.has_store else ()
    found = limits_met(Outlook(account.equity, held, targets, day if trading_day else None), settings.trading)
    if found:
        raise CheckFailed("; ".join(found), "change the setting, or expect it", Verdict.WARNING)
    return f"none would be met on today's account, {account.equity:.2f} USD"


def _reader(context: CommandContext) -> MarketReader:
    """The broker of the settings, to be read. Raises CheckFailed where there is none."""
    settings = context.settings
    if has_own_exchange(settings):
        raise CheckFailed("the environment is simulated: there is no broker to ask", "", Verdict.SKIPPED)
    from alchemiser_common.alpaca.broker import AlpacaReader, open_alpaca

    secrets = context.adapters.secrets()
    return open_alpaca(AlpacaReader, settings, secrets.broker_credentials(), secrets, open_clock(settings))


def _rules(context: CommandContext, made_of: Composition) -> str:
    if not context.has_store:
        raise CheckFailed("nothing was run here yet", "", Verdict.SKIPPED)
    stored = stored_targets(context.adapters.state(), context.account)
    changed = changed_rules(made_of.strategies, stored)
    if changed:
        raise CheckFailed("; ".join(changed), "expected after a change of strategies", Verdict.WARNING)
    return "as behind the stored targets"
