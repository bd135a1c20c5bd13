"""Strategies from files: symphony text and Composer's JSON export, two front ends to the same nodes."""

from alchemiser_strategy.parsers.document import ParsedSymphony
from alchemiser_strategy.parsers.symphony import parse_symphony

__all__ = ["ParsedSymphony", "parse_symphony"]
