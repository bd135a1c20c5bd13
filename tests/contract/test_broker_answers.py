"""Every answer that Alpaca's API may give to what we ask, valid or spoiled: read rightly, or named and refused."""

import pytest

from support.answer_checks import explore
from support.answer_operations import OPERATIONS

ANSWERS = 60


@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_is_answered_is_read_or_named(operation: str) -> None:
    outcomes = explore(operation, range(ANSWERS))
    assert outcomes.total() == ANSWERS
    assert outcomes["read"], "no valid answer was read"
