"""Concurrency: workers on one message, and two pipelines on one cycle, in a thousand seeded interleavings."""

import os
from collections import Counter
from collections.abc import Callable

import pytest

from alchemiser_common.ids import Pipeline
from support.exploration import race
from support.trading_rig import Rig

RACES = int(os.environ.get("PROVE_RACES", "1000"))
MODULAR, MONOLITH = Pipeline.MODULAR, Pipeline.MONOLITH


@pytest.mark.parametrize(
    "pipelines",
    [(MODULAR, MODULAR), (MODULAR, MODULAR, MODULAR), (MODULAR, MONOLITH), (MODULAR, MODULAR, MONOLITH, MONOLITH)],
    ids=["two workers", "three workers", "two pipelines", "two pipelines, two workers each"],
)
def test_one_trades_whatever_the_order(
    scene: Callable[[], Rig], record_property: Callable[[str, object], None], pipelines: tuple[Pipeline, ...]
) -> None:
    results: Counter[str] = Counter()
    pauses = 0
    for seed in range(RACES // 4):
        try:
            result, paused = race(scene(), seed, pipelines)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        results[result] += 1
        pauses += paused
    names = " + ".join(pipeline.value for pipeline in pipelines)
    record_property(names, f"{results.total()} interleavings: {dict(results)}, {pauses} pauses longer than the lease")
