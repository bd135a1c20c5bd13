"""Halt, reduce and resume by forms: a change needs our own form, a reason and a confirmation of just that reason."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from alchemiser_cli.commands.dashboard import switch_of
from alchemiser_cli.context import CommandContext
from support.command import alchemiser
from support.dashboards import Answer, Dashboard, dashboard
from support.traded_home import EXTRA, source, traded_home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return traded_home(tmp_path_factory.mktemp("workspace"), sessions=1)


@pytest.fixture
def folder(home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(home, tmp_path / "copy"))


@pytest.fixture
def served(folder: Path) -> Iterator[Dashboard]:
    context = CommandContext(changes={"home": folder / ".alchemiser"}, folder=folder)
    with dashboard(source(folder), switch_of(context)) as running:
        yield running


def send(running: Dashboard, action: str, **fields: str) -> Answer:
    headers = {"origin": running.base, "content-type": "application/x-www-form-urlencoded"}
    return running.ask("POST", f"/switch/{action}", body=urlencode(fields), headers=headers)


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))


def trading(folder: Path) -> dict[str, object]:
    told = json.loads(alchemiser(folder, "status", "--json", extra=EXTRA).out)
    return {"trading": told["trading"], **{key: (told["switch"] or {}).get(key) for key in ("who", "reason")}}


@pytest.mark.parametrize(
    ("action", "state"), [("halt", "halted"), ("reduce", "reducing"), ("resume", "active")], ids=lambda word: word
)
def test_a_reason_and_a_confirmation_change_it_as_the_command_does(
    served: Dashboard, folder: Path, action: str, state: str
) -> None:
    assert 'href="/switch/halt"' in served.get("/").text
    asked = fields(served.get(f"/switch/{action}").text)
    confirm = send(served, action, **asked, reason="odd  prices = token: x ", who="ann")
    assert confirm.status == 200
    assert trading(folder)["trading"] == "active"
    assert trading(folder)["who"] is None, "nothing yet"
    done = send(served, action, **fields(confirm.text))
    assert (done.status, done.headers["location"]) == (303, "/")
    assert trading(folder) == {"trading": state, "who": "ann", "reason": "odd prices = token: x"}
    audit = json.loads(alchemiser(folder, "audit", "--json", extra=EXTRA).out)
    assert (audit[-1]["what"], audit[-1]["who"]) == (f"trading: active to {state}", "ann")
    if state != "active":
        assert f"trading is {state}" in served.get("/").text


def test_each_lack_is_refused_and_changes_nothing(served: Dashboard, folder: Path) -> None:
    asked = fields(served.get("/switch/halt").text)
    confirm = fields(send(served, "halt", **asked, reason="odd", who="ann").text)
    refused = (
        ("no token", "halt", {"reason": "odd"}, 403),
        ("another action's token", "resume", {**asked, "reason": "odd"}, 403),
        ("not confirmed", "halt", {**confirm, "confirmed": "no"}, 403),
        ("confirmed with the first form's token", "halt", {**asked, "reason": "odd", "confirmed": "yes"}, 403),
        ("another reason than was confirmed", "halt", {**confirm, "reason": "other"}, 403),
        ("another name than was confirmed", "halt", {**confirm, "who": "bob"}, 403),
        ("another action than was confirmed", "resume", confirm, 403),
        ("no reason", "halt", {**asked, "reason": " \t "}, 422),
        ("too long", "halt", {**asked, "reason": "x" * 20_000}, 413),
        ("no such action", "moon", confirm, 404),
    )
    for name, action, sent, status in refused:
        assert send(served, action, **sent).status == status, name
    for name, headers in (
        ("no cookie", {"cookie": ""}),
        ("no origin", {"origin": ""}),
        ("evil", {"origin": "http://e.x"}),
    ):
        usual = {"origin": served.base, "content-type": "application/x-www-form-urlencoded"}
        answer = served.ask("POST", "/switch/halt", body=urlencode(confirm), headers={**usual, **headers})
        assert answer.status == 403, name
    assert served.get(f"/switch/halt?{urlencode(confirm)}").status == 200, "asking changes nothing"
    assert trading(folder)["who"] is None
    assert send(served, "halt", **confirm).status == 303, "what was refused was refused for its lack"


def test_a_reason_is_shown_as_it_is_and_does_nothing(served: Dashboard, folder: Path) -> None:
    asked = fields(served.get("/switch/halt").text)
    hostile = '"><script>alert(1)</script> \x1b[31m /home/ann/secret key=AKIAAAAAAAAAAAAAAAAA'
    page = send(served, "halt", **asked, reason=hostile, who="<b>").text
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert trading(folder)["who"] is None


def test_a_store_that_cannot_be_written_is_said(folder: Path) -> None:
    from alchemiser_common.errors import StoreUnavailable

    def unreachable(*_: object) -> object:
        raise StoreUnavailable("table alchemiser-dev: access denied")

    with dashboard(source(folder), unreachable) as running:
        confirm = send(running, "halt", **fields(running.get("/switch/halt").text), reason="odd")
        answer = send(running, "halt", **fields(confirm.text))
        assert answer.status == 503
        assert "NOT changed" in answer.text
        assert "access denied" in answer.text
        assert "refresh" not in answer.headers, "a change is not asked for again by itself"
