"""Rolls a service of a stage back, whole: its build, the portfolio's parameters of then, and the universe for both."""

from dataclasses import dataclass

from alchemiser_cli.stage.aliases import Version, earlier_versions, live_version, version_of_build
from alchemiser_cli.stage.deployment import Confirm, Deployed, DeployRequest, deploy, mark_left
from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.portfolio import portfolio_of
from alchemiser_cli.stage.stack import DeployedStack, Refused
from alchemiser_cli.stage.stage import Stage
from alchemiser_cli.stage.trial import Return
from alchemiser_common.errors import InvalidSettings


@dataclass(frozen=True, slots=True)
class RolledBack:
    """From which build to which."""

    service: str
    left: str
    image: Image
    at_once: bool
    """Whether a version of it was there, so that the alias alone brought it back."""
    stack: Deployed


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to go: the build, its version with the present settings, and the parameters that were live with it."""

    image: Image
    version: Version | None
    parameters: dict[str, str]


# A rollback is a deployment (deployment.py has its timeline) of the earlier build and of the portfolio's parameters
# that were live with it, which are read from the version's own frozen variables. What it does besides:
#
#   choose   the build to go to, and a version that has it already         nothing was touched
#   try      that version is asked by its number: it starts and decides    nothing was touched
#   return   after the universe is widened, the alias names it: seconds    the old build is live, the stack lags behind
#   mark     the build that is left is never chosen by itself again        a message; nothing fails for it
#
# From `return` on the same command goes on where it stopped: while alias and stack disagree, or the mark of what was
# left is newer than that of what is live, the live build is still the one to go to, and not the one before it.
def roll_back(stage: Stage, service: str, tag: str | None, confirm: Confirm) -> RolledBack:
    """To `tag`, or to the build before the live one. Raises as `deploy`."""
    if service not in SERVICES:
        raise InvalidSettings(f"service {service!r} is none of {', '.join(SERVICES)}")
    stage.account()
    stack = stage.deployed()
    function = stack.function(service)
    if function is None:
        raise Refused(f"phase {stack.phase} of stage {stage.config.name} has no {service} function")
    stage.require_changeable(stack)
    live = live_version(stage.clients.functions, function)
    target = _target(stage, stack, service, tag, live, function)
    named = _named_digest(stack, service)
    left = named if live.digest == target.image.digest else live.digest
    back = None
    if target.version is not None:
        back = Return(service, function, target.image, target.version, live, left)
    else:
        tag = target.image.tag
        stage.progress(f"{service}: no version of {tag} with the present settings is there; the stack makes one")
    request = DeployRequest(images={service: target.image.tag}, parameters=target.parameters)
    done = deploy(stage, request, confirm, back)
    if back is None and done.carried_out:
        mark_left(stage, service, left, target.image)
    return RolledBack(service, stage.images().tag_of(service, left) or left, target.image, back is not None, done)


def _target(stage: Stage, stack: DeployedStack, service: str, tag: str | None, live: Version, function: str) -> _Target:
    """The build to go to. Raises Refused if there is none to choose."""
    functions, images = stage.clients.functions, stage.images()
    if tag is not None:
        image = images.tagged(service, tag)
        versions = [live, *earlier_versions(functions, function, live)]
        version = next((version for version in versions if version.digest == image.digest), None)
        then = version or version_of_build(functions, function, image.digest)
        return _Target(image, version, {} if then is None else portfolio_of(service, then.variables))
    interrupted = _interrupted(stage, stack, service, live)
    for version in [live] if interrupted else earlier_versions(functions, function, live):
        image_there = images.trusted(service, version.digest)
        if image_there is not None:
            return _Target(image_there, version, portfolio_of(service, version.variables))
    raise Refused(
        f"{service} has no earlier build with the present settings that was live, was not rolled back since, and whose "
        "image still exists: choose a build with --tag"
    )


def _interrupted(stage: Stage, stack: DeployedStack, service: str, live: Version) -> bool:
    """Whether an earlier rollback moved the alias and was stopped before its end: its build is still the one to go to.

    Either the stack has not followed, by its build or by its portfolio; or it has, and the build that was left is
    marked while the one that came is not.
    """
    there = portfolio_of(service, live.variables)
    behind = any(stack.parameters.get(name, "") != value for name, value in there.items())
    return live.digest != _named_digest(stack, service) or behind or stage.images().returning(service, live.digest)


def _named_digest(stack: DeployedStack, service: str) -> str:
    """The digest of the service's image in the stack's parameters."""
    return stack.parameters[f"{service.capitalize()}Digest"]
