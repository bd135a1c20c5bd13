"""Deploys a stage: checked, shown, tried beside what is live, changed by CloudFormation, verified.

Whatever fails before the change is carried out leaves everything as it was; a change that fails is taken back by
CloudFormation; a function that does not answer afterwards gets its alias back.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from alchemiser_cli.options import Signature
from alchemiser_cli.stage.aliases import Version, live_version, move_live
from alchemiser_cli.stage.candidate import ALIAS
from alchemiser_cli.stage.changes import Change, ChangeSet, carry_out, discard, propose
from alchemiser_cli.stage.gate import Blocker, blockers, require_open
from alchemiser_cli.stage.guards import require_agreement, require_neighbour
from alchemiser_cli.stage.images import Image, Mark
from alchemiser_cli.stage.invoker import LambdaInvoker
from alchemiser_cli.stage.names import PHASES, SERVICES
from alchemiser_cli.stage.parameters import deployed_images, deployment_parameters
from alchemiser_cli.stage.rollout_state import read_rollout_state
from alchemiser_cli.stage.smoke import SmokeFailed, require_composition, require_version
from alchemiser_cli.stage.stack import DeployedStack, DeploymentFailed
from alchemiser_cli.stage.stage import Stage
from alchemiser_cli.stage.trial import Return, Trial, examine, try_change, universe_of
from alchemiser_cli.stage.universe_record import settle, widen
from alchemiser_common.errors import AlchemiserError, InvalidSettings, StoreUnavailable
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.probes import StrategyInPlay
from alchemiser_trading.account.audit import Change as AuditedChange
from alchemiser_trading.account.audit import next_entry
from alchemiser_trading.account.authority import read_authority

type Confirm = Callable[[ChangeSet], bool]


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What is asked for; what is not said stays as it is."""

    phase: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    """Tag by service."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    only_plan: bool = False
    """Show the changes and write nothing."""
    override: Signature | None = None
    """Who answers for a step past the gate's conditions, and why."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of it."""

    phase: str
    images: tuple[Image, ...]
    """Those that changed."""
    changes: tuple[Change, ...]
    carried_out: bool
    strategies: tuple[StrategyInPlay, ...] = ()
    """What decides now, by what rules; empty if nothing was asked."""
    decisions: Mapping[str, TradeDecision] = field(default_factory=dict)
    """What the builds that changed decided when they were tried, by service."""


# The timeline of a deployment, and what a failure of each step leaves:
#
#   1 check      credentials, one phase at a time, the gate, no run, no other change     nothing was touched
#   2 look up    digests of the tags, ARNs of the secrets                                nothing was touched
#   3 propose    CloudFormation works out a change set, which changes nothing            nothing; the set is discarded
#   4 confirm    nothing that holds state is replaced, and a person agrees               nothing; the set is discarded
#   5 try        every function that changes starts and decides beside the live one      nothing; all are discarded
#   6 check      again that no run has begun, since 4 and 5 may take minutes             nothing; the set is discarded
#   7 widen      the stored universe covers what is live and what comes                  a universe that fits both
#                and the audit, if a person answers for a step past the gate
#   8 return     only in a rollback: the alias names the earlier version, in seconds     an alias ahead of the stack
#   9 carry out  CloudFormation makes the change                                         CloudFormation takes it back
#  10 verify     each alias answers as the build that the stack names, and starts        the alias goes back
#  11 settle     the stored universe is what is live, no more                            the wider one, as after 7
#  12 mark       the registry learns which images went live                              a message; nothing fails for it
#
# Between 9 and 10 a new build is live that was not yet asked through its alias; that is why 5 asks it beforehand. Only
# 8 and 10 can leave stack and alias at odds: `alchemiser doctor` reports it, `alchemiser rollback` ends it. What 11
# leaves is ended by the next deployment, also by one that has nothing to change.
def deploy(stage: Stage, request: DeployRequest, confirm: Confirm, back: Return | None = None) -> Deployed:
    """Carry the request out if `confirm` agrees to its changes, in a rollback by way of the version in `back`.

    Raises what stands against it, or DeploymentFailed.
    """
    account, stack = stage.account(), stage.stack()
    phase = _target_phase(stage, stack, request)
    changed = _changed_images(stage, stack, request)
    overridden = _through_the_gate(stage, stack, phase, changed, request)
    parameters = deployment_parameters(
        stage.config,
        stack,
        stage.clients.secrets,
        account=account,
        phase=phase,
        images=changed,
        given=request.parameters,
    )
    change = propose(stage.clients, stage.config, parameters, account=account, first=stack is None, clock=stage.clock)
    if change is None:
        return _nothing_to_change(stage, stack, request, phase, back)
    trial = Trial()
    try:
        change.require_kept()
        agreed = confirm(change)
        if agreed and stack is not None:
            trial = try_change(stage, stack, parameters, back)
            stage.require_changeable(stack)
    except BaseException:
        with suppress(AlchemiserError):  # the first error is the one to report
            discard(stage.clients.cloudformation, change.stack, change.identity)
        raise
    if not agreed:
        discard(stage.clients.cloudformation, change.stack, change.identity)
        return Deployed(phase, changed, change.changes, carried_out=False)
    if stack is not None and overridden and request.override is not None:
        _note_override(stage, stack, phase, overridden, request.override)
    needed = universe_of(phase, trial.answers)
    if stack is not None and needed is not None:
        widen(stage.state(stack), stack.account_alias, needed)
    if back is not None:
        put_live(stage, back)
        mark_left(stage, back.service, back.left, back.image)
    carry_out(stage.clients.cloudformation, change, stage.clock, stage.progress)
    try:
        live = _verified(stage, trial)
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"{error}. The stack is changed, but not every function could be asked which build it is now: "
            f"alchemiser doctor --stage {stage.config.name}"
        ) from error
    for image in changed:
        mark_image(stage, image.service, image.digest, Mark.DEPLOYED)
    return Deployed(phase, changed, change.changes, True, live.strategies(phase), trial.decisions | live.decisions)


