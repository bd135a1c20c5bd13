"""What an Alpaca key says of itself. Imports no client: the locks are checked before alpaca-py is loaded."""

from alchemiser_common.ports.secrets import BrokerCredentials

_PAPER_PREFIX = "PK"
"""Ids of paper keys start with this, those of live keys do not."""


def is_paper_key(credentials: BrokerCredentials) -> bool:
    """Whether the key is of the paper environment."""
    return credentials.key_id.get_secret_value().startswith(_PAPER_PREFIX)
