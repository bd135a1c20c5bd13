"""What a fetch did with a symbol."""

from enum import StrEnum


class Done(StrEnum):
    """What happened to a symbol."""

    NEW = "new"
    EXTENDED = "extended"
    UNCHANGED = "unchanged"
    READJUSTED = "re-adjusted"
    """Its bars are no longer what they were: all are fetched again."""
    NOTHING = "no bars"
