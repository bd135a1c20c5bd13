"""The record of releases: which digest of each service is the current one, and which were before.

A deployment takes its image parameters from here (`python -m images parameters`), a rollback its way back.
"""

import os
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from images.errors import ImagesError


class Release(BaseModel):
    """One image of a service that was made the current one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tag: str
    digest: str
    at: AwareDatetime
    rolled_back: bool = False
    """Whether it was left again for an earlier one; a rollback never returns to it by itself."""


class Releases(BaseModel):
    """Every service's releases, oldest first; the last is the current one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    services: dict[str, tuple[Release, ...]] = {}

    def current(self, service: str) -> Release | None:
        """The service's current release."""
        history = self.services.get(service, ())
        return history[-1] if history else None

    def target(self, service: str, tag: str | None) -> Release:
        """Where a rollback goes: to `tag`, or to the last other one that was not itself left. Raises ImagesError."""
        current = self.current(service)
        if current is None:
            raise ImagesError(f"{service} has no release yet: make push-service SERVICE={service}")
        before = [release for release in reversed(self.services[service]) if release.digest != current.digest]
        if tag is not None:
            before = [release for release in before if release.tag == tag]
        else:
            before = [release for release in before if not release.rolled_back]
        if not before:
            known = ", ".join(dict.fromkeys(release.tag for release in self.services[service]))
            raise ImagesError(
                f"{service} is at {current.tag} and has no {tag or 'earlier'} release to go to; known: {known}"
            )
        return before[0]

    def released(self, service: str, release: Release) -> "Releases":
        """The record with a new current release."""
        return self._with(service, (*self.services.get(service, ()), release))

    def rolled_back(self, service: str, to: Release) -> "Releases":
        """The record with `to` as the current release; what was current is marked as left, unless `to` itself was."""
        left = {to.digest: False}
        if (current := self.current(service)) is not None and not to.rolled_back:
            left[current.digest] = True
        history = tuple(
            release.model_copy(update={"rolled_back": left.get(release.digest, release.rolled_back)})
            for release in (*self.services[service], to)
        )
        return self._with(service, history)

    def parameters(self) -> list[str]:
        """The image parameters of deploy/template.yaml, as `sam deploy --parameter-overrides` takes them."""
        found = []
        for service, history in sorted(self.services.items()):
            name = service.capitalize()
            found += [f"{name}Tag={history[-1].tag}", f"{name}Digest={history[-1].digest}"]
        return found

    def _with(self, service: str, history: tuple[Release, ...]) -> "Releases":
        return Releases(services={**self.services, service: history})


def read(file: Path) -> Releases:
    """The record; an absent file is an empty one. Raises ImagesError if it cannot be understood."""
    try:
        return Releases.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return Releases()
    except ValidationError as error:
        raise ImagesError(f"{file} is no record of releases: {error.errors()[0]['msg']}") from error


def write(file: Path, releases: Releases) -> None:
    """Replace the record as a whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}")
    part.write_text(releases.model_dump_json(indent=1) + "\n", "utf-8")
    part.replace(file)
