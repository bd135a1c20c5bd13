"""Deploys a stage: checked, shown, tried beside what is live, changed by CloudFormation, verified.

Whatever fails before the change is carried out leaves everything as it was; a change that fails is taken back by
CloudFormation; a function that does not answer afterwards gets its alias back.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from alchemiser_cli.stage.aliases import Version, live_version, move_live
from alchemiser_cli.stage.candidate import ALIAS, candidate
from alchemiser_cli.stage.changes import Change, ChangeSet, Progress, carry_out, discard, propose
from alchemiser_cli.stage.clients import StageClients
from alchemiser_cli.stage.config import StageConfig
from alchemiser_cli.stage.guards import require_agreement, require_neighbour, require_settled
from alchemiser_cli.stage.images import EcrTags, Image, ImageRegistry, Mark
from alchemiser_cli.stage.invoker import LambdaInvoker
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.parameters import deployed_images, deployment_parameters
from alchemiser_cli.stage.smoke import SmokeFailed, recorded_decision, require_decision, require_version
from alchemiser_cli.stage.stack import DeployedStack, DeploymentFailed, Refused, read_stack
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.aws.faults import Asking
from alchemiser_common.errors import AlchemiserError, InvalidSettings, StoreUnavailable, WrongAccount
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.state import StateStore
from alchemiser_trading.account.authority import read_authority
from alchemiser_trading.account.lease import require_idle

type Confirm = Callable[[ChangeSet], bool]


@dataclass(frozen=True, slots=True)
class DeployRequest:
    """What is asked for; what is not said stays as it is."""

    phase: str | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    """Tag by service."""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of it."""

    phase: str
    images: tuple[Image, ...]
    """Those that changed."""
    changes: tuple[Change, ...]
    carried_out: bool


@dataclass(frozen=True)
class Stage:
    """A stage with what it takes to work on it."""

    config: StageConfig
    clients: StageClients
    clock: Clock
    progress: Progress
    """Is given each line of progress."""
    strategies: Path | None = None
    """Folder of the user's own strategies."""

    def account(self) -> str:
        """The account that the credentials open. Raises WrongAccount if the stage is said to be in another."""
        with Asking("the credentials", "AWS_PROFILE"):
            found = self.clients.sts.get_caller_identity()["Account"]
        if self.config.account not in {None, found}:
            raise WrongAccount(
                f"these credentials open account {found}; stage {self.config.name} is in {self.config.account} "
                "(deploy/samconfig.toml): choose its profile with AWS_PROFILE"
            )
        return found

    def stack(self) -> DeployedStack | None:
        """The stack as it is now, None if there is none. Raises StoreUnavailable."""
        return read_stack(self.clients.cloudformation, self.config.stack)

    def deployed(self) -> DeployedStack:
        """The same. Raises Refused if the stage is not deployed."""
        stack = self.stack()
        if stack is None:
            raise Refused(
                f"stage {self.config.name} is not deployed: stack {self.config.stack} does not exist in region "
                f"{self.config.region} of this account"
            )
        return stack

    def images(self) -> ImageRegistry:
        """The image repositories."""
        return ImageRegistry(EcrTags(self.clients.ecr, self.config), self.config)

    def state(self, stack: DeployedStack) -> StateStore:
        """The stage's state store."""
        return DynamoStateStore(self.clients.dynamodb, stack.outputs["Table"], lambda: uuid4().hex)

    def require_changeable(self, stack: DeployedStack) -> None:
        """No change and no run is under way. Raises Refused or RunInProgress."""
        require_settled(stack)
        require_idle(self.state(stack), stack.account_alias, self.clock.now())


