"""Checks of what a stage trades: its functions start, its universe is its strategies', its symbols are known."""

from alchemiser_cli.stage.candidate import ALIAS
from alchemiser_cli.stage.check_result import CheckContext, CheckFailed, Verdict
from alchemiser_cli.stage.invoker import LambdaInvoker
from alchemiser_cli.stage.last_decision import changed_rules, read_last_run, stored_targets
from alchemiser_cli.stage.limits_told import limits_told
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.portfolio import described, disagreements
from alchemiser_cli.stage.smoke import SmokeFailed, require_composition
from alchemiser_cli.stage.trial import Trial, universe_of
from alchemiser_cli.stage.universe_record import read_universe
from alchemiser_common.probes import StrategyInPlay
from alchemiser_common.records.universe import lacking
from alchemiser_common.text import named

_MOST_NAMED = 8


def composition(context: CheckContext) -> str:
    """Every function of the phase starts with its settings; what decides, and where its settings come from."""
    stack, config = context.deployed, context.stage.config
    for service in SERVICES:
        name = stack.function(service)
        if name is None:
            continue
        try:
            context.answers[service] = require_composition(LambdaInvoker(context.stage.clients.functions, name, ALIAS))
        except SmokeFailed as error:
            raise CheckFailed(
                str(error), f"alchemiser rollback {config.name} {service}, or deploy what it names"
            ) from error
    differ = disagreements(context.answers)
    if differ:
        raise CheckFailed("; ".join(differ), f"alchemiser deploy {config.name}", Verdict.WARNING)
    settings = {item.name: item for answer in context.answers.values() for item in answer.settings if not item.default}
    strategies = ", ".join(f"{item.strategy} {item.allocation:.2%} ({item.rules[:12]})" for item in _live(context))
    return f"{', '.join(context.answers)} start; {strategies}; {described(settings.values())}"


def universe(context: CheckContext) -> str:
    """The stored universe is what the live strategies say."""
    stack, deploy = context.deployed, f"alchemiser deploy {context.stage.config.name} brings it up to date"
    needed = universe_of(stack.phase, context.answers) or {}
    stored = read_universe(context.stage.state(stack), stack.account_alias)
    if stored is None:
        raise CheckFailed("no universe is stored, so that the data function reads nothing", deploy)
    short = lacking(needed, stored.bars)
    if short:
        raise CheckFailed(
            f"the stored universe lacks {named(short, _MOST_NAMED)}, or bars of it, which the live strategies read: "
            "every modular run would fail",
            deploy,
        )
    if stored.bars != needed:
        raise CheckFailed(
            "the stored universe is wider than what the live strategies read: a change was interrupted",
            deploy,
            Verdict.WARNING,
        )
    return f"{len(needed)} symbols, up to {max(needed.values())} bars, as the live strategies say"


def symbols(context: CheckContext) -> str:
    """The broker knows every symbol of the universe."""
    stack = context.deployed
    needed = universe_of(stack.phase, context.answers) or {}
    service = "data" if "data" in context.answers else "monolith"
    function = LambdaInvoker(context.stage.clients.functions, str(stack.function(service)), ALIAS)
    try:
        unknown = require_composition(function, needed).unknown_symbols
    except SmokeFailed as error:
        raise CheckFailed(str(error), "mend what the reason names, then ask again") from error
    if unknown:
        raise CheckFailed(
            f"the broker does not know {named(unknown, _MOST_NAMED)}: renamed, delisted or misspelt; what rests on "
            "it is unknown at every run",
            "change the strategy's file, build and deploy it",
            Verdict.WARNING,
        )
    return f"the broker knows all {len(needed)}"


def limits(context: CheckContext) -> str:
    """No limit of trading stands in the way of what the strategies want, on the account as it last was."""
    stack = context.deployed
    state = context.stage.state(stack)
    last = read_last_run(state, context.stage.archive(stack), stack.account_alias)
    if last is None:
        return "no run has read the account yet"
    found = limits_told(context.answers, last.snapshot, stored_targets(state, stack.account_alias))
    if found:
        raise CheckFailed("; ".join(found), "change the setting by its parameter, or expect it", Verdict.WARNING)
    return f"none would be met on the account of {last.snapshot.session.day}, {last.snapshot.account.equity:.2f} USD"


def rules(context: CheckContext) -> str:
    """The live strategies go on from their stored targets."""
    stack = context.deployed
    changed = changed_rules(_live(context), stored_targets(context.stage.state(stack), stack.account_alias))
    if changed:
        raise CheckFailed("; ".join(changed), "expected after a change of strategies", Verdict.WARNING)
    return "as behind the stored targets"


def _live(context: CheckContext) -> tuple[StrategyInPlay, ...]:
    """The strategies of whoever trades."""
    return Trial(answers=context.answers).strategies(context.deployed.phase)
