"""A person's own strategies in real images: what is inside, what the images say and decide, and what fails a build."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.wire import encode
from alchemiser_strategy.own_portfolio import examine
from images import build
from images.docker import docker, exists
from images.errors import ImagesError
from images.function import running
from images.layers import files, layer_digests
from images.settings import ROOT, ImageSettings
from images.source import Source
from images.strategies import OwnStrategies, copied, own_strategies
from support.wheels import write_wheel
from unit.strategy.cases import bars_of, snapshot_of, wave
from unit.strategy.test_user_strategies import HALF

from .conftest import BuiltImage

type BuildOwn = Callable[[Path, str], str]

PROBE_SETTINGS = {
    "ALCHEMISER_BACKEND": "aws",
    "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": "https://sqs.us-east-1.amazonaws.com/1/nobody.fifo",
    "ALCHEMISER_AWS__BUCKET": "nobodys",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}
SHARES = "dip-and-lead = 0.25, calm-mix = 0.2, sixty-forty = 0.2, best-of-three = 0.15, trend = 0.1, apart = 0.1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, a package of one's own as a wheel, and what lies about in a checkout."""
    made = tmp_path_factory.mktemp("own") / "strategies"
    shutil.copytree(ROOT / "examples" / "strategies", made, ignore=shutil.ignore_patterns("__pycache__"))
    (made / "wheels").mkdir()
    line = write_wheel(made / "wheels", "house_rules", "1.0", HALF, {"half": "house_rules:Half"})
    with (made / "requirements.txt").open("a") as requirements:
        requirements.write(line)
    text = (made / "alchemiser.toml").read_text()
    assert SHARES in text
    (made / "alchemiser.toml").write_text(
        text.replace(SHARES, SHARES.replace("apart = 0.1", "apart = 0.05, half = 0.05"))
    )
    (made / ".env").write_text("APCA_API_SECRET_KEY=secret\n")
    (made / "README.md").write_text("mine\n")
    (made / "unused.clj").write_text('(defsymphony "unused" {} (asset "SPY" nil))')
    return made


@pytest.fixture(scope="module")
def build_own(image_settings: ImageSettings) -> Iterator[BuildOwn]:
    """Builds a service's image with the strategies of a folder; the images go afterwards."""
    names: list[str] = []

    def made(folder: Path, service: str) -> str:
        strategies = found(folder)
        source = Source(revision="e" * 40, url="alchemiser", strategies=strategies.content_hash())
        names.append(build.build(service, image_settings, source, source.tag, strategies))
        return names[-1]

    yield made
    for name in dict.fromkeys(names):
        docker("image", "rm", "--force", name, name + build.LOCAL)


def found(folder: Path) -> OwnStrategies:
    strategies = own_strategies(ROOT, str(folder))
    assert strategies is not None
    return strategies


@pytest.fixture(scope="module")
def image(folder: Path, build_own: BuildOwn) -> str:
    """The strategy image with the folder in it."""
    return build_own(folder, "strategy")


def below(image: str, top: str) -> set[str]:
    return {path.removeprefix(top) for path in files(image) if path.startswith(top)}


def test_the_strategies_lie_in_the_image_with_what_they_need_and_nothing_else_of_the_folder(image: str) -> None:
    inside = below(image, "/var/task/strategies/")
    packages = {path.split("/")[1] for path in inside if path.startswith("site-packages/")}
    assert {"networkx", "house_rules", "house_rules-1.0.dist-info"} <= packages
    assert not [name for name in packages if name.startswith("numpy")]
    assert {path for path in inside if not path.startswith("site-packages/")} == {
        "__pycache__/apart.cpython-313.pyc",
        "alchemiser.toml",
        "apart.py",
        "best-of-three.clj",
        "calm-mix.edn",
        "dip-and-lead.clj",
        "sixty-forty.clj",
        "trend.json",
        "unused.clj",
    }


def test_label_decision_and_this_process_name_the_same_rules(image: str, folder: Path) -> None:
    said = build.strategies_in(image)
    here = examine(ROOT / "examples" / "strategies")
    assert set(said) == {*here, "half", "unused"}
    assert {name: said[name] for name in here} == here
    prices = wave(0.02, 4, 0.7) | {symbol: wave(0.05, 3, 0.5)["SPY"] for symbol in ("IWM", "EEM")}
    snapshot = snapshot_of(bars_of(prices))
    with running(image + build.LOCAL, environment=PROBE_SETTINGS) as function:
        version = json.loads(function.invoke(b'{"probe": "version"}').text)
        answer = function.invoke(json.dumps({"probe": "decision", "snapshot": encode(snapshot)}).encode())
    assert version["git_sha"] == f"eeeeeeeeeeee-{found(folder).content_hash()[:12]}"
    decision = TradeDecision.model_validate_json(answer.text)
    signals = {signal.strategy: signal for signal in decision.signals}
    assert {name: signal.rules for name, signal in signals.items()} == {
        name: rules for name, rules in said.items() if name != "unused"
    }
    assert signals["half"].allocation == pytest.approx(0.05)
    assert signals["half"].weights[0].weight == pytest.approx(0.5)
    assert len(signals["apart"].weights) > 1, "networkx was there"


