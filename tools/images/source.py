"""Which build this tree gives: the commit, what differs from it, the own strategies, the versions the images carry."""

import hashlib
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from alchemiser_common import __version__
from alchemiser_common.build_tag import build_tag
from alchemiser_common.messages.base import SCHEMA_VERSION
from images.errors import ImagesError
from images.strategies import OwnStrategies

_IN_IMAGES = ("libs", "services", "deploy", "tools/uv.lock", "tools/images")
"""Where a file that git does not know can get into an image, or change how one is built."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the images say of themselves. Hashes are SHA-256 in hex."""

    revision: str
    url: str
    changes: str = ""
    """Hash of what differs from the commit; empty if nothing does."""
    strategies: str = ""
    """Hash of the own strategies; empty if there are none."""

    @property
    def tag(self) -> str:
        """Tag of the images, and what they answer the version probe with (alchemiser_common.build_tag)."""
        return build_tag(self.revision, strategies=self.strategies, changes=self.changes)

    def build_arguments(self) -> dict[str, str]:
        """The Dockerfiles' arguments."""
        return {
            "GIT_SHA": self.tag,
            "REVISION": self.revision,
            "VERSION": __version__,
            "SCHEMA_VERSION": SCHEMA_VERSION,
            "SOURCE": self.url,
        }


def read_source(root: Path, strategies: OwnStrategies | None = None) -> Source:
    """The tree's commit, with those strategies in the images. Raises ImagesError outside a git repository."""
    revision = _git(root, "rev-parse", "HEAD").strip()
    changed = _git(root, "status", "--porcelain")
    remotes = _git(root, "remote")
    remote = _git(root, "remote", "get-url", "origin").strip() if "origin" in remotes.split() else ""
    return Source(
        revision=revision,
        url=public_url(remote),
        changes=_hash_of_changes(root) if changed else "",
        strategies="" if strategies is None else strategies.content_hash(),
    )


def public_url(remote: str) -> str:
    """A repository's address as a label may carry it: https only, without a password; else the project's name."""
    parts = urlsplit(remote)
    if parts.scheme != "https" or not parts.hostname:
        return "alchemiser"
    return f"https://{parts.hostname}{parts.path.removesuffix('.git')}"


# The files themselves are hashed rather than git's description of their changes, which a person's settings of git
# (external tools, number of lines, prefixes) would alter. Untracked files elsewhere make a tree dirty, and are the
# same for every image.
def _hash_of_changes(root: Path) -> str:
    changed = _listed(_git(root, "diff", "--name-only", "--no-renames", "-z", "HEAD"))
    unknown = _listed(_git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *_IN_IMAGES))
    digest = hashlib.sha256()
    for name in sorted({*changed, *unknown}):
        digest.update(f"{name} {_state(root / name)}\n".encode())
    return digest.hexdigest()


def _listed(output: str) -> Iterable[str]:
    return filter(None, output.split("\0"))


def _state(path: Path) -> str:
    """What lies there: kind, whether it can be run, the content's hash."""
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if path.is_file():
        runs = "program" if path.stat().st_mode & 0o100 else "file"
        return f"{runs} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return "folder" if path.is_dir() else "gone"


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImagesError(f"the images' tag is the git commit, and git says: {done.stderr.strip()}")
    return done.stdout
