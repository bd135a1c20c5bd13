"""SmartExecution against the adversarial, lying broker of the unit tests, at length."""

import os
from collections import Counter
from collections.abc import Callable

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from unit.trading.orders.test_smart_execution_machine import Walk

EXAMPLES = int(os.environ.get("PROVE_WALKS", "3000"))


def test_random_quotes_fills_losses_cancels_and_lies(record_property: Callable[[str, object], None]) -> None:
    ends: Counter[str] = Counter()

    class CountedWalk(Walk):
        def teardown(self) -> None:
            super().teardown()
            if hasattr(self, "state") and self.state.outcome is not None:
                ends[self.state.outcome.value] += 1

    run_state_machine_as_test(
        CountedWalk, settings=settings(max_examples=EXAMPLES, stateful_step_count=60, deadline=None)
    )
    assert {"filled", "partial", "unfilled", "refused", "frozen"} <= ends.keys(), f"ends never met; met: {dict(ends)}"
    record_property("walks against an adversarial broker", f"{ends.total()}: {dict(ends.most_common())}")
