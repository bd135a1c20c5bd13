"""What must hold before a stage is changed: settled, no run in progress, a neighbouring phase, one trader agreed on."""

from collections.abc import Mapping
from enum import StrEnum

from alchemiser_cli.stage.names import PHASES
from alchemiser_cli.stage.stack import DeployedStack, Refused
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline


class ShadowKey(StrEnum):
    """Which key the pipeline works with that only plans."""

    OWN = "own"
    """Another one than the key that trades; whether it can trade, `doctor` asks the broker."""
    SHARED = "shared"
    """The one that trades: of the three barriers of a shadow this one is absent."""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "ShadowKey":
        """By the secrets that a stack's parameters name."""
        return cls.SHARED if parameters["ShadowSecretArn"] == parameters["BrokerSecretArn"] else cls.OWN


def trader_of(phase: str) -> Pipeline:
    """The pipeline whose function may trade in a phase; the state store must say the same."""
    return Pipeline.MODULAR if phase in {"cutover", "modular"} else Pipeline.MONOLITH


def require_neighbour(now: str | None, to: str) -> None:
    """One step at a time, from `now` (None: nothing is deployed). Raises InvalidSettings."""
    if to not in PHASES:
        raise InvalidSettings(f"phase {to!r} is none of {', '.join(PHASES)}")
    if now is None:
        if to != PHASES[0]:
            raise InvalidSettings(f"phase {to} cannot be the first: deploy {PHASES[0]}, then one phase after the other")
        return
    here, there = PHASES.index(now), PHASES.index(to)
    if abs(here - there) > 1:
        between = PHASES[here + 1 : there] if there > here else tuple(reversed(PHASES[there + 1 : here]))
        raise InvalidSettings(f"from phase {now} to {to} leaves out {', '.join(between)}: deploy {between[0]} first")


def require_agreement(authority: Pipeline | None, now: str, to: str) -> None:
    """A phase moves while its trader has the authority; the authority follows as a step of its own. Raises Refused.

    Between the two steps nobody trades. Then only the way back is open, to the phase that agrees.
    """
    if authority in {trader_of(now), trader_of(to)}:
        return
    has = "nobody" if authority is None else authority.value
    wanted = trader_of(now).value
    raise Refused(
        f"in phase {now} the {wanted} pipeline trades, but {has} has the authority: finish that step first "
        f"(`alchemiser authority --set {wanted} --reason …`) or go back to the phase before it"
    )


def require_settled(stack: DeployedStack) -> None:
    """CloudFormation is not at work on it. Raises Refused."""
    if stack.settled:
        return
    if stack.status == "ROLLBACK_COMPLETE":
        raise Refused(
            f"stack {stack.name} is {stack.status}: its first deployment failed. Delete it "
            f"(aws cloudformation delete-stack --stack-name {stack.name}); what holds state stays. Then deploy again"
        )
    if stack.status.endswith("_IN_PROGRESS"):
        raise Refused(f"stack {stack.name} is {stack.status}: another change is at work; wait for its end")
    raise Refused(
        f"stack {stack.name} is {stack.status} {stack.reason}: mend that first "
        f"(aws cloudformation describe-stack-events --stack-name {stack.name})"
    )
