"""The tags in a plain registry, for rehearsing what a stage does with those in ECR (alchemiser_cli.stage.images).

Speaks the distribution API of a registry on this machine, which asks for no credentials.
"""

import json
from dataclasses import dataclass

import requests

from alchemiser_common.errors import StoreUnavailable

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPTED = {"Accept": ", ".join(_MANIFESTS)}
_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PlainTags:
    """The registry at `address` (host:port), whose repositories are `prefix`/service."""

    address: str
    prefix: str

    def digest(self, service: str, tag: str) -> str | None:
        """What the tag stands for; None if it is free."""
        found = self._ask("HEAD", service, f"manifests/{tag}")
        return None if found is None else found.headers["Docker-Content-Digest"]

    def tags(self, service: str, digest: str) -> list[str]:
        """All tags of an image; none if it is gone."""
        return [tag for tag in self._all_tags(service) if self.digest(service, tag) == digest]

    def newest_tags(self, service: str) -> list[str]:
        """Every tag, those of the image that was made last first: the registry does not tell when one was pushed."""
        made = {tag: self._made(service, tag) for tag in self._all_tags(service)}
        return sorted(made, key=lambda tag: made[tag], reverse=True)

    def add_tag(self, service: str, digest: str, tag: str) -> None:
        """Give an image one more tag; nothing happens if it is gone."""
        manifest = self._ask("GET", service, f"manifests/{digest}")
        if manifest is not None:
            kind = manifest.headers["Content-Type"]
            self._ask("PUT", service, f"manifests/{tag}", manifest.content, {"Content-Type": kind})

    def _all_tags(self, service: str) -> list[str]:
        found = self._ask("GET", service, "tags/list")
        return [] if found is None else found.json()["tags"] or []

    def _made(self, service: str, tag: str) -> str:
        """When the image was made, as its configuration has it: UTC, so that texts sort as times do."""
        manifest = self._ask("GET", service, f"manifests/{tag}")
        if manifest is None:
            return ""
        config = self._ask("GET", service, f"blobs/{json.loads(manifest.content)['config']['digest']}")
        return "" if config is None else str(json.loads(config.content).get("created", ""))

    def _ask(
        self, method: str, service: str, what: str, body: bytes = b"", headers: dict[str, str] = _ACCEPTED
    ) -> requests.Response | None:
        """The answer, None if it is that there is no such thing. Raises StoreUnavailable."""
        url = f"http://{self.address}/v2/{self.prefix}/{service}/{what}"
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy leads to this machine
                answer = session.request(method, url, data=body, headers=headers, timeout=_TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise StoreUnavailable(f"the registry at {self.address} does not answer: {error}") from error
        if answer.status_code == requests.codes.not_found:
            return None
        if not answer.ok:
            raise StoreUnavailable(f"the registry at {self.address} answers {method} {what} with: {answer.text[:300]}")
        return answer