def test_a_change_moves_one_layer_and_another_tag_and_the_old_image_stays_what_it_was(
    image: str, folder: Path, build_own: BuildOwn, built: BuiltImage, tmp_path: Path
) -> None:
    changed = tmp_path / "strategies"
    shutil.copytree(folder, changed)
    rule = changed / "dip-and-lead.clj"
    rule.write_text(rule.read_text().replace('(rsi "QQQ" {:window 10}) 30', '(rsi "QQQ" {:window 10}) 31'))
    later = build_own(changed, "strategy")
    assert later != image
    assert exists(image)
    assert len(set(layer_digests(image)) - set(layer_digests(later))) == 1
    assert len(set(layer_digests(image)) - set(layer_digests(built("strategy")))) == 1
    before, after = build.strategies_in(image), build.strategies_in(later)
    assert {name for name in before if before[name] != after[name]} == {"dip-and-lead"}


def test_data_gets_the_portfolios_settings_alone(folder: Path, build_own: BuildOwn) -> None:
    image = build_own(folder, "data")
    assert below(image, "/var/task/strategies/") == {"alchemiser.toml"}
    assert build.strategies_in(image) == {}


def test_an_image_without_strategies_of_ones_own_names_those_that_ship_and_has_no_folder(built: BuiltImage) -> None:
    assert build.strategies_in(built("strategy")) == dict(examine(None))
    assert not below(built("strategy"), "/var/task/strategies/")


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("unused.clj", '(defsymphony "x" {}\n  (assset "SPY" nil))', r"unused\.clj:2:4: .*unknown operator assset"),
        ("apart.py", "def strategy(:\n", r"apart\.py:1:14: invalid syntax"),
        ("alchemiser.toml", "[strategies]\nallocations = {\n", r"alchemiser\.toml cannot be read: .*line 2"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_before_anything_is_built(
    folder: Path, build_own: BuildOwn, tmp_path: Path, file: str, text: str, words: str
) -> None:
    changed = tmp_path / "strategies"
    shutil.copytree(folder, changed)
    (changed / file).write_text(text)
    with pytest.raises(ImagesError, match=words):
        build_own(changed, "strategy")


def test_a_builder_never_takes_earlier_strategies_for_these(
    image_settings: ImageSettings, folder: Path, tmp_path: Path
) -> None:
    """Folder after folder and none in between, files of one size; then a folder that is not what it is said to be."""
    recipe, name = "services/strategy/Dockerfile", "alchemiser/strategy:one-after-another"
    one, two = tmp_path / "one", tmp_path / "two"
    for place, symbol in ((one, "SPY"), (two, "QQQ")):
        place.mkdir()
        (place / "mine.clj").write_text(f'(defsymphony "mine" {{}} (asset "{symbol}" nil))')
        os.utime(place / "mine.clj", (0, 0))
    try:
        for given in (one, two, None, one, two, None):
            with copied(None if given is None else found(given)) as context:
                docker(*build.build_command(recipe, "lambda", name, image_settings, {}, context))
            inside = files(name, wanted=("mine.clj",)).get("/var/task/strategies/mine.clj")
            assert inside == (None if given is None else (given / "mine.clj").read_bytes())
        with copied(found(one)) as context:
            assert context is not None
            (context / "strategies" / ".content-hash").write_text(found(two).content_hash())
            told = build.build_command(recipe, "rules", name, image_settings, {}, context)
            (context / "strategies" / ".content-hash").write_text(found(folder).content_hash())
            done = subprocess.run(["docker", *told], capture_output=True, text=True, check=False)
        assert (done.returncode, "these are not the strategies of this build" in done.stderr) == (1, True)
    finally:
        docker("image", "rm", "--force", name)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("unused.clj", "(", "strategies/unused.clj:1:"),
        ("apart.py", "import no_such_package\n", "strategies/apart.py:1: ModuleNotFoundError"),
        ("requirements.txt", "numpy==1.0 --hash=sha256:00\n", "numpy==1.0 cannot be added, the service has numpy=="),
        ("alchemiser.toml", "[strategies]\nallocations = { none = 1 }\n", "names 'none'; known strategies: apart, "),
    ],
)
def test_what_only_the_build_can_find_out_fails_it_by_name(
    folder: Path, image_settings: ImageSettings, tmp_path: Path, file: str, text: str, words: str
) -> None:
    """Nothing looked at the folder before."""
    changed = tmp_path / "strategies"
    shutil.copytree(folder, changed)
    (changed / file).write_text(text)
    with copied(found(changed)) as context:
        command = build.build_command(
            "services/strategy/Dockerfile", "rules", "alchemiser/strategy:refused", image_settings, {}, context
        )
        done = subprocess.run(["docker", *command], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert words in done.stderr
