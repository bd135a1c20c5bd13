"""Pytest in a mutation run: the same examples each time, and the quick tests before those that search for examples."""

import pytest
from hypothesis import Phase, is_hypothesis_test, settings

# One failing example is enough: it is not shrunk.
settings.register_profile(
    "mutation", derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("mutation")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tables first; whatever Hypothesis drives last."""
    items.sort(key=_searches)


def _searches(item: pytest.Item) -> bool:
    test = getattr(item, "obj", None)
    return is_hypothesis_test(test) or hasattr(getattr(item, "cls", None), "settings")
