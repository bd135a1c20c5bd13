"""Tags of images: what they say, which of them a registry may hold, and when two are one build."""

import pytest

from alchemiser_cli.stage.template import load, mapping, section
from alchemiser_common.build_tag import PUSHED_PATTERN, build_tag, is_dirty, is_pushed_tag, same_build
from images.settings import ROOT

COMMIT, OWN, CHANGES = "0123456789abcdef0123456789abcdef01234567", "a" * 64, "b" * 64


def test_a_tag_says_the_commit_the_strategies_and_the_changes() -> None:
    assert build_tag(COMMIT) == "0123456789ab"
    assert build_tag(COMMIT, strategies=OWN) == "0123456789ab-aaaaaaaaaaaa"
    assert build_tag(COMMIT, changes=CHANGES) == "0123456789ab-dirty-bbbbbbbbbbbb"
    assert build_tag(COMMIT, strategies=OWN, changes=CHANGES) == "0123456789ab-aaaaaaaaaaaa-dirty-bbbbbbbbbbbb"


@pytest.mark.parametrize(
    ("tag", "pushed"),
    [
        (build_tag(COMMIT), True),
        (COMMIT, True),
        (build_tag(COMMIT, strategies=OWN), True),
        (build_tag(COMMIT, changes=CHANGES), False),
        (build_tag(COMMIT, strategies=OWN, changes=CHANGES), False),
        ("0123456789ab-dirty", False),
        ("latest", False),
        ("012345", False),
        ("0123456789ab-aaa", False),
        ("deployed-dev-20260101T000000000000Z", False),
    ],
)
def test_a_registry_holds_commits_with_or_without_strategies_and_nothing_dirty(tag: str, pushed: bool) -> None:
    assert is_pushed_tag(tag) is pushed
    assert is_dirty(tag) is ("dirty" in tag)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("0123456789ab-aaaaaaaaaaaa", True),
        ("0123456-aaaaaaaaaaaa", True),
        (f"{COMMIT}-aaaaaaaaaaaa", True),
        ("0123456789ab", False),
        ("0123456789ab-aaaaaaaaaaab", False),
        ("0123456789ac-aaaaaaaaaaaa", False),
        ("0123456789ab-aaaaaaaaaaaa-dirty-bbbbbbbbbbbb", False),
        ("unknown", False),
        ("012345-aaaaaaaaaaaa", False),
    ],
)
def test_a_commit_may_be_shortened_and_other_strategies_are_another_build(other: str, same: bool) -> None:
    assert same_build("0123456789ab-aaaaaaaaaaaa", other) is same
    assert same_build(other, "0123456789ab-aaaaaaaaaaaa") is same


@pytest.mark.parametrize("service", ["Monolith", "Data", "Strategy", "Trading"])
def test_the_template_takes_what_a_registry_may_hold(service: str) -> None:
    parameter = mapping(section(load(ROOT / "deploy/template.yaml"), "Parameters")[f"{service}Tag"], service)
    assert parameter["AllowedPattern"] == PUSHED_PATTERN
