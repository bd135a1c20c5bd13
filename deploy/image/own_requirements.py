"""Build step: of a person's locked requirements print what the service's own lock does not hold already.

python3 own_requirements.py REQUIREMENTS LOCK   (standard library only: it runs in the bare base image)
Exit code 1 if both pin a package and not to the same version, or if a requirement has no hash.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*([^\s;\\]+)")
_WHEEL = re.compile(r"(?:^|/)([A-Za-z0-9][A-Za-z0-9._]*)-([^-/]+)-[^/]*\.whl")


def requirements(text: str) -> Iterator[str]:
    """One a line, as pip continues and comments them."""
    joined = re.sub(r"\\\n", " ", text)
    for line in joined.splitlines():
        stripped = re.sub(r"(^|\s)#.*", "", line).strip()
        if stripped:
            yield re.sub(r"\s+", " ", stripped)


def pin(requirement: str) -> tuple[str, str] | None:
    """Normal name and version of what a requirement pins; None if it pins none."""
    found = _PIN.match(requirement) or _WHEEL.search(requirement)
    return (re.sub(r"[-_.]+", "-", found[1]).lower(), found[2]) if found else None


def lacking(own: str, lock: str) -> list[str]:
    """The own requirements that the lock lacks. Raises ValueError naming one that cannot be added to it."""
    there = dict(found for item in requirements(lock) if (found := pin(item)))
    added = []
    for item in requirements(own):
        found = pin(item)
        if found is None or "--hash=" not in item:
            raise ValueError(f"{item!r} is not pinned with a hash: uv pip compile --generate-hashes")
        name, version = found
        if there.get(name, version) != version:
            raise ValueError(
                f"{name}=={version} cannot be added, the service has {name}=={there[name]}: "
                "compile with -c services/strategy/requirements.lock"
            )
        if name not in there:
            added.append(item)
    return added


def main() -> None:
    """See the module's first lines."""
    own, lock = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        added = lacking(own.read_text("utf-8"), lock.read_text("utf-8"))
    except ValueError as error:
        sys.exit(f"{own}: {error}")
    sys.stdout.write("".join(f"{item}\n" for item in added))


if __name__ == "__main__":
    main()
