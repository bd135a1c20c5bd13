"""The site's sources: every page has its place, no link leads out of it, and the reference is the code's."""

import re
from pathlib import Path

import pytest
import yaml

from alchemiser_cli.catalogue import COMMANDS
from alchemiser_common.settings import Settings
from site_pages.__main__ import write
from site_pages.pages import copied, front

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "docs"
    write(folder)
    return folder


def in_navigation(part: object) -> list[str]:
    if isinstance(part, str):
        return [part]
    items = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [path for item in items for path in in_navigation(item)]


def test_every_page_has_its_place_in_the_navigation(site: Path) -> None:
    places = in_navigation(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    found = {str(page.relative_to(site)) for page in site.rglob("*.md")}
    told = {place for place in places if place.endswith(".md")}
    assert told <= found
    assert {page for page in found - told if not page.startswith("decisions/")} == set()
    assert "decisions" in places


def test_no_link_leads_out_of_the_site(site: Path) -> None:
    for page in site.rglob("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if "://" in target or target.startswith(("#", "mailto:")):
                continue
            path = page.parent / target.partition("#")[0]
            assert path.resolve().is_relative_to(site.resolve()), f"{page.name}: {target}"
            assert path.exists(), f"{page.name}: {target}"


def test_links_are_kept_where_the_page_is_there() -> None:
    kept = "[a](aws.md#x) [b](https://example.org/) [c](#here)"
    assert copied(kept, DOCS, DOCS) == kept
    assert copied("[the template](../deploy/template.yaml)", DOCS, DOCS) == "the template"
    readme = "![x](docs/backtest-page.png) [a](docs/aws.md) [license](LICENSE)"
    assert front(readme, ROOT) == "![x](backtest-page.png) [a](aws.md) license"


def test_the_reference_has_every_command_and_every_setting(site: Path) -> None:
    commands = (site / "reference" / "commands.md").read_text()
    for name in COMMANDS:
        assert re.search(rf"^## {name}\b", commands, re.MULTILINE), name
    assert "Usage: alchemiser account adopt" in commands
    settings = (site / "reference" / "settings.md").read_text()
    for name in (*Settings.model_fields, "max_daily_loss", "bars_feed"):
        assert f"`{name}`" in settings or f"## {name}" in settings, name