# The timeline of a deployment, and what a failure of each step leaves:
#
#   1 check      credentials, one phase at a time, authority, no run, no other change    nothing was touched
#   2 look up    digests of the tags, ARNs of the secrets, universe of the strategies    nothing was touched
#   3 propose    CloudFormation works out a change set, which changes nothing            nothing; the set is discarded
#   4 confirm    nothing that holds state is replaced, and a person agrees               nothing; the set is discarded
#   5 probe      each new build answers beside the live one, as a function of its own    nothing; both are discarded
#   6 check      again that no run has begun, since 4 and 5 may take minutes             nothing; the set is discarded
#   7 carry out  CloudFormation makes the change                                         CloudFormation takes it back
#   8 verify     each alias answers as the build that the stack names                    the alias goes back (_verify)
#   9 mark       the registry learns which images went live                              a message; nothing fails for it
#
# Between 7 and 8 a new build is live that was not yet asked through its alias; that is why 5 asks it beforehand. Only 8
# can leave stack and alias at odds: `alchemiser doctor` reports it, `alchemiser rollback` ends it.
def deploy(stage: Stage, request: DeployRequest, confirm: Confirm) -> Deployed:
    """Carry the request out if `confirm` agrees to its changes. Raises what stands against it, or DeploymentFailed."""
    account, stack = stage.account(), stage.stack()
    phase = _target_phase(stage, stack, request)
    changed = _changed_images(stage, stack, request)
    parameters = deployment_parameters(
        stage.config,
        stack,
        stage.clients.secrets,
        account=account,
        phase=phase,
        images=changed,
        given=request.parameters,
        strategies=stage.strategies,
    )
    change = propose(stage.clients, stage.config, parameters, account=account, first=stack is None, clock=stage.clock)
    if change is None:
        return Deployed(phase, (), (), carried_out=False)
    try:
        change.require_kept()
        agreed = confirm(change)
        if agreed:
            before = {} if stack is None else _probe_builds(stage, stack, parameters["Registry"], changed)
            if stack is not None:
                stage.require_changeable(stack)
    except BaseException:
        with suppress(AlchemiserError):  # the first error is the one to report
            discard(stage.clients.cloudformation, change.stack, change.identity)
        raise
    if not agreed:
        discard(stage.clients.cloudformation, change.stack, change.identity)
        return Deployed(phase, changed, change.changes, carried_out=False)
    carry_out(stage.clients.cloudformation, change, stage.clock, stage.progress)
    try:
        _verify(stage, before)
    except StoreUnavailable as error:
        raise StoreUnavailable(
            f"{error}. The stack is changed, but not every function could be asked which build it is now: "
            f"alchemiser doctor --stage {stage.config.name}"
        ) from error
    for image in changed:
        mark_image(stage, image.service, image.digest, Mark.DEPLOYED)
    return Deployed(phase, changed, change.changes, carried_out=True)


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


def _changed_images(stage: Stage, stack: DeployedStack | None, request: DeployRequest) -> tuple[Image, ...]:
    unknown = sorted(set(request.images) - set(SERVICES))
    if unknown:
        raise InvalidSettings(f"service {unknown[0]!r} is none of {', '.join(SERVICES)}")
    missing = [service for service in SERVICES if service not in request.images]
    if stack is None and missing:
        raise InvalidSettings(f"stage {stage.config.name} is not deployed yet: give --tag for all services")
    wanted = [stage.images().tagged(service, tag) for service, tag in request.images.items()]
    there = [] if stack is None else deployed_images(stack, SERVICES)
    return tuple(image for image in wanted if image not in there)


def _probe_builds(stage: Stage, stack: DeployedStack, registry: str, images: Sequence[Image]) -> dict[str, Version]:
    """Ask each new build beside the live one; returns the live versions by service. Raises SmokeFailed.

    A service that the present phase has no function for has nothing to be put beside: it is verified after the change.
    """
    before = {}
    for image in images:
        function = stack.function(image.service)
        if function is None:
            stage.progress(f"{image.service}: not in phase {stack.phase}, verified after the change")
            continue
        before[image.service] = live_version(stage.clients.functions, function)
        with candidate(stage.clients.functions, function, registry, image, stage.clock) as build:
            answer = require_version(build, image)
            stage.progress(f"{image.service}: build {answer.git_sha} answers, messages {answer.schema_version}")
            if image.service == "strategy":
                decision = require_decision(build, stage.config.events)
                same = decision.targets == recorded_decision(stage.config.events).targets
                differs = "" if same else "; not as recorded, which only a changed strategy explains"
                stage.progress(f"strategy: decides on the recorded snapshot{differs}")
    return before


def mark_image(stage: Stage, service: str, digest: str, mark: Mark) -> None:
    """Tag the image in the registry with what became of it; if that fails, it is only reported."""
    try:
        stage.images().mark(service, digest, mark, stage.clock.now())
    except AlchemiserError as error:
        stage.progress(f"{service}: {digest[:19]}… could not be tagged as {mark.value} in the registry: {error}")


def _verify(stage: Stage, before: Mapping[str, Version]) -> None:
    """Every function of the phase answers through its alias as the build that the stack names. Raises DeploymentFailed.

    A new build that does not gives its alias back, unless the version before it has other settings, those of another
    phase: that would be a trader with the wrong rights.
    """
    stack = stage.stack()
    if stack is None:
        raise DeploymentFailed(f"stack {stage.config.stack} does not exist any more")
    for image in deployed_images(stack, SERVICES):
        function = stack.function(image.service)
        if function is None:
            continue
        try:
            require_version(LambdaInvoker(stage.clients.functions, function, ALIAS), image)
        except SmokeFailed as error:
            live, version = live_version(stage.clients.functions, function), before.get(image.service)
            if version is None or not version.set_up_as(live):
                raise DeploymentFailed(
                    f"{error}. There is no version to go back to with the settings of phase {stack.phase}: "
                    "deploy another tag, or go back a phase"
                ) from error
            move_live(stage.clients.functions, function, to=version.number, expected=live.number)
            raise DeploymentFailed(
                f"{error}. {function}:{ALIAS} is back at version {version.number}; make the stack agree: "
                f"alchemiser rollback {stage.config.name} {image.service}"
            ) from error
        stage.progress(f"{image.service}: {image.tag} is live")
