"""A service's images: the digest of a tag, the tag of a digest, and marks of what was deployed, and left.

The tags are all that is kept. ECR holds them for a stage; a plain registry does for a rehearsal (tools/images).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from alchemiser_cli.stage.config import StageConfig
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.build_tag import is_pushed_tag
from alchemiser_common.errors import InvalidSettings

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient

_SHOWN = 5
_MISSING = {"ImageNotFoundException", "RepositoryNotFoundException"}


@dataclass(frozen=True, slots=True)
class Image:
    """One pushed image."""

    service: str
    tag: str
    """Git commit, and the hash of one's own strategies (alchemiser_common.build_tag)."""
    digest: str

    def parameters(self) -> dict[str, str]:
        """As the template takes them."""
        name = self.service.capitalize()
        return {f"{name}Tag": self.tag, f"{name}Digest": self.digest}


class Mark(StrEnum):
    """What became of an image in a stage; a tag says it, with stage and time."""

    DEPLOYED = "deployed"
    """It went live and answered."""
    LEFT = "left"
    """A rollback left it; no rollback goes back to it by itself."""


class TagStore(Protocol):
    """The tags in a registry, by service. Raises StoreUnavailable if it is out of reach."""

    def digest(self, service: str, tag: str) -> str | None:
        """What the tag stands for; None if it is free."""
        ...

    def tags(self, service: str, digest: str) -> list[str]:
        """All tags of an image; none if it is gone."""
        ...

    def newest_tags(self, service: str) -> list[str]:
        """Every tag, those of the newest image first; none if the repository is not there."""
        ...

    def add_tag(self, service: str, digest: str, tag: str) -> None:
        """Give an image one more tag; nothing happens if it is gone."""
        ...


class ImageRegistry:
    """The images of a stage, known by their tags alone."""

    def __init__(self, tags: TagStore, config: StageConfig) -> None:
        self._tags = tags
        self._config = config

    def tagged(self, service: str, tag: str) -> Image:
        """The image with that tag. Raises InvalidSettings naming the tags that are there."""
        if not is_pushed_tag(tag):
            raise InvalidSettings(
                f"tag {tag!r} is no git commit (7 to 40 hexadecimal digits), with or without the hash of strategies "
                "behind it; images are never `latest`"
            )
        digest = self._tags.digest(service, tag)
        if digest is None:
            commits = [known for known in self._tags.newest_tags(service) if is_pushed_tag(known)]
            raise InvalidSettings(
                f"{service} has no image tagged {tag} in {self._config.repository(service)} ({self._config.region}); "
                f"newest are: {', '.join(commits[:_SHOWN]) or 'none'}. "
                f"Push it first: make push-service SERVICE={service}"
            )
        return Image(service, tag, digest)

    def has(self, image: Image) -> bool:
        """Whether the tag is there and stands for the digest."""
        return self._tags.digest(image.service, image.tag) == image.digest

    def tag_of(self, service: str, digest: str) -> str | None:
        """The build of a digest, or None if it is gone or has none."""
        return next((tag for tag in self._tags.tags(service, digest) if is_pushed_tag(tag)), None)

    def trusted(self, service: str, digest: str) -> Image | None:
        """The image if it was live in this stage and no rollback left it since; None if not, or if it is gone."""
        tags = self._tags.tags(service, digest)
        commits = [tag for tag in tags if is_pushed_tag(tag)]
        last = {mark: max((tag for tag in tags if tag.startswith(self._mark(mark))), default="") for mark in Mark}
        times = {mark: tag.rpartition("-")[2] for mark, tag in last.items()}
        good = times[Mark.DEPLOYED] > times[Mark.LEFT]
        return Image(service, commits[0], digest) if commits and good else None

    def returning(self, service: str, digest: str) -> bool:
        """Whether a rollback left another image for this one, and has not come to its end since."""
        left = max(
            (tag for tag in self._tags.newest_tags(service) if tag.startswith(self._mark(Mark.LEFT))), default=""
        )
        if not left or self._tags.digest(service, left) == digest:
            return False
        own = self._tags.tags(service, digest)
        deployed = max((tag for tag in own if tag.startswith(self._mark(Mark.DEPLOYED))), default="")
        return left.rpartition("-")[2] > deployed.rpartition("-")[2]

    def mark(self, service: str, digest: str, mark: Mark, now: datetime) -> None:
        """Tag the image with what became of it here. What carries a deployment's mark is kept by the clean-up."""
        self._tags.add_tag(service, digest, f"{self._mark(mark)}{now:%Y%m%dT%H%M%S%f}Z")

    def _mark(self, mark: Mark) -> str:
        return f"{mark.value}-{self._config.name}-"


class EcrTags:
    """The repositories of a stage's account."""

    def __init__(self, client: "ECRClient", config: StageConfig) -> None:
        self._client = client
        self._config = config

    def digest(self, service: str, tag: str) -> str | None:
        """What the tag stands for; None if it is free."""
        repository = self._config.repository(service)
        with self._asking(repository):
            try:
                found = self._client.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return None
                raise
        return found["imageDetails"][0]["imageDigest"]

    def tags(self, service: str, digest: str) -> list[str]:
        """All tags of an image; none if it is gone."""
        with self._asking(service):
            try:
                found = self._client.describe_images(
                    repositoryName=self._config.repository(service), imageIds=[{"imageDigest": digest}]
                )["imageDetails"]
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return []
                raise
        return [tag for detail in found for tag in detail.get("imageTags", [])]

    def newest_tags(self, service: str) -> list[str]:
        """Every tag, those of the newest image first; none if the repository is not there."""
        repository = self._config.repository(service)
        with self._asking(repository):
            try:
                details = self._client.describe_images(repositoryName=repository)["imageDetails"]
            except ClientError as error:
                if code_of(error) in _MISSING:
                    return []
                raise
        details.sort(key=lambda detail: detail["imagePushedAt"], reverse=True)
        return [tag for detail in details for tag in detail.get("imageTags", [])]

    def add_tag(self, service: str, digest: str, tag: str) -> None:
        """Give an image one more tag; nothing happens if it is gone."""
        repository = self._config.repository(service)
        with self._asking(service):
            found = self._client.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])[
                "images"
            ]
            for image in found[:1]:
                kind: Any = {key: image[key] for key in ("imageManifestMediaType",) if image.get(key)}
                self._client.put_image(
                    repositoryName=repository, imageManifest=image["imageManifest"], imageTag=tag, **kind
                )

    def _asking(self, what: str) -> Asking:
        return Asking(f"image repository of {what}", "deploy/registry.yaml, which makes the repositories")
