"""`alchemiser report`: how the account stands and what it earned, as one file to keep or to send."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_cli.console import out, write_page
from alchemiser_cli.context import command
from alchemiser_cli.options import DAY, MarketData, OpenPage
from alchemiser_cli.page_link import show_page

app = typer.Typer()


@app.command()
def report(
    file: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("alchemiser-report.html"),
    first: Annotated[datetime | None, typer.Option("--from", formats=DAY, help="First session that counts.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=DAY, help="Last session that counts.")] = None,
    benchmark: Annotated[str | None, typer.Option(help="Symbol to hold beside it, by --data's closes.")] = None,
    data: MarketData = None,
    *,
    opened: OpenPage = False,
) -> None:
    """Write what the dashboard shows of today, performance and the newest runs as one page to keep or send.

    It holds everything, loads nothing from a network and runs no foreign script. Keys are never in it, nor paths of
    this machine; equity, holdings and the broker's account number are.
    """
    with command(or_demo=True) as context:
        from alchemiser_cli.commands.dashboard import source_of
        from alchemiser_cli.dashboard.layout import Frame, html
        from alchemiser_cli.dashboard.pages.whole import whole

        source = source_of(context, benchmark, data)
        days = {"from": first, "to": last}
        page = whole(source, {name: day.date().isoformat() for name, day in days.items() if day is not None})
        frame = Frame((), source.account, source.settings.environment.value, source.place)
        write_page(file, html(page, frame, current="", served=False), option="--out")
        show_page(file, opened=opened, to=out)
