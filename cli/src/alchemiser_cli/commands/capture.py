"""`alchemiser capture`: an archived run as a case, a folder that can be kept, shown and replayed anywhere."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from alchemiser_cli.cases.anonymous import Anonymous, Originals, anonymous, left_over
from alchemiser_cli.cases.files import case_files, write_files
from alchemiser_cli.cases.gathering import gather
from alchemiser_cli.cases.known import OWN
from alchemiser_cli.console import out
from alchemiser_cli.context import CommandContext, command
from alchemiser_cli.options import AsCsv, AsJson, RunArgument
from alchemiser_cli.stored_runs import LATEST, find_run
from alchemiser_common import keys
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import scheduled_time
from alchemiser_common.masking import SHORTEST
from alchemiser_common.ports.state import load, load_all
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.records.authority import Authority
from alchemiser_common.records.trading_state import TradingStateRecord

_SECRET = re.compile(r"(?i)secret|token|password|key")
_NOBODY = re.compile(r"alchemiser\b.*|broker")
"""Who changes what without being a person."""

app = typer.Typer()


@app.command()
def capture(
    run: RunArgument = LATEST,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; default: one below `cases`, named by the run.")
    ] = None,
    *,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Write a run as a case: trigger, snapshot, decision, plan, orders, report and what else is kept of it.

    Account ids, aliases, people and secrets are replaced; ids and hashes still match. Amounts, positions and the names
    of strategies stay as they are: without them nothing could be replayed.
    """
    with command(as_json=as_json, as_csv=as_csv, or_demo=True) as context:
        summary = find_run(context.state, context.account, run)
        case = gather(context.state, context.archive, summary, context.settings)
        originals = _originals(context)
        found = anonymous(case, originals)
        files = case_files(found.case)
        _require_nothing_left(files, found, originals)
        about = found.case.about
        target = folder or OWN / f"{scheduled_time(about.cycle_id):%Y-%m-%d}-{str(about.run_id)[:8]}"
        write_files(target, files)
        context.emit(
            {"folder": str(target), "run_id": str(about.run_id), "status": about.status, "files": sorted(files)},
            lambda: _print(target, files),
            rows=[{"file": name, "bytes": len(text.encode())} for name, text in sorted(files.items())],
            indent=2,
        )


def _originals(context: CommandContext) -> Originals:
    """Whom and what the home or stage knows by name."""
    state, alias = context.state, context.account
    audit = load_all(state, keys.audit_partition(alias), AuditEntry)
    said = [(entry.value.who, entry.value.reason) for entry in audit]
    authority = load(state, keys.authority_record(alias), Authority)
    if authority is not None:
        said.append((authority.value.set_by, authority.value.reason))
    switch = load(state, keys.trading_state_record(alias), TradingStateRecord)
    if switch is not None:
        said.append((switch.value.who, switch.value.reason))
    by_people = [(who.strip(), reason.strip()) for who, reason in said if not _NOBODY.fullmatch(who)]
    return Originals(
        alias=alias,
        aliases=[other for other in context.accounts if other != alias],
        people=list(dict.fromkeys(who for who, _ in by_people if who)),
        reasons=list(dict.fromkeys(reason for _, reason in by_people if reason)),
        secrets=[text for name, text in context.variables.items() if _SECRET.search(name) and len(text) >= SHORTEST],
    )


def _require_nothing_left(files: Mapping[str, str], found: Anonymous, originals: Originals) -> None:
    """Raises InvalidSettings before anything is written."""
    left = left_over(files, found, originals)
    if left:
        raise InvalidSettings(
            f"nothing is written: what should be replaced is still in {', '.join(left)}; a strategy, symbol or setting "
            "that is spelt like it is kept as it is"
        )


def _print(target: Path, files: Mapping[str, str]) -> None:
    out.print(f"Case of {len(files)} files in {escape(str(target))}:")
    for name, text in sorted(files.items()):
        out.print(f"  {name:<14} {len(text.encode()):>9,} bytes")
