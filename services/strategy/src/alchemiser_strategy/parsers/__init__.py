"""Strategies from files: symphony text and Composer's JSON export, two front ends to the same nodes."""

from alchemiser_strategy.parsers.composer import parse_composer
from alchemiser_strategy.parsers.document import ParsedSymphony
from alchemiser_strategy.parsers.load import load_symphony
from alchemiser_strategy.parsers.printer import to_symphony
from alchemiser_strategy.parsers.symphony import parse_symphony

__all__ = ["ParsedSymphony", "load_symphony", "parse_composer", "parse_symphony", "to_symphony"]
