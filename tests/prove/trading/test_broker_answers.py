"""Thousands of answers to each operation of Alpaca's API (PROVE_ANSWERS), of which `make test` tries some."""

import os
from collections.abc import Callable

import pytest

from support.answer_checks import explore
from support.answer_operations import OPERATIONS

ANSWERS = int(os.environ.get("PROVE_ANSWERS", "2000"))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_is_answered_is_read_or_named(operation: str, record_property: Callable[[str, object], None]) -> None:
    outcomes = explore(operation, range(ANSWERS))
    record_property(f"answers to {operation}", f"{outcomes.total()}: {dict(sorted(outcomes.items()))}")
