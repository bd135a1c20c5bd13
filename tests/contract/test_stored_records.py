"""What the state store holds is pinned by golden files: of this version, and of each before it."""

import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import pytest

import alchemiser_common.records
from alchemiser_common.errors import StateCorrupt
from alchemiser_common.messages.base import SCHEMA_VERSION, VersionedModel
from alchemiser_common.ports.state import Key, Record, parse, put
from support.next_minor import as_next_minor, as_then, with_unknown_field
from support.stored_records import KINDS, Stored

GOLDEN = Path(__file__).parent / "golden" / "records"
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
KEY = Key("RUN#x", "IT")


def read(body: str, model: type[VersionedModel]) -> VersionedModel:
    return parse(Record(KEY, 1, body), model).value


@EVERY_KIND
def test_todays_record_is_the_golden_one(kind: Stored) -> None:
    golden = json.loads((GOLDEN / "current" / f"{kind.name}.json").read_text())
    assert json.loads(put(KEY, kind.make(), 0).body) == golden, (
        f"{kind.model.__name__} changed in the store: raise the schema version and keep the old golden file"
    )


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_golden_record_of_any_version_is_read_as_the_same(path: Path) -> None:
    kind = next(kind for kind in KINDS if kind.name == path.stem)
    found = read(path.read_text(), kind.model)
    now, then = kind.make().model_dump(), json.loads(path.read_text())
    then["schema_version"] = SCHEMA_VERSION
    assert as_then(found.model_dump(), then) == as_then(now, then), f"{kind.name} is read as something else"


def test_every_model_of_a_stored_record_has_a_golden_file() -> None:
    stored = set()
    for module in pkgutil.iter_modules(alchemiser_common.records.__path__, "alchemiser_common.records."):
        here = importlib.import_module(module.name)
        classes = (found for _, found in inspect.getmembers(here, inspect.isclass) if found.__module__ == module.name)
        stored |= {found for found in classes if issubclass(found, VersionedModel)}
    assert stored
    assert stored <= {kind.model for kind in KINDS}, "add it to support/stored_records.py"
    assert {kind.name for kind in KINDS} == {path.stem for path in (GOLDEN / "current").glob("*.json")}


@EVERY_KIND
def test_what_the_next_minor_stores_is_read_and_becomes_this_versions(kind: Stored) -> None:
    found = read(as_next_minor(put(KEY, kind.make(), 0).body), kind.model)
    assert found.model_dump() == kind.make().model_dump()
    assert json.loads(put(KEY, found, 1).body)["schema_version"] == SCHEMA_VERSION, "written back as what it holds"


@pytest.mark.parametrize("version", [SCHEMA_VERSION, "1.3", "1.0"])
@EVERY_KIND
def test_a_field_that_no_such_version_has_is_damage(kind: Stored, version: str) -> None:
    body = put(KEY, kind.make(), 0).body
    with pytest.raises(StateCorrupt, match=r"RUN#x/IT .*since_the_next_minor"):
        read(with_unknown_field(body, version, nested=False), kind.model)


def test_a_field_inside_a_field_is_looked_at_too() -> None:
    plan = next(kind for kind in KINDS if kind.name == "plan")
    body = put(KEY, plan.make(), 0).body
    with pytest.raises(StateCorrupt, match=r"account\.since_the_next_minor.*and \d+ more"):
        read(with_unknown_field(body, SCHEMA_VERSION, nested=True), plan.model)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("2.0", "this reader knows 1.x"),
        ("0.9", "this reader knows 1.x"),
        ("1", "not of the form MAJOR.MINOR"),
        ("1.+5", "not of the form MAJOR.MINOR"),
        ("1.\u0665", "not of the form"),
    ],
)
@EVERY_KIND
def test_another_major_version_is_not_guessed_at(kind: Stored, version: str, words: str) -> None:
    body = json.dumps({**json.loads(put(KEY, kind.make(), 0).body), "schema_version": version})
    with pytest.raises(StateCorrupt, match=f"schema_version: .*{words}"):
        read(body, kind.model)


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "[" * 100_000, '{"schema_version": 5}', '{"schema_version": "1.9"}', '{"schema_version": null}'],
    ids=["nothing", "null", "a list", "nested", "a number", "a later minor without fields", "no version"],
)
def test_what_is_no_record_is_corrupt_and_nothing_else(body: str) -> None:
    with pytest.raises(StateCorrupt, match="RUN#x/IT is no Plan"):
        read(body, next(kind.model for kind in KINDS if kind.name == "plan"))


def test_a_later_minor_may_add_fields_and_not_change_what_others_hold() -> None:
    lease = next(kind for kind in KINDS if kind.name == "lease")
    body = json.dumps({**json.loads(as_next_minor(put(KEY, lease.make(), 0).body)), "epoch": "7"})
    with pytest.raises(StateCorrupt, match="epoch"):
        read(body, lease.model)
