"""How the two pipelines' runs of one cycle compare."""

from enum import StrEnum

from alchemiser_common.messages.base import UtcTime, VersionedModel


class Verdict(StrEnum):
    """What a comparison comes to."""

    IDENTICAL = "identical"
    """Same data, same weights."""
    EQUIVALENT = "equivalent"
    """Other data, and weights within the tolerance."""
    DIFFERENT = "different"
    MISSING = "missing"
    """One of them wants something, the other one ended without a plan."""

    @property
    def broken(self) -> bool:
        """Whether a person should look."""
        return self in {Verdict.DIFFERENT, Verdict.MISSING}


class Parity(VersionedModel):
    """The verdict on one cycle, as it is stored."""

    cycle_id: str
    verdict: Verdict
    detail: str = ""
    at: UtcTime
