"""Pages of the dashboard over HTTP, with half a year and with five years of daily runs in an embedded store."""

import json
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from alchemiser_cli.stored_runs import list_runs
from alchemiser_common import keys
from alchemiser_common.ids import Pipeline, run_id
from alchemiser_common.ports.state import ABSENT, Key, Put, StateStore, put
from alchemiser_common.records.audit import AuditEntry
from alchemiser_common.records.books import DailyEquity, StrategyWorth
from alchemiser_common.records.run import RunEntry
from benchmarks.figures import Figure, Timing, milliseconds, processes, publish, timed, timing_of
from support.command import environment
from support.dashboards import Dashboard, dashboard
from support.traded_home import source, traded_home

SUBJECT = "dashboard: from request to page"
AIM = 200.0
"""ms."""
_SESSIONS = {"half a year": 126, "five years": 1_260}
_REPEATS = 9
_ALIAS = "demo"
_STRATEGIES = ("tecl", "nuclear")
_PAGES = {
    "Today": "/",
    "Performance": "/performance",
    "Performance, one year": "/performance?from={a_year_ago}",
    "Performance as CSV": "/performance.csv",
    "Runs": "/runs",
    "Runs, the oldest": "/runs?before={early}",
    "Runs, a search": "/runs?q=nowhere",
    "one run": "/runs/{run}",
    "Strategies": "/strategies",
    "Orders and slippage": "/orders",
    "Parity and rollout": "/parity",
    "Settings": "/settings",
    "Audit": "/audit",
}


def figures() -> list[Figure]:
    """Each page with both stores; last, the yardstick by which machines and hours are compared."""
    with TemporaryDirectory() as name, ExitStack() as open_servers:
        found: dict[str, list[Timing]] = {page: [] for page in _PAGES}
        for words, sessions in _SESSIONS.items():
            folder = Path(name, words.replace(" ", "-"))
            folder.mkdir()
            fill(folder, sessions)
            running = open_servers.enter_context(dashboard(source(folder)))
            for page, path in _addresses(folder).items():
                found[page].append(timed(partial(_read, running, path), _REPEATS))
    return [*_lines(found), _yardstick()]


def fill(folder: Path, sessions: int) -> None:
    """One session is really traded; then it is copied to so many weekdays after it, with its orders and plan."""
    traded_home(folder, sessions=1)
    state = source(folder).open_state()
    first = list_runs(state, _ALIAS, limit=1)[0]
    assert first.record is not None
    began = first.record.scheduled_at
    chance, equity, realised = random.Random(1), 100_000.0, 0.0
    records = state.list(keys.run_partition(first.run_id))
    for day in _weekdays(began.date(), sessions - 1):
        due = datetime.combine(day, began.timetz())
        cycle = f"{_ALIAS}:{due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        run = run_id(cycle, Pipeline.MODULAR)
        changes = ((str(first.run_id), str(run)), (first.cycle_id, cycle), (began.date().isoformat(), day.isoformat()))
        equity *= 1 + chance.gauss(0.0004, 0.012)
        realised += chance.gauss(5, 50)
        worth = tuple(
            StrategyWorth(
                strategy=strategy, market_value=_usd(equity / 2), realised=_usd(realised), unrealised=_usd(equity / 9)
            )
            for strategy in _STRATEGIES
        )
        writes = [
            Put(Key(keys.run_partition(run), each.key.sort), _changed(each.body, changes), ABSENT) for each in records
        ]
        entry = RunEntry(run_id=run, cycle_id=cycle)
        daily = DailyEquity(session=day, equity=_usd(equity), cash=_usd(equity / 100), strategies=worth)
        writes.append(put(keys.run_entry(_ALIAS, due, Pipeline.MODULAR), entry, ABSENT))
        writes.append(put(keys.equity_record(_ALIAS, day), daily, ABSENT))
        if day.day % 7 == 0:
            change = AuditEntry(at=due, who="ann", what="trading: active to halted", reason="looked at it")
            writes.append(put(keys.audit_record(_ALIAS, due, "switch"), change, ABSENT))
        state.write(*writes)
    _copy_decision(folder, state)


def _copy_decision(folder: Path, state: StateStore) -> None:
    """The newest run has its snapshot and decision in the archive, as a real one has."""
    newest, oldest = list_runs(state, _ALIAS, limit=1)[0], list_runs(state, _ALIAS)[-1]
    assert newest.record is not None
    assert oldest.record is not None
    days = oldest.record.scheduled_at.date().isoformat(), newest.record.scheduled_at.date().isoformat()
    changes = ((str(oldest.run_id), str(newest.run_id)), (oldest.cycle_id, newest.cycle_id), days)
    archive = folder / ".alchemiser" / "archive"
    for file in sorted(archive.rglob(f"*{oldest.run_id}*")):
        for item in [file] if file.is_file() else sorted(file.iterdir()):
            path = str(item.relative_to(archive)).replace(str(oldest.run_id), str(newest.run_id)).replace(*days)
            target = archive / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_changed(item.read_text("utf-8"), changes), "utf-8")


def _addresses(folder: Path) -> dict[str, str]:
    runs = list_runs(source(folder).open_state(), _ALIAS)
    newest = runs[0].record
    assert newest is not None
    last = newest.scheduled_at.date()
    early = runs[-1].record
    assert early is not None
    known = {
        "run": str(runs[0].run_id),
        "a_year_ago": (last - timedelta(days=365)).isoformat(),
        "early": (early.scheduled_at.date() + timedelta(days=60)).isoformat(),
    }
    return {page: path.format(**known) for page, path in _PAGES.items()}


def _read(running: Dashboard, path: str) -> None:
    answer = running.get(path)
    if answer.status != 200 or "nothing to show" in answer.text or "came to no decision" in answer.text:
        raise RuntimeError(f"{path}: {answer.status}, {answer.text[:2000]}")


def _lines(found: dict[str, list[Timing]]) -> Iterator[Figure]:
    for page, timings in found.items():
        for words, timing in zip(_SESSIONS, timings, strict=True):
            yield milliseconds(SUBJECT, f"{page}, {words}", timing, aim=AIM)


def _yardstick() -> Figure:
    runs = processes([sys.executable, "-c", "import numpy, pydantic"], Path.cwd(), environment(), 5)
    timing = timing_of([run.wall for run in runs], [run.cpu for run in runs])
    return milliseconds(SUBJECT, "a process that imports numpy and pydantic", timing, note="109 ms on a quiet machine")


def _weekdays(after: date, count: int) -> Iterator[date]:
    day = after
    while count:
        day += timedelta(days=1)
        if day.weekday() < 5:
            count -= 1
            yield day


def _changed(body: str, changes: tuple[tuple[str, str], ...]) -> str:
    for old, new in changes:
        body = body.replace(old, new)
    json.loads(body)
    return body


def _usd(value: float) -> Decimal:
    return Decimal(f"{value:.2f}")


if __name__ == "__main__":
    publish(figures())
