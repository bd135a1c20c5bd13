"""Where a page lies: opened if that is asked for, else a link on a terminal and a plain address in a pipe."""

import webbrowser
from io import StringIO
from pathlib import Path

import pytest

from alchemiser_cli.console import SafeConsole
from alchemiser_cli.page_link import show_page

PAGE = Path("/srv/a long name with spaces") / ("x" * 100) / "report.html"


def printed(*, terminal: bool, opened: bool = False) -> str:
    console = SafeConsole(
        file=StringIO(), force_terminal=terminal, color_system="truecolor" if terminal else None, width=60
    )
    show_page(PAGE, opened=opened, to=console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_pipe_gets_the_plain_address_on_one_line() -> None:
    assert printed(terminal=False) == f"Page: {PAGE.as_uri()}\n"


def test_a_terminal_gets_a_hyperlink() -> None:
    text = printed(terminal=True)
    assert text.startswith("Page: \x1b]8;")
    assert f";{PAGE.as_uri()}\x1b\\" in text
    assert text.rstrip().endswith("\x1b]8;;\x1b\\")


@pytest.mark.parametrize("there_is_one", [True, False])
def test_the_browser_opens_it_only_if_asked(monkeypatch: pytest.MonkeyPatch, *, there_is_one: bool) -> None:
    opened: list[str] = []

    def browse(address: str) -> bool:
        opened.append(address)
        return there_is_one

    monkeypatch.setattr(webbrowser, "open", browse)
    printed(terminal=False)
    assert opened == []
    text = printed(terminal=False, opened=True)
    assert opened == [PAGE.as_uri()]
    assert ("Opened in the browser" in text) is there_is_one
    assert PAGE.as_uri() in text