def _nothing_to_change(
    stage: Stage, stack: DeployedStack | None, request: DeployRequest, phase: str, back: Return | None
) -> Deployed:
    """The stack is as asked; what an interrupted change left beside it is finished."""
    if stack is None or request.only_plan:
        return Deployed(phase, (), (), carried_out=False)
    trial = Trial()
    if back is not None:
        put_live(stage, back)
    for service in ("strategy", "monolith"):
        function = stack.function(service)
        if function is not None:
            trial.answers[service] = require_composition(LambdaInvoker(stage.clients.functions, function, ALIAS))
    _settle(stage, stack, trial)
    if back is not None:
        mark_left(stage, back.service, back.left, back.image)
        mark_image(stage, back.service, back.image.digest, Mark.DEPLOYED)
    return Deployed(phase, (), (), False, trial.strategies(phase))


def put_live(stage: Stage, back: Return) -> None:
    """Move the alias to the earlier version and ask which build answers; if it is another, move it back.

    Raises SmokeFailed, or Conflict if it was moved meanwhile.
    """
    functions, function, version, live = stage.clients.functions, back.function, back.version, back.live
    if version.number != live.number:
        move_live(functions, function, to=version.number, expected=live.number)
        stage.progress(f"{function}:{ALIAS} names version {version.number} ({back.image.tag}), no longer {live.number}")
    try:
        require_version(LambdaInvoker(functions, function, ALIAS), back.image)
    except SmokeFailed as error:
        if version.number != live.number:
            move_live(functions, function, to=live.number, expected=version.number)
        raise SmokeFailed(f"{error}; {function}:{ALIAS} is at version {live.number}") from error


def _target_phase(stage: Stage, stack: DeployedStack | None, request: DeployRequest) -> str:
    """The phase to be in, reached by one allowed step."""
    if stack is None:
        require_neighbour(None, request.phase or "monolith")
        return request.phase or "monolith"
    stage.require_changeable(stack)
    phase = request.phase or stack.phase
    require_neighbour(stack.phase, phase)
    authority = read_authority(stage.state(stack), stack.account_alias)
    if authority is not None or phase != "monolith":  # the first phase is where authority is given at first
        require_agreement(None if authority is None else authority.pipeline, stack.phase, phase)
    return phase


def _through_the_gate(
    stage: Stage, stack: DeployedStack | None, phase: str, changed: Sequence[Image], request: DeployRequest
) -> Sequence[Blocker]:
    """Past the gate, if the deployment is a step forward: the conditions that somebody answers for. A plan only says
    what blocks it. Raises Refused.
    """
    if stack is None or PHASES.index(phase) <= PHASES.index(stack.phase):
        return ()
    state = read_rollout_state(stage)
    found = blockers(state, phase, images=[image.service for image in changed])
    if request.only_plan:
        for blocker in found:
            stage.progress(f"blocked: {blocker}")
        return ()
    require_open(state, phase, found, override=request.override is not None)
    return found


