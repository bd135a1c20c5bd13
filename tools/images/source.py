"""Which build this tree gives: the commit, whether the tree differs from it, the versions the images carry."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from alchemiser_common import __version__
from alchemiser_common.messages.base import SCHEMA_VERSION
from images.errors import ImagesError

_SHORT = 12


@dataclass(frozen=True, slots=True)
class Source:
    """What the images say of themselves. `tag` is the git sha in short, with -dirty if files differ from the commit."""

    revision: str
    dirty: bool
    url: str

    @property
    def tag(self) -> str:
        """Tag of the images, and the git sha they answer the version probe with."""
        return self.revision[:_SHORT] + ("-dirty" if self.dirty else "")

    def build_arguments(self) -> dict[str, str]:
        """The Dockerfiles' arguments."""
        return {
            "GIT_SHA": self.tag,
            "REVISION": self.revision,
            "VERSION": __version__,
            "SCHEMA_VERSION": SCHEMA_VERSION,
            "SOURCE": self.url,
        }


def read_source(root: Path) -> Source:
    """The tree's commit. Raises ImagesError outside a git repository."""
    revision = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain")
    remotes = _git(root, "remote")
    remote = _git(root, "remote", "get-url", "origin") if "origin" in remotes.split() else ""
    return Source(revision=revision, dirty=bool(changed), url=public_url(remote))


def public_url(remote: str) -> str:
    """A repository's address as a label may carry it: https only, without a password; else the project's name."""
    parts = urlsplit(remote)
    if parts.scheme != "https" or not parts.hostname:
        return "alchemiser"
    return f"https://{parts.hostname}{parts.path.removesuffix('.git')}"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImagesError(f"the images' tag is the git commit, and git says: {done.stderr.strip()}")
    return done.stdout.strip()
