"""One stage of containers for the session, made afresh for every test, and what a run leaves that nobody disturbs."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from shutil import copyfile

import pytest

from alchemiser_simulator import SimulatorControl, sample_history
from images import stand_ins
from images.docker import docker
from images.settings import ROOT, ImageSettings
from images.source import read_source
from local.aws import LocalAws
from local.stage import LocalStage
from support import next_minor
from support.container_rig import (
    ACCOUNT,
    NEXT_RELEASE,
    SCHEDULED,
    SHORT_OF_TIME,
    SPEED,
    TIMEOUTS,
    ContainerRig,
    assert_as_undisturbed,
    compose_environment,
)
from support.containers import Boxes, Wanted
from support.price_files import write_rows

TALLY: Counter[str] = Counter()
AS_THE_NEXT_RELEASE = Path(__file__).parent / "as_the_next_release.py"
BOXES: list[Boxes] = []


def quiet_market(folder: Path) -> Path:
    """The sample market's closes, each day at one price: what a run trades does not hang on when it trades."""
    history = sample_history()
    columns: dict[str, list[object]] = {name: [] for name in ("date", "symbol", "close")}
    for row, day in enumerate(history.dates):
        for column, symbol in enumerate(history.symbols):
            price = float(history.close[row, column])
            if price > 0:
                columns["date"].append(day)
                columns["symbol"].append(symbol)
                columns["close"].append(round(price, 2))
    closes = columns["close"]
    volumes = [50_000_000.0] * len(closes)
    prices = dict.fromkeys(("open", "high", "low"), closes)
    file = write_rows(folder / "quiet.parquet", {**columns, **prices, "volume": volumes})
    file.chmod(0o644)
    folder.chmod(0o755)
    return file


def wanted(images: Callable[[str], str], next_release: str, stand_in: str, market: Path) -> Iterator[Wanted]:
    """What is to run. Functions are in three networks: one to be asked on, one to AWS, one to the broker."""
    yield Wanted("aws", stand_in, 5000, command=["local", "aws"], networks=("aws",))
    yield Wanted(
        "alpaca",
        stand_in,
        8765,
        command=[
            *(
                "local",
                "exchange",
                f"--speed={SPEED:g}",
                "--data=/market.parquet",
                "--state=/books/books.db",
            ),
            f"--start={SCHEDULED:%Y-%m-%dT%H:%M:%S}",
        ],
        networks=("broker",),
        volumes={"books": "/books", str(market): "/market.parquet"},
    )
    for role, service in (
        ("data", "data"),
        ("strategy", "strategy"),
        ("trading", "trading"),
        (SHORT_OF_TIME, "trading"),
        (NEXT_RELEASE, "trading"),
        ("monolith", "monolith"),
    ):
        environment = compose_environment(service) | {"ALCHEMISER_EXECUTION__HANDOVER_SECONDS": "2"}
        # Buys are planned dear enough that no spread makes one smaller later: quantities do not hang on the hour.
        environment["ALCHEMISER_TRADING__PRICE_ALLOWANCE"] = "0.01"
        environment |= {"ALCHEMISER_BROKER__READ_TIMEOUT_SECONDS": "4", "ALCHEMISER_AWS__READ_TIMEOUT_SECONDS": "2"}
        if role in TIMEOUTS:
            environment["AWS_LAMBDA_FUNCTION_TIMEOUT"] = f"{TIMEOUTS[role].total_seconds():g}"
        image = next_release if role == NEXT_RELEASE else f"{images(service)}-local"
        yield Wanted(role, image, 8080, environment, networks=("aws", "broker"))


@pytest.fixture(scope="session")
def stand_in(image_settings: ImageSettings) -> str:
    """The stand-ins' image."""
    return stand_ins.build_image(image_settings, read_source(ROOT))


@pytest.fixture(scope="session")
def next_release(built: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Trading's image as a next minor release would be: what it stores and sends has one more field everywhere."""
    folder = tmp_path_factory.mktemp("next-release")
    copyfile(AS_THE_NEXT_RELEASE, folder / "sitecustomize.py")
    copyfile(next_minor.__file__, folder / "next_minor.py")
    (folder / "Dockerfile").write_text(f"FROM {built('trading')}-local\nCOPY *.py /var/task/\n", "utf-8")
    tag = "alchemiser-e2e/trading:next-release"
    docker("image", "build", "--tag", tag, str(folder))
    return tag


@pytest.fixture(scope="session")
def stage(
    built: Callable[[str], str], next_release: str, stand_in: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ContainerRig]:
    market = quiet_market(tmp_path_factory.mktemp("market"))
    with Boxes() as boxes, ThreadPoolExecutor(8) as pool:
        BOXES.append(boxes)
        for item in wanted(built, next_release, stand_in, market):
            boxes.add(item)
        local = LocalStage(LocalAws(boxes["aws"].url), ACCOUNT, SPEED)
        with SimulatorControl(boxes["alpaca"].url) as control:
            rig = ContainerRig(boxes, local, control, pool)
            yield rig
            TALLY["containers killed"] = boxes.killed


@pytest.fixture(scope="session")
def undisturbed(stage: ContainerRig) -> dict[str, Decimal]:
    """What the account holds after a cycle that nobody disturbed."""
    stage.afresh()
    stage.up_to_the_decision()
    assert stage.deliver_until_done("trading").done
    holdings = stage.held()
    assert_as_undisturbed(stage, holdings)
    TALLY["exchange seconds of a cycle"] = round((stage.control.clock().now - SCHEDULED).total_seconds())
    return holdings


@pytest.fixture(scope="session")
def trading_seconds(stage: ContainerRig, undisturbed: dict[str, Decimal]) -> float:
    """Real seconds of trading's invocation in that cycle, once more."""
    stage.afresh()
    stage.up_to_the_decision()
    started = time.monotonic()
    assert stage.deliver_until_done("trading").done
    took = time.monotonic() - started
    assert stage.held() == undisturbed, "two undisturbed cycles differ"
    return took


@pytest.fixture
def rig(stage: ContainerRig, undisturbed: dict[str, Decimal]) -> Iterator[ContainerRig]:
    stage.afresh()
    yield stage
    TALLY["cycles"] += 1
    TALLY["deliveries"] += len(stage.pumped)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed shows the last words of every container."""
    report = yield
    if report.failed and BOXES:
        report.sections += [(f"{box.role} said", box.logs()[-4000:]) for box in BOXES[0]]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY:
        said = ", ".join(f"{count} {what}" for what, count in sorted(TALLY.items()))
        terminalreporter.write_line(f"containers: {said}")
