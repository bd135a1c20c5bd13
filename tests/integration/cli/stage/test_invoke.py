"""`alchemiser invoke` on a stage in phase shadow: both answers, what differs, exit codes; and its page as it stands."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alchemiser_simulator import SimulatorControl
from deploy.template import ROOT
from support.aws import CREDENTIALS
from support.cases import FOLDER, names
from support.command import Result, alchemiser
from support.documents import blocks
from support.stages import StageOnMoto

pytestmark = pytest.mark.timeout(400)
ON_AWS = [block.text for block in blocks(ROOT / "docs" / "runbooks" / "try-a-case.md") if block.mark == "sh aws"]


@pytest.fixture
def stage(dev: StageOnMoto) -> StageOnMoto:
    """The stage's checkout with the project's cases."""
    cases = dev.folder / "tests" / "fixtures" / "cases"
    if not cases.exists():
        cases.parent.mkdir(parents=True)
        cases.symlink_to(FOLDER)
    return dev


def run(stage: StageOnMoto, *arguments: str, told: dict[str, str] | None = None) -> Result:
    extra = {**CREDENTIALS, "ALCHEMISER_AWS__ENDPOINT_URL": stage.url, **(told or {})}
    return alchemiser(stage.folder, *arguments, extra=extra)


def invoke(stage: StageOnMoto, service: str, case: str, *options: str) -> Result:
    return run(stage, "invoke", "dev", service, "--case", case, *options)


def left_behind(stage: StageOnMoto) -> tuple[object, ...]:
    """Records, keys of the archive, messages in any queue, orders at the exchange."""
    sqs = stage.client("sqs")
    counts = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
    queues = {
        url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
        for url in sqs.list_queues().get("QueueUrls", [])
    }
    with SimulatorControl(stage.exchange_url) as control:
        orders = [order.id for order in control.state().orders]
    return records(stage), objects(stage), queues, orders


def records(stage: StageOnMoto) -> list[object]:
    return sorted(stage.client("dynamodb").scan(TableName="alchemiser-dev")["Items"], key=str)


def objects(stage: StageOnMoto) -> list[str]:
    (bucket,) = [item["Name"] for item in stage.client("s3").list_buckets()["Buckets"] if "dev" in item["Name"]]
    return [item["Key"] for item in stage.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


@pytest.mark.parametrize("service", ["data", "strategy", "trading"])
def test_the_live_function_answers_the_same_and_nothing_comes_of_it(stage: StageOnMoto, service: str) -> None:
    """Data meets two jumps, of which a run would keep the broker's word."""
    before = left_behind(stage)
    same = invoke(stage, service, "as-shipped", "--json")
    assert same.code == 0, same.err + same.out
    answer = json.loads(same.out)
    assert answer["same"] is True
    assert answer["recorded"] == answer["answered"] != []
    assert left_behind(stage) == before
    _, _, queues, orders = before
    assert isinstance(queues, dict)
    assert len(queues) >= 4
    assert {number for counts in queues.values() for number in counts.values()} == {"0"}
    assert orders == []


def test_what_differs_is_shown_and_not_called_the_same(stage: StageOnMoto) -> None:
    other = invoke(stage, "strategy", "calm-bull", "--json")  # the stage shares the account among other strategies
    assert other.code == 1, other.err
    answer = json.loads(other.out)
    assert answer["same"] is False
    assert any(line.startswith("only then: nuclear-volatility (25.00%, ") for line in answer["differences"])
    assert any(line.startswith("tecl (50.00%, ") for line in answer["answered"])
    for case, words in (
        ("provisional-bar", "different: bar policy: provisional then, completed now"),
        ("gap-carried", "different: bars XLK carried: 2020-01-15 then, nothing now"),
        ("bars-rejected", "different: only then: no snapshot: no symbol has a bar of 2020-01-15"),
    ):
        data = invoke(stage, "data", case)
        assert data.code == 1, data.err
        assert words in data.out
        assert "the same" not in data.out


def test_a_case_is_named_or_its_folder_given(stage: StageOnMoto, tmp_path: Path) -> None:
    by_folder = invoke(stage, "trading", str(FOLDER / "calm-bull"))
    assert by_folder.code == 0, by_folder.err
    assert "buy " in by_folder.out
    assert invoke(stage, "trading", "calm-bull").out == by_folder.out
    unknown = invoke(stage, "data", "moon")
    assert unknown.code == 2
    assert f"'moon' is no folder, and no captured case is called so: there are {', '.join(names())};" in unknown.err
    assert "is no captured case: it has no about.json" in invoke(stage, "data", str(tmp_path)).err
    outside = alchemiser(tmp_path, "invoke", "dev", "data", "--case", "calm-bull", extra=CREDENTIALS)
    assert outside.code == 2
    assert "run this in a checkout of the project" in outside.err


def test_what_cannot_be_asked_is_refused(stage: StageOnMoto) -> None:
    assert "give one of data, strategy, trading" in invoke(stage, "moon", "calm-bull").err
    assert "has no snapshot to decide on" in invoke(stage, "strategy", "holiday").err
    assert "has no plan to compare with" in invoke(stage, "trading", "halted").err


@contextmanager
def a_run(stage: StageOnMoto) -> Iterator[None]:
    """The monolith has run on the stage; afterwards it has not."""
    before = records(stage)
    assert stage.run_monolith()["status"] == "completed"
    try:
        yield
    finally:
        table = stage.client("dynamodb")
        for item in table.scan(TableName="alchemiser-dev")["Items"]:
            table.delete_item(TableName="alchemiser-dev", Key={"pk": item["pk"], "sk": item["sk"]})
        for item in before:
            table.put_item(TableName="alchemiser-dev", Item=item)
        with SimulatorControl(stage.exchange_url) as control:
            control.reset()


def test_the_pages_commands_work_as_they_stand(stage: StageOnMoto) -> None:
    told: dict[str, str] = {}
    with a_run(stage):
        for line in "".join(ON_AWS).splitlines():
            words = shlex.split(line)
            if words[0] == "eval":
                shown = run(stage, *shlex.split(words[1].removeprefix("$(").removesuffix(")"))[1:])
                pairs = (text.removeprefix("export ").partition("=") for text in shown.out.splitlines())
                told |= {name: shlex.split(value)[0] for name, _, value in pairs}
                continue
            said = run(stage, *words[1:], told=told)
            assert said.code == 0, f"{line}: {said.err}{said.out}"
            assert words[1] != "invoke" or "the same" in said.out
    assert told["ALCHEMISER_BACKEND"] == "aws"
    assert (stage.folder / "cases" / "mine" / "report.json").is_file()
