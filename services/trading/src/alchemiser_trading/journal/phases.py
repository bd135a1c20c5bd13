"""The phases of a run and which may follow which. A journal moves along these arrows or not at all."""

from alchemiser_common.messages.report import RunStatus

_ENDS_OF_A_PLAN = frozenset({RunStatus.COMPLETED, RunStatus.PARTIAL, RunStatus.HALTED, RunStatus.FAILED})
_ENDS_BEFORE_ONE = frozenset(
    {RunStatus.SKIPPED, RunStatus.EXPIRED, RunStatus.HALTED, RunStatus.FAILED, RunStatus.SHADOWED}
)

TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.RECEIVED: _ENDS_BEFORE_ONE | {RunStatus.PLANNED},
    RunStatus.PLANNED: _ENDS_OF_A_PLAN | {RunStatus.SELLING, RunStatus.BUYING},
    RunStatus.SELLING: _ENDS_OF_A_PLAN | {RunStatus.BUYING},
    RunStatus.BUYING: _ENDS_OF_A_PLAN,
    **{phase: frozenset[RunStatus]() for phase in RunStatus if phase.final},
}


def diagram() -> str:
    """The phases as a Mermaid state diagram: what the documentation shows is this text."""
    arrows = [
        f"    {before.value} --> {after.value}"
        for before in TRANSITIONS
        for after in RunStatus
        if after in TRANSITIONS[before]
    ]
    ends = [f"    {phase.value} --> [*]" for phase in RunStatus if phase.final]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {RunStatus.RECEIVED.value}", *arrows, *ends])
