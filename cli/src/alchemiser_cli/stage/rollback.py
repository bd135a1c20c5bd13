"""Rolls one service of a stage back: the alias first, in seconds, then the stack, so that it tells the truth."""

from dataclasses import dataclass

from alchemiser_cli.stage.aliases import Version, earlier_versions, live_version, move_live
from alchemiser_cli.stage.candidate import ALIAS
from alchemiser_cli.stage.deployment import Confirm, Deployed, DeployRequest, Stage, deploy, note_mark
from alchemiser_cli.stage.images import Image, Mark
from alchemiser_cli.stage.invoking import LambdaInvoker
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


def roll_back(stage: Stage, service: str, tag: str | None, confirm: Confirm) -> RolledBack:
    """To `tag`, or to the build before the live one. Raises as `deploy`."""
    if service not in SERVICES:
        raise InvalidSettings(f"service {service!r} is none of {', '.join(SERVICES)}")
    stage.account()
    stack = stage.stack()
    if stack is None:
        raise Refused(f"stage {stage.config.name} is not deployed: there is nothing to roll back")
    function = stack.function(service)
    if function is None:
        raise Refused(f"phase {stack.phase} of stage {stage.config.name} has no {service} function")
    stage.require_changeable(stack)
    live = live_version(stage.clients.functions, function)
    image, version = _target(stage, stack, service, tag, live, function)
    if version is not None:
        _put_live(stage, function, image, version, live)
        stage.tell(f"{service}: {image.tag} answers; now the stack, so that it says the same")
    else:
        stage.tell(f"{service}: no version of {image.tag} with the present settings is there; the stack makes one")
    named = stack.parameters[f"{service.capitalize()}Digest"]
    left_digest = named if live.digest == image.digest else live.digest
    if left_digest != image.digest:
        note_mark(stage, service, left_digest, Mark.LEFT)
    done = deploy(stage, DeployRequest(images={service: image.tag}), confirm)
    left = stage.images().tag_of(service, left_digest) or left_digest
    return RolledBack(service, left, image, version is not None, done)


def _target(
    stage: Stage, stack: DeployedStack, service: str, tag: str | None, live: Version, function: str
) -> tuple[Image, Version | None]:
    """Where to go, and the version that already is there."""
    if tag is None and live.digest != stack.parameters[f"{service.capitalize()}Digest"]:
        # An earlier attempt moved the alias and did not come to the stack: its way is gone to the end.
        before = [live]
    else:
        before = earlier_versions(stage.clients.functions, function, live)
    if tag is not None:
        image = stage.images().tagged(service, tag)
        return image, next((version for version in (live, *before) if version.digest == image.digest), None)
    for version in before:
        image_there = stage.images().trusted(service, version.digest)
        if image_there is not None:
            return image_there, version
    raise Refused(
        f"{service} has no earlier build with the present settings that was live, was not left before and whose image "
        "is still there: name one with --tag"
    )


def _put_live(stage: Stage, function: str, image: Image, version: Version, live: Version) -> None:
    """Move the alias and ask who answers; move it back if that is somebody else."""
    if version.number != live.number:
        move_live(stage.clients.functions, function, to=version.number, expected=live.number)
        stage.tell(f"{function}:{ALIAS} names version {version.number} ({image.tag}), no longer {live.number}")
    try:
        require_version(LambdaInvoker(stage.clients.functions, function, ALIAS), image)
    except SmokeFailed as error:
        if version.number != live.number:
            move_live(stage.clients.functions, function, to=live.number, expected=version.number)
        raise SmokeFailed(f"{error}; {function}:{ALIAS} is at version {live.number}") from error
