"""`python -m dependencies`: the direct dependencies without a release in 18 months, and which of them are waived."""

import sys
import tomllib
from datetime import UTC, datetime, timedelta

from dependencies.declared import ROOT, direct_dependencies
from dependencies.releases import IndexUnavailable, without_release_since

WAIVERS = ROOT / "tools" / "dependencies" / "waivers.toml"
LONG = timedelta(days=548)
"""18 months."""


def main() -> int:
    """0 if every one has a waiver, or if nobody can be asked; 1 if one has none, or a waiver is not needed."""
    now = datetime.now(UTC)
    waivers = tomllib.loads(WAIVERS.read_text("utf-8"))
    try:
        found = without_release_since(direct_dependencies(), now - LONG, now)
    except IndexUnavailable as error:
        print(f"dependencies: how old releases are could not be checked: {error}")
        return 0
    print(f"dependencies: without a release since {now - LONG:%Y-%m-%d}: {len(found)}")
    for package in found:
        reason = waivers.get(package.name, f"NO WAIVER: replace it, or say in {WAIVERS.relative_to(ROOT)} why it stays")
        print(f"  {package.name} {package.version}: {reason}")
    needless = sorted(set(waivers) - {package.name for package in found})
    for name in needless:
        print(f"  {name}: released since, or not asked for any more; take its waiver away")
    return int(bool(needless) or any(package.name not in waivers for package in found))


if __name__ == "__main__":
    sys.exit(main())
