"""One exchange for a whole module, started over before each run; what was explored is told at the end.

Not part of `make test`. Run with ``pytest tests/prove/trading --timeout 3600``; PROVE_SEQUENCES, PROVE_RACES and
PROVE_STEPS say how much is explored.
"""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.exploration import stage
from support.trading_rig import Rig

ROWS = 27
_ROW = re.compile(r"(?<=test_row_)\d\d")


@pytest.fixture(scope="module")
def scene() -> Iterator[Callable[[], Rig]]:
    """Gives a fresh account, store and archive on the same exchange."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        with stage(folder) as fresh:
            yield fresh
    finally:
        shutil.rmtree(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A table of what each proof explored."""
    passed = terminalreporter.getreports("passed")
    figures = [(name, value) for report in passed for name, value in getattr(report, "user_properties", ())]
    rows = Counter(found.group() for report in passed if (found := _ROW.search(report.nodeid)))
    if rows:
        figures.append(("rows of the failure table", f"{len(rows)} of {ROWS}, {rows.total()} tests passed"))
    if figures:
        terminalreporter.section("explored")
        for name, value in figures:
            terminalreporter.write_line(f"{name:<40} {value}")
