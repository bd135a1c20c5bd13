"""The software bill of materials of a service: CycloneDX, which uv writes from what the service's lock pins.

uv exports a project's own lock, which holds addresses and so is not kept: one is made for the pins in a temporary
folder.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from alchemiser_common import __version__
from images.errors import ImagesError
from images.settings import ROOT

_UV = Path(sys.executable).with_name("uv")


def write(service: str, tag: str, folder: Path) -> Path:
    """Write `service-tag.cdx.json` below `folder`; returns the file. Raises ImagesError with uv's complaint."""
    lock = (ROOT / "services" / service / "requirements.lock").read_text("utf-8")
    pins = [line.removesuffix(" \\") for line in lock.splitlines() if line[:1].isalnum()]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{service}-{tag}.cdx.json"
    with tempfile.TemporaryDirectory() as project:
        Path(project, "pyproject.toml").write_text(_project(service, tag, pins), "utf-8")
        _run_uv("lock", "--project", project)
        _run_uv("export", "--project", project, "--format", "cyclonedx1.5", "--output-file", str(file))
    return file


def _project(service: str, tag: str, pins: list[str]) -> str:
    """A project that depends on exactly the pins, on the images' platform; the tag is the local part of its version."""
    return (
        f'[project]\nname = "alchemiser-{service}"\nversion = "{__version__}+{tag}"\n'
        f'requires-python = ">=3.13"\ndependencies = {json.dumps(pins)}\n'
        "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n"
    )


def _run_uv(*arguments: str) -> None:
    done = subprocess.run(
        [str(_UV), *arguments, "--quiet", "--python", sys.executable], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ImagesError(f"uv {arguments[0]} failed: {done.stderr.strip() or 'no output'}")
