"""What every Alchemiser service shares: messages, ids, settings, errors, ports and their embedded implementations."""

__version__ = "0.1.0"
