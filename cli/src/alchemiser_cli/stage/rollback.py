"""Rolls one service of a stage back: the alias first, in seconds, then the stack, so that it says the same."""

from dataclasses import dataclass

from alchemiser_cli.stage.aliases import Version, earlier_versions, live_version, move_live
from alchemiser_cli.stage.candidate import ALIAS
from alchemiser_cli.stage.deployment import Confirm, Deployed, DeployRequest, Stage, deploy, mark_image
from alchemiser_cli.stage.images import Image, Mark
from alchemiser_cli.stage.invoker import LambdaInvoker
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.smoke import SmokeFailed, require_version
from alchemiser_cli.stage.stack import DeployedStack, Refused
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


# The timeline of a rollback, and what an interruption after each step leaves:
#
#   1 check    no run, no other change                                   nothing was touched
#   2 choose   the build to go to, and a version that has it already     nothing was touched
#   3 alias    `live` names that version: seconds, no CloudFormation     the old build is live, the stack says otherwise
#   4 probe    it answers as that build, else the alias goes back        as after 3
#   5 mark     the build that is left is never chosen by itself again    as after 3
#   6 deploy   the stack gets the build's image, as any deployment       stack and alias agree again
#
# The stack comes last because the alias is what must not wait. Between 3 and 6 `alchemiser doctor` reports them at
# odds, and the next `alchemiser rollback` finishes this one instead of going back one build more: see _target.
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
    image, version = _target(stage, stack, service, tag, live, function)
    if version is not None:
        _put_live(stage, function, image, version, live)
        stage.progress(f"{service}: {image.tag} answers; now the stack, so that it says the same")
    else:
        stage.progress(f"{service}: no version of {image.tag} with the present settings is there; the stack makes one")
    named = _named_digest(stack, service)
    left_digest = named if live.digest == image.digest else live.digest
    if left_digest != image.digest:
        mark_image(stage, service, left_digest, Mark.LEFT)
    done = deploy(stage, DeployRequest(images={service: image.tag}), confirm)
    left = stage.images().tag_of(service, left_digest) or left_digest
    return RolledBack(service, left, image, version is not None, done)


def _target(
    stage: Stage, stack: DeployedStack, service: str, tag: str | None, live: Version, function: str
) -> tuple[Image, Version | None]:
    """The build to go to, and the version that has it already. Raises Refused if there is none to choose."""
    if tag is not None:
        image = stage.images().tagged(service, tag)
        versions = [live, *earlier_versions(stage.clients.functions, function, live)]
        return image, next((version for version in versions if version.digest == image.digest), None)
    # If the alias names another build than the stack, an earlier rollback moved it and was interrupted before the
    # stack followed: its build is still the one to go to.
    interrupted = live.digest != _named_digest(stack, service)
    for version in [live] if interrupted else earlier_versions(stage.clients.functions, function, live):
        image_there = stage.images().trusted(service, version.digest)
        if image_there is not None:
            return image_there, version
    raise Refused(
        f"{service} has no earlier build with the present settings that was live, was not rolled back since, and whose "
        "image still exists: choose a build with --tag"
    )


def _named_digest(stack: DeployedStack, service: str) -> str:
    """The digest of the service's image in the stack's parameters."""
    return stack.parameters[f"{service.capitalize()}Digest"]


def _put_live(stage: Stage, function: str, image: Image, version: Version, live: Version) -> None:
    """Move the alias and ask which build answers; if it is another, move it back and raise SmokeFailed."""
    if version.number != live.number:
        move_live(stage.clients.functions, function, to=version.number, expected=live.number)
        stage.progress(f"{function}:{ALIAS} names version {version.number} ({image.tag}), no longer {live.number}")
    try:
        require_version(LambdaInvoker(stage.clients.functions, function, ALIAS), image)
    except SmokeFailed as error:
        if version.number != live.number:
            move_live(stage.clients.functions, function, to=live.number, expected=version.number)
        raise SmokeFailed(f"{error}; {function}:{ALIAS} is at version {live.number}") from error
