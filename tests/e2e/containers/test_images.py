"""The four images: who answers in them, and what is and is not inside."""

import json
import re
from dataclasses import replace
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from alchemiser_cli.stage.names import SERVICES
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.wire import decode
from images import build, sbom
from images.cold import strategy_queue
from images.docker import docker
from images.function import running
from images.layers import files, layer_digests
from images.settings import ROOT, ImageSettings
from images.source import Source, read_source

from .conftest import BuiltImage

AWS_MODELS = {
    "data": {"sqs", "s3", "dynamodb", "secretsmanager"},
    "strategy": {"sqs", "s3"},
    "trading": {"dynamodb", "s3", "secretsmanager", "events"},
    "monolith": {"sqs", "s3", "dynamodb", "secretsmanager", "events"},
}
ROOMS = {
    "data": {"alchemiser_common", "alchemiser_data"},
    "strategy": {"alchemiser_common", "alchemiser_strategy"},
    "trading": {"alchemiser_common", "alchemiser_trading"},
    "monolith": {
        "alchemiser_common",
        "alchemiser_data",
        "alchemiser_strategy",
        "alchemiser_trading",
        "alchemiser_monolith",
    },
}
MEGABYTES = {"data": 125, "strategy": 80, "trading": 125, "monolith": 125}
"""Some ten percent above what they are (docs/images.md)."""
LEFTOVERS = re.compile(
    r"^/(build|tmp|wheels|root/\.cache)/|/bin/(gcc|cc|ld|uv)$|^/(opt|var/task)/.*(/tests/|\.(pyi|pxd|pyx|h|a|c|orig)$)"
)
UNCHECKED_HASH = b"\x01\x00\x00\x00"
"""A compiled module's flags that tell Python never to compare it with its source."""


@pytest.mark.parametrize("service", SERVICES)
def test_every_image_says_which_build_it_is_locked_up_as_on_lambda(service: str, built: BuiltImage) -> None:
    image = built(service)
    labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", image))
    with running(image + build.LOCAL) as function:
        answers = [json.loads(function.invoke(b'{"probe": "version"}').text) for _ in range(2)]
        assert len(function.reports()) == 2
    for answer in answers:
        assert answer == {
            "service": service,
            "version": labels["org.opencontainers.image.version"],
            "git_sha": read_source(ROOT).tag,
            "schema_version": labels["alchemiser.schema-version"],
        }
    assert docker("image", "inspect", "--format", "{{.Config.User}}", image) == "65532:65532"


def test_the_strategy_image_decides_byte_for_byte_what_this_process_decides(built: BuiltImage) -> None:
    events = ROOT / "deploy/events"
    with strategy_queue() as queue, running(built("strategy") + build.LOCAL, environment=queue.variables) as function:
        answer = function.invoke((events / "sqs-snapshot.json").read_bytes())
        (sent,) = queue.client.receive_message(QueueUrl=queue.url)["Messages"]
    assert json.loads(answer.text) == {"batchItemFailures": []}
    recorded = json.loads((events / "sqs-decision.json").read_text("utf-8"))["Records"][0]["body"]
    assert decode(sent["Body"], TradeDecision).content_hash() == decode(recorded, TradeDecision).content_hash()


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_what_its_service_uses_and_no_leftovers_of_the_build(service: str, built: BuiltImage) -> None:
    inside = files(built(service), wanted=(".pyc",))
    ours = {path.split("/")[3] for path in inside if path.startswith("/var/task/")}
    assert ours == ROOMS[service]
    models = {
        path.split("/")[5] for path in inside if path.startswith("/opt/python/botocore/data/") and path.count("/") > 5
    }
    assert models == AWS_MODELS[service]
    packages = {path.split("/")[3] for path in inside if path.startswith("/opt/python/")}
    unwanted = {"pip", "setuptools", "uv", "mypy", "moto", "pytest"}
    if service == "strategy":
        unwanted |= {"pandas", "alpaca", "requests", "websockets"}
    assert not packages & unwanted
    assert not [path for path in inside if LEFTOVERS.search(path)]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_adds_no_more_to_its_base_than_it_may(service: str, built: BuiltImage) -> None:
    history = docker(
        "image", "history", "--no-trunc", "--human=false", "--format", "{{.Size}} {{.CreatedBy}}", built(service)
    )
    ours = [line for line in history.splitlines() if re.search(r"COPY /(opt/python|var/task|own/) ", line)]
    assert len(ours) == 3, "dependencies, code, one's own strategies"
    size = sum(int(line.split()[0]) for line in ours) / 1e6
    assert size <= MEGABYTES[service], "`make image-report` and `docker history` say what grew"


