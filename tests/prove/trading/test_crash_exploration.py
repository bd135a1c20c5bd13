"""Crash exploration: a fault before and after every I/O call, one by one, then up to four at random.

After each the exchange must stand as after the run without faults, leg by leg, or the run is halted and says why.
"""

import os
from collections import Counter
from collections.abc import Callable

from support.exploration import Story, calls_without_faults, check, play, random_story
from support.faulty_ports import Fault
from support.trading_rig import Rig

SEQUENCES = int(os.environ.get("PROVE_SEQUENCES", "2000"))

type Record = Callable[[str, object], None]


def test_every_single_fault(scene: Callable[[], Rig], record_property: Record) -> None:
    names = calls_without_faults(scene())
    results: Counter[str] = Counter()
    deliveries: Counter[int] = Counter()
    for point, name in enumerate(names):
        for fault in Fault:
            rig = scene()
            try:
                report, needed = play(rig, Story([{point: fault}]))
                results[check(rig, report)] += 1
                deliveries[needed] += 1
            except AssertionError as error:
                raise AssertionError(f"{fault.value} at call {point} ({name}): {error}") from error
    record_property("I/O calls of a run", len(names))
    record_property("single faults explored", f"{results.total()}: {dict(results)}")
    record_property("deliveries they needed", dict(sorted(deliveries.items())))


def test_random_sequences_of_up_to_four_faults(scene: Callable[[], Rig], record_property: Record) -> None:
    calls = len(calls_without_faults(scene()))
    results: Counter[str] = Counter()
    deliveries: Counter[int] = Counter()
    for seed in range(SEQUENCES):
        rig = scene()
        try:
            report, needed = play(rig, random_story(seed, calls))
            results[check(rig, report)] += 1
            deliveries[needed] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    record_property("random sequences of up to 4 faults", f"{results.total()}: {dict(results)}")
    record_property("deliveries these needed", dict(sorted(deliveries.items())))
