"""The four Dockerfiles are one recipe; what differs is what a service is."""

import re

import pytest

from alchemiser_cli.stage.names import SERVICES
from images.settings import ROOT

_OWN = re.compile(r"^(# .*|    /build/install-dependencies .*|COPY libs/common/src .*)$", re.MULTILINE)


def dockerfile(service: str) -> str:
    return (ROOT / f"services/{service}/Dockerfile").read_text("utf-8")


def test_they_differ_only_in_their_service_its_sources_and_the_aws_services_it_calls() -> None:
    recipes = {_OWN.sub("", dockerfile(service)).replace(service, "SERVICE") for service in SERVICES}
    assert len(recipes) == 1


def base_image(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("ARG BASE_IMAGE="))


def test_the_default_base_is_pinned_by_digest_and_the_same_everywhere() -> None:
    bases = {base_image(dockerfile(service)) for service in SERVICES}
    bases.add(base_image((ROOT / "tools/local/Dockerfile").read_text("utf-8")))
    (base,) = bases
    assert re.fullmatch(r"ARG BASE_IMAGE=python:3\.13\.\d+-slim-trixie@sha256:[0-9a-f]{64}", base)


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_runs_on_the_target_platform_so_that_any_machine_builds_for_any(service: str) -> None:
    here: set[str] = set()
    for stage in dockerfile(service).split("\nFROM ")[1:]:
        first, _, rest = stage.partition("\n")
        if first.startswith("--platform=$BUILDPLATFORM") or first.split()[0] in here:
            here.add(first.split()[-1])
        else:
            assert not re.search(r"^RUN ", rest, re.MULTILINE), f"stage {first} runs something"
    assert here == {"dependencies", "code", "portfolio", "emulator"}


@pytest.mark.parametrize("service", SERVICES)
def test_own_strategies_are_a_layer_of_their_own_above_code_that_comes_from_the_builds_folder_alone(
    service: str,
) -> None:
    text = dockerfile(service)
    assert "\nFROM scratch AS strategies\nWORKDIR /strategies\n\n" in text, "without --build-context there are none"
    layers = re.findall(r"^COPY --from=(\w+) \S+ (\S+)$", text.partition(" AS runtime\n")[2], re.MULTILINE)
    assert layers[:3] == [("dependencies", "/opt/python"), ("code", "/var/task"), ("portfolio", "/var/task/")]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    assert not [line for line in ignored if line.startswith("!strategies")]
