"""A small seeded part of what tests/prove/trading explores of a broker that lies, and the explorer's own promises."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from support.liar.guards import GUARDS, Guard
from support.liar.runner import tally, told, traces
from support.liar.scenario import Mode

SEEDS = 64
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
def test_no_lie_breaks_a_run(mode: Mode, part: int) -> None:
    total = tally(mode, range(9000 + part, 9000 + SEEDS, PARTS))
    assert not total.found, told(total)


@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.value)
def test_a_seed_is_replayed_word_for_word_in_any_process_and_order(mode: Mode) -> None:
    seeds = range(7000, 7004)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        other = elsewhere.submit(traces, mode, list(reversed(seeds)))
        here = traces(mode, seeds)
        assert other.result()[::-1] == here


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_what_is_taken_out_to_try_the_explorer_is_there(guard: Guard) -> None:
    assert guard.patches()
    for where, name, instead in guard.patches():
        assert getattr(where, name) is not instead
