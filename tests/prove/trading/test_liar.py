"""A liar at every answer, at length: five thousand seeds in which anything may lie, and as many in which lies stop.

SEEDS says how many. What violates is printed with its seed and all that led to it, as small as it gets; by itself with
``PYTHONPATH=tests python -m support.liar safety 17``.
"""

import os
from collections.abc import Callable

import pytest

from support.liar.guards import GUARDS, Guard, first_seed
from support.liar.lies import KINDS
from support.liar.runner import tally_by_all, told
from support.liar.scenario import Mode

SEEDS = int(os.environ.get("SEEDS", "5000"))
ALL_KINDS = 500
"""So many seeds tell every kind of lie there is."""

type Record = Callable[[str, object], None]


@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
def test_no_lie_breaks_a_run(mode: Mode, record_property: Record) -> None:
    total = tally_by_all(mode, range(SEEDS))
    record_property(f"a liar at every answer, {mode.value}", str(total))
    record_property(f"kinds of lies told, {mode.value}", dict(total.lies.most_common()))
    assert not total.found, told(total)
    assert SEEDS < ALL_KINDS or set(total.lies) == set(KINDS), f"never told: {set(KINDS) - set(total.lies)}"


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_taken_out_is_noticed(guard: Guard, record_property: Record) -> None:
    noticed = first_seed(guard)
    assert noticed is not None, f"{guard.most} seeds do not miss it: {guard.name}"
    record_property(f"without: {guard.name}", f"{guard.mode.value} seed {noticed.seed}: {noticed.what}")
