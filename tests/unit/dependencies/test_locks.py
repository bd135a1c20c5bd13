"""What is tested is what ships: a package has one version, whichever lock names it."""

from collections import defaultdict

import pytest

from dependencies.declared import OWN_PINS, lines, locks

DEVELOPMENT = "requirements-dev.lock"
APART = [("tools/deploy/requirements.lock", name) for name in lines(OWN_PINS)]
SERVICES = ("data", "strategy", "trading", "monolith")


def test_a_package_has_the_same_version_in_every_lock() -> None:
    versions: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path, pins in locks().items():
        for name, version in pins.items():
            if (path, name) not in APART:
                versions[name][version].append(path)
    different = {name: dict(found) for name, found in versions.items() if len(found) > 1}
    assert different == {}, "run `make lock`"


@pytest.mark.parametrize(("path", "name"), APART)
def test_what_sam_has_otherwise_is_indeed_different(path: str, name: str) -> None:
    others = {pins[name] for other, pins in locks().items() if name in pins and other != path}
    assert others - {locks()[path][name]}, f"take {name} out of {OWN_PINS.name}"


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_an_image_holds_is_there_when_the_tests_run(service: str) -> None:
    every = locks()
    assert set(every[f"services/{service}/requirements.lock"]) <= set(every[DEVELOPMENT])
