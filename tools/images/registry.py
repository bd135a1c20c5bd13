"""Pushes images whose tags never move: each proves by its version probe what it is before it goes to the registry."""

import json
from datetime import timedelta
from pathlib import Path

from alchemiser_common.build_tag import is_dirty
from images.docker import docker, docker_aloud, exists
from images.errors import ImagesError
from images.function import running
from images.settings import ImageSettings
from local.functions import Answered

_PROBE = b'{"probe": "version"}'
_PROBE_TIME = timedelta(seconds=60)
_ABSENT = ("no such manifest", "manifest unknown", "not found")


# Everything that could refuse the image comes before the tag is taken, for a tag that is taken stays:
#   clean tree → built → built from that commit → answers its probe as that commit → tag free, or the same image
# "The same" is the same image id, the digest of its configuration: a push may compress layers anew and so give the
# same image another manifest digest.
def push(service: str, tag: str, settings: ImageSettings, emulator: Path) -> str:
    """Push the built image `tag`; returns its digest. What became of it there is for a deployment's marks to say.

    Raises ImagesError: no such image, a dirty or foreign tag, a wrong answer to the version probe, or another image
    under this tag in the registry. The same image again is no error.
    """
    local, remote = f"{settings.local_name(service)}:{tag}", f"{settings.registry_name(service)}:{tag}"
    if is_dirty(tag):
        raise ImagesError(f"{tag} is not pushed: the tree differs from its commit; commit, build again, then push")
    if not exists(local):
        raise ImagesError(f"{local} is not built yet: make build-service SERVICE={service}")
    labelled = docker("image", "inspect", "--format", '{{index .Config.Labels "alchemiser.git-sha"}}', local)
    if labelled != tag:
        raise ImagesError(f"{local} was built from {labelled}; a pushed tag is the git commit it was built from")
    verify(local, service, tag, emulator)
    there = _pushed(remote)
    if there is None:
        docker("image", "tag", local, remote)
        docker_aloud(["image", "push", remote])
        there = _pushed(remote)
        if there is None:
            raise ImagesError(f"{remote} was pushed, but the registry does not know it")
    elif docker("image", "inspect", "--format", "{{.Id}}", local) not in there:
        raise ImagesError(f"{remote} exists with other content; tags are immutable: commit, and push under the new one")
    digest, _ = there
    return digest


def verify(image: str, service: str, git_sha: str, emulator: Path) -> None:
    """Start the image and ask it which build it is. Raises ImagesError if it is another one or does not answer."""
    with running(image, emulator=emulator, timeout=_PROBE_TIME) as function:
        outcome = function.invoke(_PROBE)
    said = outcome.payload if isinstance(outcome, Answered) else None
    if not isinstance(said, dict) or (said.get("service"), said.get("git_sha")) != (service, git_sha):
        raise ImagesError(
            f"{image} was asked for its version and should be {service} {git_sha}; it says {outcome.text}"
        )


def _pushed(remote: str) -> tuple[str, str] | None:
    """Digest and image id of what a tag in the registry names, None if the tag is free."""
    try:
        manifest = json.loads(docker("manifest", "inspect", "--insecure", "--verbose", remote))
    except ImagesError as error:
        if any(words in str(error).lower() for words in _ABSENT):
            return None
        raise
    if not isinstance(manifest, dict):
        raise ImagesError(f"{remote} names images of several platforms; Lambda takes one")
    body = manifest.get("SchemaV2Manifest") or manifest["OCIManifest"]
    return str(manifest["Descriptor"]["digest"]), str(body["config"]["digest"])
