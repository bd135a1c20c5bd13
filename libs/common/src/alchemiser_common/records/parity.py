"""How the two pipelines' runs of one cycle compare: the verdict, and the evidence for it."""

from enum import StrEnum

from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.base import Frozen, Stage, UtcTime, VersionedModel


class Verdict(StrEnum):
    """What a comparison comes to."""

    IDENTICAL = "identical"
    """Same inputs, same decision, same way there."""
    EQUIVALENT = "equivalent"
    """What differs comes from the inputs: one pipeline's strategies on the other's snapshot decide as the other did."""
    DIFFERENT = "different"
    """Something else than inputs differs, or nothing proves that it is the inputs."""
    MISSING = "missing"
    """A pipeline came to no plan by its deadline, or both did not."""

    @property
    def broken(self) -> bool:
        """Whether a person should look."""
        return self in {Verdict.DIFFERENT, Verdict.MISSING}


class Cause(StrEnum):
    """Where a difference comes from."""

    DATA = "data"
    """The pipelines read at different moments, and saw other prices, bars or an other account."""
    CODE = "code"
    """Strategies or builds: the same inputs are decided otherwise."""
    SETTINGS = "settings"
    """Allocations, the bar policy, or how targets become orders."""
    UNPROVEN = "unproven"
    """The evidence is gone."""


class Difference(Frozen):
    """One thing that is not the same on both sides, as each side has it; empty where a side does not have it."""

    where: str
    """E.g. ``bars QQQ 2026-11-20 close``, ``tecl weight TQQQ``, ``tecl step 3``, ``trading.cash_reserve``."""
    monolith: str
    modular: str

    def __str__(self) -> str:
        return f"{self.where}: {self.monolith or 'nothing'} and {self.modular or 'nothing'}"


class Lacking(Frozen):
    """A side that came to no plan: as far as it came, and why it went no further."""

    pipeline: Pipeline
    stage: Stage
    why: str

    def __str__(self) -> str:
        return f"{self.pipeline.value} has no plan: {self.stage.value}: {self.why}"


class Parity(VersionedModel):
    """The verdict on one cycle, as it is stored."""

    cycle_id: str
    verdict: Verdict
    detail: str = ""
    """All of it in one line, for a list or a log."""
    at: UtcTime
    cause: Cause | None = None
    """Of what differs; None if nothing does, or a side is missing, and from before 1.6."""
    differences: tuple[Difference, ...] = ()
    """The first of them, the decisive ones before others. Since 1.6."""
    lacking: tuple[Lacking, ...] = ()
    """Since 1.6."""


class JudgedSpan(VersionedModel):
    """Since when every due cycle is judged without a pause, so that none from before is missed in hindsight."""

    since: UtcTime
    last: UtcTime
    """When the judge looked last."""
