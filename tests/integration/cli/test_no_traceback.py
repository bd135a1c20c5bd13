"""Whatever is in the way of a command, it ends with one line and an exit code."""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.command import COMMAND, alchemiser, alchemiser_process, environment

LOOKING = (
    "status",
    "performance",
    "books",
    "runs",
    "show",
    "audit",
    "trace",
    "executions",
    "explain",
    "replay",
    "capture",
    "parity",
    "doctor",
    "dlq list",
)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traded")
    assert alchemiser(folder, "run").code == 0
    return folder


def _folder(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.mkdir()


def _file(path: Path) -> None:
    _folder(path)
    path.rmdir()
    path.write_bytes(b"\xff\xfe")


SPOILED: dict[str, tuple[str, Callable[[Path], None]]] = {
    "settings are a folder": ("alchemiser.toml", _folder),
    "settings are no text": ("alchemiser.toml", _file),
    "home is a file": (".alchemiser", _file),
    "state is a folder": (".alchemiser/state.db", _folder),
    "state is junk": (".alchemiser/state.db", _file),
    "archive is a file": (".alchemiser/archive", _file),
    "log is a folder": (".alchemiser/log.jsonl", _folder),
    "exchange is a folder": (".alchemiser/simulator.db", _folder),
    "prices are remembered as junk": (".alchemiser/simulator.data", _file),
    "prices are remembered as a folder": (".alchemiser/simulator.data", _folder),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_is_spoiled_in_a_home_is_said_in_a_line(traded: Path, tmp_path: Path, spoiled: str) -> None:
    folder = Path(shutil.copytree(traded, tmp_path / "w"))
    name, spoil = SPOILED[spoiled]
    spoil(folder / name)
    for command in (*LOOKING, "run", "reconcile", "halt --reason x", "account show", "config check"):
        done = alchemiser(folder, *command.split())
        assert "Traceback" not in done.err, command
        assert "fault of alchemiser's own" not in done.err, (command, done.err)
        assert done.code in {0, 1, 2, 3}, command


def test_an_archive_that_cannot_be_looked_into_is_no_empty_one(traded: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(traded, tmp_path / "w"))
    _file(folder / ".alchemiser" / "archive")
    done = alchemiser(folder, "dlq", "list")
    assert (done.code, done.out) == (3, "")
    assert "archive" in done.err


@pytest.mark.parametrize(
    "command",
    [
        "backtest --page here",
        "backtest --csv here",
        "demo --days 1 --page here",
        "capture --out here/file",
        "simulator serve --state here",
        "backtest --actions here",
        "decide --data here",
        "strategies check here",
        "init here/file",
        "runs --limit 99999999999999999999",
        "demo --cash 1e400",
    ],
)
def test_a_path_of_the_wrong_kind_or_a_number_without_bounds_is_refused(
    traded: Path, tmp_path: Path, command: str
) -> None:
    folder = Path(shutil.copytree(traded, tmp_path / "w"))
    (folder / "here").mkdir()
    (folder / "here" / "file").touch()
    done = alchemiser(folder, *command.split())
    assert done.code == 2, (done.code, done.err)
    assert "fault of alchemiser's own" not in done.err


@pytest.mark.parametrize("command", LOOKING)
def test_a_home_that_cannot_be_made_stops_nobody_from_looking_at_nothing(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    done = alchemiser(tmp_path, *command.split(), extra={"ALCHEMISER_HOME": str(tmp_path / "file" / "home")})
    assert done.code == (0 if command in {"doctor", "dlq list"} else 2), done.err
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_output_that_cannot_be_written_is_said(traded: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "runs"],
            cwd=traded,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    narrow = alchemiser_process(traded, "show", extra={"PYTHONIOENCODING": "ascii"})
    assert narrow.code == 0, narrow.err


def test_ctrl_c_during_the_imports_ends_with_a_line(tmp_path: Path) -> None:
    """At moments drawn from the seconds that a command takes to start."""
    moments = random.Random(8)
    codes = set()
    for command in (["backtest"], ["runs"], ["run"], ["demo"]):
        with subprocess.Popen(
            [*COMMAND, *command],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            time.sleep(moments.uniform(0.1, 1.0))
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=110)
        assert "Traceback" not in said, (command, said)
        assert "Exception ignored" not in said, (command, said)
        codes.add(process.returncode)
    assert codes <= {0, 2, 130, -signal.SIGINT}, "the last: before Python itself had begun"
