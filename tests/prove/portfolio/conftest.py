"""What the portfolio's proofs found, as a table at the end and, if PROVE_JSON names a file, as JSON.

Not part of `make test`. PROVE_SESSIONS says how many sessions are traded (default: all 250 of the span).
"""

import json
import os
from pathlib import Path

import pytest

FIGURES: dict[str, object] = {}


@pytest.fixture
def figures() -> dict[str, object]:
    """Figures by name, in the order of the table; whoever measures puts them there."""
    return FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not FIGURES:
        return
    terminalreporter.section("the portfolio")
    for name, value in FIGURES.items():
        terminalreporter.write_line(f"{name:<52} {_shown(value)}")
    if path := os.environ.get("PROVE_JSON"):
        Path(path).write_text(json.dumps(FIGURES, indent=1) + "\n", "utf-8")


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if value < 100 else f"{value:,.0f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)
