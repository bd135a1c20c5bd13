"""Which of the broker's accounts an alias stands for."""

from alchemiser_common.messages.base import UtcTime, VersionedModel


class AccountBinding(VersionedModel):
    """An alias stands for one account of the broker, from the first run that trades it on. Since 1.6."""

    account_id: str
    """The broker's own id; empty if the alias was given up before it was ever bound."""
    environment: str
    """simulated, paper or live."""
    since: UtcTime
    moved_to: str = ""
    """The alias that took over what was kept under this one; empty as long as this one is in use."""
