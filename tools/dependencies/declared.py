"""What the project declares that it needs, and what its locks pin."""

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN_PINS = ROOT / "tools" / "deploy" / "own-pins.txt"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PIN = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def packages() -> dict[str, Path]:
    """The project's own packages: the folder of each, by name."""
    files = _tracked("*/pyproject.toml")
    return {str(tomllib.loads(file.read_text("utf-8"))["project"]["name"]): file.parent for file in files}


def direct_dependencies() -> list[str]:
    """Names of what packages and environments ask for themselves, sorted; not what comes with those."""
    own = packages()
    found = {name for folder in own.values() for name in _of_package(folder)}
    found |= {name for file in _tracked("*.in") for name in lines(file)}
    return sorted({normal(name) for name in found} - set(own))


def lines(file: Path) -> list[str]:
    """Names of the packages in a list with one a line; # begins a comment."""
    return [found[0] for line in file.read_text("utf-8").splitlines() if (found := _NAME.match(line))]


def locks() -> dict[str, Mapping[str, str]]:
    """For every lock, by its path in the project, the version of each package in it."""
    return {str(file.relative_to(ROOT)): dict(_PIN.findall(file.read_text("utf-8"))) for file in _tracked("*.lock")}


def normal(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _of_package(folder: Path) -> Iterator[str]:
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    for requirement in [*project["dependencies"], *(item for extra in extras for item in extra)]:
        if found := _NAME.match(requirement):
            yield found[0]


def _tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / line for line in listed.stdout.splitlines()]
