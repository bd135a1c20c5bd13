"""The phases of a run and which may follow which. A journal moves along these arrows or not at all."""

from enum import StrEnum

from alchemiser_common.messages.report import RunStatus


class Phase(StrEnum):
    """Where a run stands in the trading service."""

    RECEIVED = "received"
    """A decision is here; nothing is planned or sent."""
    PLANNED = "planned"
    """The plan is frozen; from here on a redelivery continues it."""
    SELLING = "selling"
    """Orders may be at the broker; not every sell is done. Buys that cash covers may have begun."""
    BUYING = "buying"
    """Every sell is done."""
    DONE = "done"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    HALTED = "halted"
    FAILED = "failed"
    SHADOWED = "shadowed"
    """Planned beside the pipeline that trades; nothing was sent."""

    @property
    def final(self) -> bool:
        """Whether a redelivery only reports."""
        return self in FINAL

    @property
    def status(self) -> RunStatus:
        """The same in the words of reports."""
        return _STATUS[self]


FINAL = frozenset({Phase.DONE, Phase.PARTIAL, Phase.SKIPPED, Phase.EXPIRED, Phase.HALTED, Phase.FAILED, Phase.SHADOWED})

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.RECEIVED: frozenset(
        {Phase.PLANNED, Phase.SKIPPED, Phase.EXPIRED, Phase.HALTED, Phase.FAILED, Phase.SHADOWED}
    ),
    Phase.PLANNED: frozenset({Phase.SELLING, Phase.BUYING, Phase.DONE, Phase.PARTIAL, Phase.HALTED, Phase.FAILED}),
    Phase.SELLING: frozenset({Phase.BUYING, Phase.DONE, Phase.PARTIAL, Phase.HALTED, Phase.FAILED}),
    Phase.BUYING: frozenset({Phase.DONE, Phase.PARTIAL, Phase.HALTED, Phase.FAILED}),
    **{phase: frozenset[Phase]() for phase in FINAL},
}

_STATUS = {
    Phase.RECEIVED: RunStatus.EXECUTING,
    Phase.PLANNED: RunStatus.EXECUTING,
    Phase.SELLING: RunStatus.EXECUTING,
    Phase.BUYING: RunStatus.EXECUTING,
    Phase.DONE: RunStatus.COMPLETED,
    Phase.PARTIAL: RunStatus.PARTIAL,
    Phase.SKIPPED: RunStatus.SKIPPED,
    Phase.EXPIRED: RunStatus.EXPIRED,
    Phase.HALTED: RunStatus.HALTED,
    Phase.FAILED: RunStatus.FAILED,
    Phase.SHADOWED: RunStatus.SHADOWED,
}

_PHASE = {status: phase for phase, status in _STATUS.items() if phase in FINAL}


def phase_of(status: RunStatus) -> Phase:
    """The final phase of a report's status. Raises KeyError for a status that is not final."""
    return _PHASE[status]


def diagram() -> str:
    """The phases as a Mermaid state diagram: what the documentation shows is this text."""
    arrows = [
        f"    {before.value} --> {after.value}" for before in Phase for after in Phase if after in TRANSITIONS[before]
    ]
    ends = [f"    {phase.value} --> [*]" for phase in Phase if phase.final]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {Phase.RECEIVED.value}", *arrows, *ends])
