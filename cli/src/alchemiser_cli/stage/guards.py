"""What must hold before a stage is changed: settled, no run in progress, a neighbouring phase, one trader agreed on."""

from datetime import datetime

from alchemiser_cli.stage.names import PHASES
from alchemiser_cli.stage.stack import DeployedStack, Refused
from alchemiser_common import keys
from alchemiser_common.errors import InvalidSettings, RunInProgress
from alchemiser_common.ids import Pipeline
from alchemiser_common.ports.state import StateStore, load
from alchemiser_trading.account.lease import LeaseRecord


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


def require_idle(store: StateStore, account_alias: str, now: datetime) -> None:
    """No run of the account is under way. Raises RunInProgress with the run and what to do."""
    known = load(store, keys.lease_record(account_alias), LeaseRecord)
    if known is None:
        return
    lease = known.value
    if lease.unfinished_run is not None:
        until = "" if lease.unfinished_until is None else f", which may trade until {lease.unfinished_until:%H:%M} UTC"
        raise RunInProgress(
            f"run {lease.unfinished_run} of account {account_alias} has not ended{until}: wait for its end, "
            "or see docs/runbooks/stuck-run.md"
        )
    if lease.held(now):
        raise RunInProgress(
            f"account {account_alias} is worked on by {lease.owner} until {lease.expires_at:%H:%M:%S} UTC: wait for it"
        )
