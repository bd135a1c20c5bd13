"""Options and arguments that several commands take, each declared once; and what a change by hand must say."""

import getpass
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from alchemiser_common.ids import Pipeline

MOST_RUNS = 1_000_000
"""That a command looks at."""
DAY = ["%Y-%m-%d"]
"""How a day is written."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print the table as CSV, with every column and digit.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]

Who = Annotated[str | None, typer.Option(help="Who makes the change; default: the user of this machine.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept in the audit trail.", prompt="Reason")]
ReasonIfChanged = Annotated[str, typer.Option(help="Why something is changed; it is kept in the audit trail.")]

StageArgument = Annotated[str, typer.Argument(help="A stage of deploy/samconfig.toml: dev, staging, prod.")]
StageOption = Annotated[str, typer.Option("--stage", help="A stage of deploy/samconfig.toml: dev, staging, prod.")]

RunArgument = Annotated[str, typer.Argument(metavar="RUN_ID", help="Id of the run, its beginning, or `last`.")]
NewestRuns = Annotated[int, typer.Option(help="How many of the newest runs.", min=1, max=MOST_RUNS)]
PipelineOption = Annotated[
    Pipeline | None, typer.Option("--pipeline", help="Run as the monolith or as the modular pipeline.")
]

MarketData = Annotated[
    Path | None,
    typer.Option(help="Daily prices (a file, folder or zip; docs/prices.md) instead of the bundled sample market."),
]
StrategyNames = Annotated[
    list[str] | None,
    typer.Option(
        help="Name or symphony file; repeat for several in equal parts. Default: the settings' portfolio.",
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        help="Leave this symbol out of every strategy, as if it did not exist; repeatable. The output says so."
    ),
]
BenchmarkOption = Annotated[
    str | None,
    typer.Option(
        "--benchmark", help="Symbol to hold beside it; `none` for none. Default: SPY, where the data have it."
    ),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=DAY, help="Decide after this day's close of the data; default: the last."),
]
Since = Annotated[
    datetime | None,
    typer.Option(
        formats=DAY,
        help="First close that a strategy with a rebalancing rule is followed from; default: the data's first.",
    ),
]
FirstSession = Annotated[
    datetime | None, typer.Option("--from", formats=DAY, help="First session; has a default for each market.")
]

OpenPage = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who changes something by hand, and why: both are kept in the audit trail."""

    who: str
    reason: str


def signed(who: str | None, reason: str, *, refusal: str) -> Signature:
    """What --who and --reason say; without --who, the user of this machine. A blank reason is refused in those words.

    Raises typer.BadParameter, which ends the command with exit code 2.
    """
    if not reason.strip():
        raise typer.BadParameter(refusal)
    return Signature(who or getpass.getuser(), reason)
