"""Each check of the dashboard refuses what it is there for: token, host, origin, method, and what browsers are told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from alchemiser_cli.report.page import assets
from support.dashboards import Dashboard, dashboard
from support.traded_home import source


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    with dashboard(source(tmp_path_factory.mktemp("workspace"))) as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/runs", "/settings", "/audit", "/runs/x", "/moon", "/assetsx"])
@pytest.mark.parametrize("cookie", ["", "other=1", "{name}=wrong", "{name}=", "{name}=\u00e9", "=;;\x01"])
def test_no_page_without_the_token(served: Dashboard, path: str, cookie: str) -> None:
    answer = served.get(path, cookie=cookie.format(name=served.access.cookie))
    assert answer.status == 403
    assert "alchemiser dashboard" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_printed_address_opens_and_the_token_leaves_the_address(served: Dashboard) -> None:
    answer = served.get(f"/runs?q=a%20b&token={served.access.token}", cookie="")
    assert answer.status == 200
    assert answer.headers["refresh"] == "0; url=/runs?q=a+b"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{served.access.cookie}={served.access.token};")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert served.get("/settings", cookie=cookie.partition(";")[0]).status == 200


@pytest.mark.parametrize("token", ["", "wrong", "a-token-that-only-the-address-ha", "%C3%A9"])
def test_another_token_opens_nothing(served: Dashboard, token: str) -> None:
    answer = served.get(f"/?token={token}", cookie="")
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


def test_the_way_in_leads_to_no_other_host(served: Dashboard) -> None:
    for path in ("//evil.example/", "/\\evil.example", "///evil.example"):
        answer = served.get(f"{path}?token={served.access.token}", cookie="")
        assert answer.headers["refresh"].startswith("0; url=/evil.example"), path


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "[::1]:{port}", "127.0.0.1:1"]
)
@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/?token={token}", "/assets/x"])
def test_a_foreign_name_that_leads_here_is_refused(served: Dashboard, host: str, path: str) -> None:
    answer = served.get(path.format(token=served.access.token), host=host.format(port=served.access.port))
    assert answer.status in {400, 421}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}"])
def test_our_own_names_are_answered(served: Dashboard, host: str) -> None:
    assert served.get("/settings", host=host.format(port=served.access.port)).status == 200


@pytest.mark.parametrize(
    "origin", ["", "null", "http://evil.example", "https://{host}", "http://localhost:1", "http://{host}.evil.example"]
)
def test_a_change_from_elsewhere_is_refused(served: Dashboard, origin: str) -> None:
    answer = served.ask("POST", "/settings", body="", headers={"origin": origin.format(host=served.access.hosts[0])})
    assert (answer.status, "form of these pages" in answer.text) == (403, True)


def test_without_switches_nothing_can_be_posted(served: Dashboard) -> None:
    for path in ("/", "/runs", "/audit", "/switch/halt", "/switch/resume"):
        answer = served.ask("POST", path, body="reason=x", headers={"origin": f"http://{served.access.hosts[0]}"})
        assert answer.status == 404, path
        assert served.get("/switch/halt").status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "MOON"])
def test_other_methods_are_refused(served: Dashboard, method: str) -> None:
    assert served.ask(method, "/").status == 405


def test_every_answer_tells_the_browser_to_be_strict(served: Dashboard) -> None:
    asset = f"/assets/{assets()['script'].name}"
    for path, headers in (
        ("/", {}),
        ("/", {"cookie": ""}),
        ("/", {"host": "evil.example"}),
        ("/moon", {}),
        (asset, {}),
    ):
        answer = served.get(path, **headers)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        kept = answer.headers["cache-control"]
        assert kept == ("public, max-age=31536000, immutable" if path == asset else "no-store"), path
    assert served.get("/assets/../security.py").status == 404
    assert served.get("/assets/x.js").status == 404


def test_it_listens_on_loopback_only() -> None:
    from alchemiser_cli.dashboard.server import listen

    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    from alchemiser_cli.dashboard.server import listen
    from support.command import alchemiser

    with listen(0) as listener:
        result = alchemiser(tmp_path, "dashboard", "--no-open", "--port", str(listener.getsockname()[1]))
    assert result.code == 2
    assert "give another, or 0 for any free one" in result.err


def test_the_address_for_the_browser_opens_once() -> None:
    from alchemiser_cli.dashboard.security import Access, Guard

    async def nothing(*_: object) -> None:
        pass

    guard = Guard(nothing, Access(1, "t" * 32))
    token = guard.address_once().partition("token=")[2]
    assert token != "t" * 32
    assert [guard._known(token), guard._known(token)] == [True, False]
