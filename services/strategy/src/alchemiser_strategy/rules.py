"""The content hash of a strategy: equal for what decides alike by construction, whatever it is called."""

import hashlib
import inspect

from alchemiser_strategy.strategy import Strategy, TreeStrategy


def rules_of(strategy: Strategy) -> str:
    """SHA-256 (hex) of what the strategy decides by."""
    if isinstance(strategy, TreeStrategy):
        text = repr((strategy.symphony.root, strategy.symphony.rebalance))
    else:
        text = inspect.getsource(type(strategy))
    return hashlib.sha256(text.encode()).hexdigest()