@pytest.mark.parametrize("service", SERVICES)
def test_image_and_bill_of_materials_hold_exactly_what_is_locked(
    service: str, built: BuiltImage, tmp_path: Path
) -> None:
    document = json.loads(sbom.write(service, read_source(ROOT).tag, tmp_path).read_text("utf-8"))
    listed = {(item["name"], item["version"]): hashes_of(item) for item in document["components"]}
    inside = {
        (str(about["Name"]).lower().replace("_", "-"), str(about["Version"]))
        for path, content in files(built(service), wanted=(".dist-info/METADATA",)).items()
        if path.startswith("/opt/python/") and path.endswith(".dist-info/METADATA")
        for about in [BytesParser().parsebytes(content, headersonly=True)]
    }
    lock = (ROOT / f"services/{service}/requirements.lock").read_text("utf-8")
    locked = set(re.findall(r"^([a-z0-9.-]+)==(\S+) \\$", lock, re.MULTILINE))
    assert set(listed) == inside == locked
    assert all(found and found <= set(re.findall("sha256:([0-9a-f]{64})", lock)) for found in listed.values())


def hashes_of(component: dict[str, Any]) -> set[str]:
    """Of the files that the component may be installed from."""
    return {item["content"] for place in component["externalReferences"] for item in place["hashes"]}


@pytest.mark.parametrize("service", SERVICES)
def test_every_module_is_compiled_for_good_since_a_read_only_root_keeps_no_compilation(
    service: str, built: BuiltImage
) -> None:
    inside = files(built(service), wanted=(".pyc",))
    sources = {path for path in inside if path.startswith(("/opt/python/", "/var/task/")) and path.endswith(".py")}
    assert len(sources) > 100
    for path in sources:
        folder, _, name = path.rpartition("/")
        compiled = inside.get(f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc")
        assert compiled is not None, f"{path} is not compiled"
        assert compiled[4:8] == UNCHECKED_HASH, f"{path} would be compared with its source at every start"


def test_a_change_of_code_moves_the_code_layer_alone_and_a_commit_without_one_moves_nothing(
    built: BuiltImage, image_settings: ImageSettings, tmp_path: Path
) -> None:
    now = built("strategy")
    later = build.build("strategy", image_settings, Source(revision="d" * 40, url="alchemiser"), "d" * 12)
    try:
        assert layer_digests(later) == layer_digests(now)
        assert docker("image", "inspect", "--format", "{{.Id}}", later) != docker(
            "image", "inspect", "--format", "{{.Id}}", now
        )
        changed = tmp_path / "Dockerfile"
        recipe = (ROOT / "services/strategy/Dockerfile").read_text("utf-8")
        changed.write_text(
            recipe.replace("RUN /build/compile /var/task", "RUN echo >/var/task/new.py && /build/compile /var/task")
        )
        command = build.build_command(str(changed), "lambda", "alchemiser/strategy:changed-code", image_settings, {})
        docker(*command)
        moved = set(layer_digests(now)) - set(layer_digests("alchemiser/strategy:changed-code"))
        assert len(moved) == 1, "a deploy of code would move the dependencies too"
    finally:
        docker("image", "rm", "--force", later, later + build.LOCAL, "alchemiser/strategy:changed-code")


def test_this_machine_builds_for_the_other_platform_without_running_anything_of_it(
    image_settings: ImageSettings, registry: str, tmp_path: Path
) -> None:
    native = docker("version", "--format", "{{.Server.Arch}}")
    other, machine = ("arm64", 0xB7) if native == "amd64" else ("amd64", 0x3E)
    base = image_settings.base_image and _base_for_both(image_settings.base_image, native, other, registry, tmp_path)
    settings = replace(image_settings, platform=f"linux/{other}", base_image=base)
    name = f"alchemiser/strategy:{other}"
    docker(*build.build_command("services/strategy/Dockerfile", "local", name, settings, {}))
    try:
        assert docker("image", "inspect", "--format", "{{.Architecture}}", name) == other
        inside = files(name, wanted=(".so", "aws-lambda-rie"))
        programs = {
            path: content
            for path, content in inside.items()
            if content and path.startswith(("/opt/", "/usr/local/bin/"))
        }
        assert len(programs) > 10
        wrong = [path for path, content in programs.items() if int.from_bytes(content[18:20], "little") != machine]
        assert not wrong, f"made for another machine: {wrong}"
    finally:
        docker("image", "rm", "--force", name)


def _base_for_both(base: str, native: str, other: str, registry: str, folder: Path) -> str:
    """Where no public base can be pulled: an index of the local one and an empty one that calls itself the other."""
    index, empty = f"{registry}/base:both", folder / "empty.tar"
    docker("image", "tag", base, f"{registry}/base:{native}")
    empty.write_bytes(b"\0" * 1024)
    docker("image", "import", "--platform", f"linux/{other}", str(empty), f"{registry}/base:{other}")
    images = [f"{registry}/base:{arch}" for arch in (native, other)]
    for image in images:
        docker("image", "push", image)
    docker("manifest", "create", "--insecure", index, *images)
    docker("manifest", "push", "--purge", "--insecure", index)
    docker("image", "rm", *images)
    return index
