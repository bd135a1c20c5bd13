"""Where a page was written: opened in the browser, or told as an address that a terminal makes a link of."""

import webbrowser
from pathlib import Path

from rich.console import Console
from rich.style import Style
from rich.text import Text


def show_page(page: Path, *, opened: bool, to: Console) -> None:
    """Open the written page, if that is asked for and there is a browser; otherwise print its `file://` address.

    On a terminal the address is a hyperlink (OSC 8), in a pipe plain text on a line of its own.
    """
    address = page.resolve().as_uri()
    if opened and webbrowser.open(address):
        to.print(Text.assemble("Opened in the browser: ", (address, Style(link=address))), soft_wrap=True)
        return
    if opened:
        to.print(Text("No browser could be started; open the page yourself."))
    to.print(Text.assemble("Page: ", (address, Style(link=address))), soft_wrap=True)
