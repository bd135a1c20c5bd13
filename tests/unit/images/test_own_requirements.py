"""Which of a person's locked requirements a build installs beside those of the service."""

import importlib.util
from types import ModuleType

import pytest

from images.settings import ROOT

LOCK = (
    "numpy==2.4.1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\npydantic-core==2.41.5 \\\n    --hash=sha256:cc\n"
)


@pytest.fixture(scope="module")
def step() -> ModuleType:
    """The build step, from where a build takes it."""
    spec = importlib.util.spec_from_file_location("own_requirements", ROOT / "deploy/image/own_requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_service_has_is_left_out_and_the_rest_keeps_its_hashes(step: ModuleType) -> None:
    own = (
        "# by uv pip compile\n"
        "numpy==2.4.1 \\\n    --hash=sha256:aa\n    # via theirs\n"
        'SortedContainers==2.4.0 ; python_version >= "3.9" \\\n    --hash=sha256:dd \\\n    --hash=sha256:ee\n'
        "pydantic_core==2.41.5 --hash=sha256:cc\n"
        "./wheels/their_rules-1.2-py3-none-any.whl --hash=sha256:ff\n"
    )
    assert step.lacking(own, LOCK) == [
        'SortedContainers==2.4.0 ; python_version >= "3.9" --hash=sha256:dd --hash=sha256:ee',
        "./wheels/their_rules-1.2-py3-none-any.whl --hash=sha256:ff",
    ]


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (
            "numpy==2.0.0 --hash=sha256:aa",
            r"numpy==2\.0\.0 cannot be added, the service has numpy==2\.4\.1: compile with",
        ),
        ("./wheels/numpy-2.0.0-py3-none-any.whl --hash=sha256:aa", r"numpy==2\.0\.0 cannot be added"),
        ("theirs==1.0", "'theirs==1.0' is not pinned with a hash"),
        ("theirs>=1.0 --hash=sha256:aa", "is not pinned"),
        ("--index-url https://example.org", "is not pinned"),
    ],
)
def test_what_cannot_be_added_to_the_services_own_is_named(step: ModuleType, own: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        step.lacking(own, LOCK)


def test_the_real_lock_is_understood(step: ModuleType) -> None:
    lock = (ROOT / "services/strategy/requirements.lock").read_text("utf-8")
    assert step.lacking(lock, lock) == []
    assert len(step.lacking(lock, "")) == lock.count("==")
