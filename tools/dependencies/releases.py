"""When packages were last released, asked of the configured index through uv: what it offers up to two moments."""

import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path


class IndexUnavailable(Exception):
    """Raised when the index does not answer, or does not say when something was released."""


@dataclass(frozen=True, slots=True)
class Latest:
    """A package whose latest release is older than a moment."""

    name: str
    version: str


def without_release_since(names: Sequence[str], since: datetime, now: datetime) -> list[Latest]:
    """Those of the packages that released nothing between `since` and `now`. Raises IndexUnavailable."""
    with ThreadPoolExecutor(8) as pool:
        latest = list(pool.map(partial(_latest, until=now + timedelta(days=1)), names))
        unknown = [name for name, version in zip(names, latest, strict=True) if version is None]
        if unknown:
            more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            raise IndexUnavailable(f"the index does not answer, or gives no dated release of {unknown[0]}{more}")
        earlier = list(pool.map(partial(_latest, until=since), names))
    pairs = zip(names, latest, earlier, strict=True)
    return [Latest(name, version) for name, version, before in pairs if version is not None and version == before]


def _latest(name: str, until: datetime) -> str | None:
    """The version that the index had at `until`; None if there was none, or it does not answer."""
    uv = str(Path(sys.executable).with_name("uv"))
    plain = ["--quiet", "--no-deps", "--no-header", "--no-annotate", "--universal", "--python-version", "3.13"]
    command = [uv, "pip", "compile", *plain, "--exclude-newer", until.isoformat(), "-"]
    done = subprocess.run(command, input=name, capture_output=True, text=True, check=False)
    words = done.stdout.partition("==")[2].split()  # a marker may follow
    return words[0] if words else None
