"""The phases of a run and which may follow which. A journal moves along these arrows or not at all."""

from alchemiser_common.messages.report import RunStatus
from alchemiser_common.records.journal import Phase

TRANSITIONS: dict[Phase, frozenset[Phase]] = {
    Phase.RECEIVED: frozenset(
        {Phase.PLANNED, Phase.SKIPPED, Phase.EXPIRED, Phase.HALTED, Phase.FAILED, Phase.SHADOWED}
    ),
    Phase.PLANNED: frozenset({Phase.SELLING, Phase.BUYING, Phase.DONE, Phase.PARTIAL, Phase.HALTED, Phase.FAILED}),
    Phase.SELLING: frozenset({Phase.BUYING, Phase.DONE, Phase.PARTIAL, Phase.HALTED, Phase.FAILED}),
    Phase.BUYING: frozenset({Phase.DONE, Phase.PARTIAL, Phase.HALTED, Phase.FAILED}),
    **{phase: frozenset[Phase]() for phase in Phase if phase.final},
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

_PHASE = {status: phase for phase, status in _STATUS.items() if phase.final}


def status_of_phase(phase: Phase) -> RunStatus:
    """A phase in the words of reports."""
    return _STATUS[phase]


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
