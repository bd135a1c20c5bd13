"""Before an account is traded: it has one identity, and a broker's that was never traded here is examined once."""

from alchemiser_cli.broker_doctor import FirstContact, first_contact
from alchemiser_cli.console import note
from alchemiser_cli.context import CommandContext
from alchemiser_cli.home import require_one_identity
from alchemiser_common.account_binding import read_binding
from alchemiser_common.settings import Environment
from alchemiser_monolith.platform import Platform


def meet_account(context: CommandContext, platform: Platform) -> None:
    """Raises InvalidSettings or WrongAccount for a second name of one account.

    What `alchemiser doctor` says at the first contact is told on stderr and keeps nobody: a run checks for itself.
    """
    settings, state = platform.settings, platform.state
    named = "account_alias" in context.loaded.sources
    require_one_identity(state, settings, named=named, account_id=lambda: platform.broker.account().account_id)
    if settings.environment is Environment.SIMULATED or read_binding(state, settings.account_alias) is not None:
        return
    from alchemiser_strategy.bootstrap import enabled_strategies
    from alchemiser_strategy.composition import composition_of

    symbols = tuple(sorted(composition_of(enabled_strategies(settings.strategies, platform.variables)).bars))
    note(f"first contact with the {settings.environment.value} account:")
    for result in first_contact(FirstContact(platform.broker, platform.clock, settings, symbols)):
        note(f"  {result.verdict.value}: {result.check}: {result.says}{'; ' if result.remedy else ''}{result.remedy}")
