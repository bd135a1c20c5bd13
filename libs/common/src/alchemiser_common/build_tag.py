"""The tag of an image: its git commit, the strategies that are in it, and what else differed from the commit.

    <commit>                                     no strategies of one's own
    <commit>-<strategies>                        their content's hash, 12 hexadecimal digits
    <commit>[-<strategies>]-dirty-<changes>      built with uncommitted changes: the hash of those; never pushed

The image's variable and label say the same text, so that a decision and a version probe name the whole build.
"""

import re

PUSHED_PATTERN = "[0-9a-f]{7,40}(-[0-9a-f]{12})?"
"""What a tag in a registry looks like, as the parameters of deploy/template.yaml are held to it."""
_PUSHED = re.compile(PUSHED_PATTERN)
_ANY = re.compile("(?P<commit>[0-9a-f]{7,40})(?P<rest>(-[0-9a-f]{12})?(-dirty-[0-9a-f]{12})?)")
HASH_DIGITS = 12
_COMMIT_DIGITS = 12


def build_tag(revision: str, *, strategies: str = "", changes: str = "") -> str:
    """The tag of a build. `revision` is a commit; the others are SHA-256 in hex, or empty if there is nothing."""
    tag = revision[:_COMMIT_DIGITS]
    if strategies:
        tag += f"-{strategies[:HASH_DIGITS]}"
    return f"{tag}-dirty-{changes[:HASH_DIGITS]}" if changes else tag


def is_pushed_tag(tag: str) -> bool:
    """Whether a registry may hold it: a commit in 7 to 40 digits, with the hash of strategies or without, not dirty."""
    return _PUSHED.fullmatch(tag) is not None


def is_dirty(tag: str) -> bool:
    """Whether it was built from a tree that differs from its commit."""
    return "-dirty" in tag


def same_build(one: str, other: str) -> bool:
    """Whether two tags name one build. The commits may be shortened differently, all else is to be equal."""
    first, second = _ANY.fullmatch(one), _ANY.fullmatch(other)
    if first is None or second is None or first["rest"] != second["rest"]:
        return False
    return first["commit"].startswith(second["commit"]) or second["commit"].startswith(first["commit"])
