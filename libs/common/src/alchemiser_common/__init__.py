"""What every service shares: messages, records, ids, settings, errors, ports and what implements them."""

__version__ = "0.1.0"