def _note_override(stage: Stage, stack: DeployedStack, phase: str, past: Sequence[Blocker], by: Signature) -> None:
    """Into the audit, before anything moves: past what the step went, and on whose word."""
    what = f"gate: {stack.phase} to {phase} in spite of: {'; '.join(map(str, past))}"
    store, change = stage.state(stack), AuditedChange(what, by.who, by.reason, stage.clock.now())
    store.write(next_entry(store, stack.account_alias, change, "gate"))


def _changed_images(stage: Stage, stack: DeployedStack | None, request: DeployRequest) -> tuple[Image, ...]:
    unknown = sorted(set(request.images) - set(SERVICES))
    if unknown:
        raise InvalidSettings(f"service {unknown[0]!r} is none of {', '.join(SERVICES)}")
    missing = [service for service in SERVICES if service not in request.images]
    if stack is None and missing:
        raise InvalidSettings(f"stage {stage.config.name} is not deployed yet: give --tag for all services")
    wanted = [stage.images().tagged(service, tag) for service, tag in request.images.items()]
    there = [] if stack is None else deployed_images(stack.parameters, SERVICES)
    return tuple(image for image in wanted if image not in there)


def mark_left(stage: Stage, service: str, digest: str, instead: Image) -> None:
    """Tag the image that a rollback leaves, so that none goes back to it by itself."""
    if digest != instead.digest:
        mark_image(stage, service, digest, Mark.LEFT)


def mark_image(stage: Stage, service: str, digest: str, mark: Mark) -> None:
    """Tag the image in the registry with what became of it; if that fails, it is only reported."""
    try:
        stage.images().mark(service, digest, mark, stage.clock.now())
    except AlchemiserError as error:
        stage.progress(f"{service}: {digest[:19]}… could not be tagged as {mark.value} in the registry: {error}")


def _verified(stage: Stage, trial: Trial) -> Trial:
    """What is live now, once every function of the phase has answered through its alias. Raises DeploymentFailed.

    It must be the build that the stack names, and start with its settings. One that does not gives its alias back,
    unless the version before has other settings, those of another phase: that would be a trader with the wrong rights.
    """
    stack, live, new = stage.stack(), Trial(), dict[str, LambdaInvoker]()
    if stack is None:
        raise DeploymentFailed(f"stack {stage.config.stack} does not exist any more")
    for image in deployed_images(stack.parameters, SERVICES):
        name = stack.function(image.service)
        if name is None:
            continue
        function = LambdaInvoker(stage.clients.functions, name, ALIAS)
        try:
            require_version(function, image)
            if image.service in trial.unwell:
                continue
            live.answers[image.service] = require_composition(function)
        except SmokeFailed as error:
            raise _given_back(stage, stack, image, name, trial.before.get(image.service), error) from error
        if image.service not in trial.answers:
            new[image.service] = function
        stage.progress(f"{image.service}: {image.tag} is live")
    try:
        if new:
            examine(stage, stack, live, new, stack.phase)
    except AlchemiserError as error:
        raise DeploymentFailed(
            f"{error}. The stack is changed; {', '.join(new)} could not be tried before it: deploy other builds or "
            "parameters"
        ) from error
    _settle(stage, stack, live)
    return live


def _given_back(
    stage: Stage, stack: DeployedStack, image: Image, function: str, before: Version | None, error: SmokeFailed
) -> DeploymentFailed:
    """The error to raise, once the alias is back where it was if it may be."""
    functions = stage.clients.functions
    live = live_version(functions, function)
    if before is None or not before.set_up_as(live):
        return DeploymentFailed(
            f"{error}. There is no version to go back to with the settings of phase {stack.phase}: "
            "deploy another tag, or go back a phase"
        )
    move_live(functions, function, to=before.number, expected=live.number)
    return DeploymentFailed(
        f"{error}. {function}:{ALIAS} is back at version {before.number}; make the stack agree: "
        f"alchemiser rollback {stage.config.name} {image.service}"
    )


def _settle(stage: Stage, stack: DeployedStack, live: Trial) -> None:
    """The stored universe is what the live strategies need, no more."""
    needed = universe_of(stack.phase, live.answers)
    if needed is not None and settle(stage.state(stack), stack.account_alias, needed):
        stage.progress(f"the stored universe is {len(needed)} symbols, up to {max(needed.values())} bars of each")
