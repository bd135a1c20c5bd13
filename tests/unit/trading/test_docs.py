"""The diagram that people read is the one the code follows."""

from pathlib import Path

from alchemiser_trading.journal.phases import diagram

DOCS = Path(__file__).parents[3] / "docs"


def test_the_documented_phases_are_those_of_the_code() -> None:
    assert diagram().strip() in (DOCS / "trading.md").read_text(encoding="utf-8")
