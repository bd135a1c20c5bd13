"""`alchemiser init`: a folder to begin in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.console import note, out
from alchemiser_cli.context import command
from alchemiser_cli.starting_files import starting_files
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.private_files import make_private_file, make_private_folder

app = typer.Typer()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Folder to begin in; made if it is not there.")] = Path(),
) -> None:
    """Begin in this folder: a commented alchemiser.toml, a .env for keys, and an example strategy.

    Nothing that is there is overwritten: if one of the files is, none is written.
    """
    with command():
        files = {folder / place: text for place, text in starting_files().items()}
        there = [str(file) for file in files if file.exists() or file.is_symlink()]
        if there:
            raise InvalidSettings(
                f"nothing is overwritten, and there are already: {', '.join(there)}; name a new folder"
            )
        for file, text in files.items():
            make_private_folder(file.parent)
            make_private_file(file)
            file.write_text(text, encoding="utf-8")
            out.print(escape(str(file)), soft_wrap=True)
        note("next: `alchemiser backtest`, then `alchemiser run` on the simulated exchange")
