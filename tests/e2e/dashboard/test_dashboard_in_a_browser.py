"""The dashboard in a real browser: every page on a screen and a phone, light and dark, empty, hostile; by keyboard."""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_cli.commands.dashboard import switch_of
from alchemiser_cli.context import CommandContext
from alchemiser_cli.stored_runs import list_runs
from e2e.report.browser import BROKEN_WORDS, CUT_OFF, PATIENCE, Tab, browser, browser_path
from support.dashboards import Dashboard, dashboard
from support.hostile import plant
from support.traded_home import source, traded_home

PATH = browser_path()
pytestmark = pytest.mark.skipif(
    PATH is None and "CI" not in os.environ, reason="no Chromium or Chrome on this machine to open the pages in"
)
PATHS = ("/", "/performance", "/runs", "/strategies", "/orders", "/parity", "/settings", "/audit")
UNNAMED = """[...document.querySelectorAll('a, button, input, select, [role=region], nav, section, table')]
  .filter(each => each.checkVisibility() && !each.matches('section:not([aria-labelledby], [aria-label]), table'))
  .filter(each => !(each.textContent.trim() || each.getAttribute('aria-label') || each.labels?.length))
  .map(each => each.outerHTML.slice(0, 80))"""
DOUBLE_IDS = """(() => { const ids = [...document.querySelectorAll('[id]')].map(each => each.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at); })()"""
DANGLING = """[...document.querySelectorAll('[aria-labelledby], label[for]')]
  .filter(each => !document.getElementById(each.getAttribute('aria-labelledby') ?? each.htmlFor))
  .map(each => each.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    assert PATH is not None
    with browser(PATH) as opened:
        yield opened


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traded_home(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Dashboard]:
    with dashboard(source(home)) as running:
        yield running


def enter(tab: Tab, running: Dashboard) -> None:
    """By the address that is printed."""
    tab.open(running.access.address)
    assert tab.evaluate("location.search") == "", "the token has left the address"


def show(tab: Tab, running: Dashboard, path: str, *, width: int = 1200, dark: bool = False) -> None:
    tab.errors.clear()
    tab.requests.clear()
    tab.open(running.base + path, width=width, dark=dark)
    assert tab.errors == [], path
    asked = [address for address in tab.requests if not address.startswith("data:")]  # the icon of a date field
    assert all(address.startswith(running.base) for address in asked), asked


def newest_run(folder: Path) -> str:
    return f"/runs/{list_runs(source(folder).open_state(), 'demo', limit=1)[0].run_id}"


def wait_for(tab: Tab, condition: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not tab.evaluate(condition):
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (768, True), (390, True), (320, False)])
def test_every_page_fits_every_screen(tab: Tab, served: Dashboard, home: Path, width: int, dark: bool) -> None:
    enter(tab, served)
    for path in (*PATHS, "/strategies?strategy=nuclear", newest_run(home)):
        show(tab, served, path, width=width, dark=dark)
        tab.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert tab.evaluate("document.documentElement.scrollWidth") == width, path
        assert tab.evaluate(CUT_OFF) == [], path
        assert tab.evaluate(BROKEN_WORDS) == [], path
        for finding in (UNNAMED, DOUBLE_IDS, DANGLING):
            assert tab.evaluate(finding) == [], path
        assert tab.evaluate("document.querySelectorAll('h1').length") == 1


def test_the_keyboard_reaches_every_page(tab: Tab, served: Dashboard) -> None:
    enter(tab, served)
    for number, path in enumerate(PATHS):
        show(tab, served, "/")
        for _ in range(number + 2):  # past the link that skips to the content
            tab.press("Tab")
        assert tab.evaluate("document.activeElement.pathname") == path
        assert tab.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "seen where it is"


def test_a_search_and_a_run_are_reached_by_clicks(tab: Tab, served: Dashboard) -> None:
    enter(tab, served)
    show(tab, served, "/runs")
    tab.evaluate("document.getElementById('q').value = 'tecl'; document.querySelector('form').requestSubmit()")
    wait_for(tab, "location.search.startsWith('?q=tecl')")
    wait_for(tab, "document.querySelector('tbody a') !== null")
    tab.evaluate("document.querySelector('tbody a').click()")
    wait_for(tab, "document.querySelector('h1')?.textContent.startsWith('Run of') ?? false")
    assert "vs" in str(tab.evaluate("document.querySelector('.tree').textContent"))


def test_charts_are_drawn_and_ranges_lead_to_fewer_days(tab: Tab, served: Dashboard) -> None:
    enter(tab, served)
    for path, charts in (("/performance", 2), ("/strategies", 1), ("/orders", 1), ("/performance?from=2020-02-05", 2)):
        show(tab, served, path, width=390, dark=True)
        assert tab.evaluate("document.querySelectorAll('.chart canvas').length") == charts, path
    assert tab.evaluate("document.getElementById('from').value") == "2020-02-05"
    show(tab, served, "/performance")
    assert tab.evaluate("document.querySelector('.ranges [aria-current]').textContent") == "All"


def test_an_account_is_halted_and_resumed_by_hand(tab: Tab, home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(home, tmp_path / "copy"))
    context = CommandContext(changes={"home": folder / ".alchemiser"}, folder=folder)

    def press(button: str, then: str) -> None:
        tab.evaluate(f"[...document.querySelectorAll('.button')].find(each => each.textContent === {button!r}).click()")
        wait_for(tab, f"document.querySelector('h1')?.textContent === {then!r} && document.readyState === 'complete'")

    with dashboard(source(folder), switch_of(context)) as running:
        enter(tab, running)
        tab.errors.clear()
        press("Halt…", "Halt?")
        assert tab.evaluate("document.querySelector('form').checkValidity()") is False, "a reason is needed"
        tab.evaluate("document.getElementById('reason').value = 'odd \"prices\" <b>'")
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth") is True
        press("Go on…", "Halt: sure?")
        assert 'odd "prices" <b>' in str(tab.evaluate("document.querySelector('main').textContent"))
        press("Halt now", "Today")
        assert "trading is halted" in str(tab.evaluate("document.querySelector('.warnings').textContent"))
        press("Resume…", "Resume?")
        tab.evaluate("document.getElementById('reason').value = 'looked'")
        press("Go on…", "Resume: sure?")
        press("Resume now", "Today")
        assert tab.evaluate("document.querySelector('.warnings')") is None
        assert [error for error in tab.errors if "favicon" not in error] == []
        show(tab, running, "/audit")
        assert tab.evaluate("document.querySelectorAll('tbody tr').length") == 3, "with the authority of the first run"


def test_the_picture_of_the_docs_is_of_these_pages(tab: Tab, served: Dashboard) -> None:
    """Makes it anew where DOCS_PICTURES is set to the folder: docs/dashboard.png."""
    enter(tab, served)
    tab.open(served.base, width=1120, height=900)
    picture = tab.picture()
    kept = Path(__file__).parents[3] / "docs" / "dashboard.png"
    if folder := os.environ.get("DOCS_PICTURES"):
        Path(folder, kept.name).write_bytes(picture)
    assert kept.read_bytes()[:8] == picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert kept.read_bytes()[16:24] == picture[16:24], "as large as it is made"


def test_an_empty_home_is_a_page(tab: Tab, tmp_path: Path) -> None:
    with dashboard(source(tmp_path)) as running:
        enter(tab, running)
        for path in PATHS:
            show(tab, running, path, width=390)
            assert tab.evaluate("document.documentElement.scrollWidth") == 390


def test_hostile_texts_are_shown_and_do_nothing(tab: Tab, home: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(home, tmp_path / "copy"))
    plant(source(folder).open_state(), "demo")
    with dashboard(source(folder)) as running:
        enter(tab, running)
        for path in (*PATHS, newest_run(folder)):
            show(tab, running, path, width=390)
            assert "taken" not in str(tab.evaluate("document.title"))
            assert tab.evaluate("document.querySelectorAll('img, script:not([src], [type])').length") == 0
            assert tab.evaluate("document.documentElement.scrollWidth") == 390, path
        show(tab, running, "/")
        assert "onerror" in str(tab.evaluate("document.querySelector('.warnings').textContent"))
