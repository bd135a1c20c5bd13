"""The docker command: runs it, and turns its failures into one line."""

import shutil
import subprocess
from collections.abc import Sequence

from images.errors import ImagesError, NoEngine


def require_engine() -> None:
    """Raises NoEngine if there is no docker command or its engine does not answer."""
    if shutil.which("docker") is None:
        raise NoEngine("this needs Docker: install it, or on a bare Debian machine run .ci/docker-engine as root")
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        raise NoEngine(
            "this needs a running Docker engine: start it, or on a bare Debian machine run .ci/docker-engine"
        )


def require_base(image: str) -> None:
    """Raises NoEngine if the engine neither has the image nor reaches a registry that does."""
    known = subprocess.run(["docker", "manifest", "inspect", image], capture_output=True, check=False).returncode == 0
    if not known and not exists(image):
        raise NoEngine(
            f"base image {image} is neither here nor in a registry in reach: deploy/base-image makes an equivalent one"
        )


def docker(*arguments: str, merge: bool = False) -> str:
    """Run a command and return what it printed, with `merge` on stderr too. Raises ImagesError with its complaint."""
    errors = subprocess.STDOUT if merge else subprocess.PIPE
    done = subprocess.run(["docker", *arguments], stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
    if done.returncode != 0:
        complaint = ((done.stderr or "").strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise ImagesError(f"docker {arguments[0]}: {complaint}")
    return done.stdout.strip()


def docker_aloud(arguments: Sequence[str]) -> None:
    """Run a long command with its progress on the terminal. Raises ImagesError if it fails."""
    done = subprocess.run(["docker", *arguments], check=False)
    if done.returncode != 0:
        raise ImagesError(f"docker {arguments[0]} failed with exit code {done.returncode}; its output above says why")


def exists(image: str) -> bool:
    """Whether the engine has the image."""
    return subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0
