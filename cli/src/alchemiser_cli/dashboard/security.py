"""Who may read and who may change: checked before any page is made, and said in every answer.

The server listens on loopback, which every program of this machine and every page in its browser can reach. So each
request shows a token that only the address printed at the start has (then a cookie that no script and no other site's
request gets), names this server as its host (a foreign name that leads here is refused: DNS rebinding), and, where it
changes something, comes from one of our own pages by its Origin and by a token in the form.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from secrets import token_urlsafe
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alchemiser_cli.report.page import policy

ASSETS = "/assets/"
_OPEN = (ASSETS, "/favicon.ico")
"""What has no secret in it, and is needed by pages that say that something is missing."""
_METHODS = frozenset({"GET", "HEAD", "POST"})
_NO_WAY_IN = "This page needs the address that `alchemiser dashboard` printed: open that one, with its token.\n"
_HEADERS = {
    "content-security-policy": f"{policy(served=True)}; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Not no-referrer: with it a browser sends `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server is, and what opens it. `token` is random and made anew at each start."""

    port: int
    token: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a request may call this server."""
        return (f"127.0.0.1:{self.port}", f"localhost:{self.port}")

    @property
    def address(self) -> str:
        """What is printed: opens the pages once the server runs."""
        return self.address_with(self.token)

    def address_with(self, token: str) -> str:
        """The first page's, with a token."""
        return f"http://{self.hosts[0]}/?token={token}"

    @property
    def cookie(self) -> str:
        """The cookie's name; cookies know no ports, and several servers may run."""
        return f"alchemiser-{self.port}"

    def opens(self, shown: str) -> bool:
        """Whether this is the token; takes the same time for every wrong one."""
        return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), self.token.encode())

    def form_token(self, action: str) -> str:
        """What a form of ours has that asks for this action: another site can neither read nor guess it."""
        return hmac.new(self.token.encode(), action.encode(), hashlib.sha256).hexdigest()

    def allows(self, action: str, shown: str) -> bool:
        """Whether a form showed it."""
        return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), self.form_token(action).encode())


class Guard:
    """The ASGI application with the checks before it. A refusal is a short text that says what to do."""

    def __init__(self, inner: ASGIApp, access: Access) -> None:
        self._inner = inner
        self._access = access
        self._once: set[str] = set()

    def address_once(self) -> str:
        """An address that opens the pages one time: for a browser's command line, which others on this machine see."""
        token = token_urlsafe(32)
        self._once.add(token)
        return self._access.address_with(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        answer = self._refusal(scope) or self._entry(scope) or self._inner

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await answer(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, method = Headers(scope=scope), scope["method"]
        if _single(headers.getlist("host")) not in self._access.hosts:
            return PlainTextResponse(f"This server is http://{self._access.hosts[0]} and no other.\n", 421)
        if method not in _METHODS:
            return PlainTextResponse("Pages are read with GET, forms sent with POST.\n", 405, {"allow": "GET, POST"})
        origins = {f"http://{host}" for host in self._access.hosts}
        if method == "POST" and _single(headers.getlist("origin")) not in origins:
            return PlainTextResponse("A change is asked for by a form of these pages only.\n", 403)
        return None

    def _entry(self, scope: Scope) -> Response | None:
        """None for who has shown the token; otherwise the way in, or that there is none."""
        if scope["path"].startswith(_OPEN):
            return None
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in asked if name == "token"]
        if tokens:
            if scope["method"] == "POST" or len(tokens) != 1 or not self._known(tokens[0]):
                return PlainTextResponse(_NO_WAY_IN, 403)
            return self._welcome(scope["path"], [item for item in asked if item[0] != "token"])
        shown = _cookie(Headers(scope=scope).getlist("cookie"), self._access.cookie)
        return None if shown is not None and self._access.opens(shown) else PlainTextResponse(_NO_WAY_IN, 403)

    def _known(self, token: str) -> bool:
        if token in self._once:
            self._once.discard(token)
            return True
        return self._access.opens(token)

    # No redirect: a browser that follows one from an address that another program or page gave it keeps a strict cookie
    # back. What our own page asks for by itself is our own request.
    def _welcome(self, path: str, rest: Sequence[tuple[str, str]]) -> Response:
        """To the same page, with the token in a cookie and no longer in the address."""
        query = f"?{urlencode(rest)}" if rest else ""
        to = "/" + quote(path.lstrip("/\\"))  # `//name` would be another host's
        answer = PlainTextResponse("Opening the dashboard.\n", 200, {"refresh": f"0; url={to}{query}"})
        answer.set_cookie(self._access.cookie, self._access.token, path="/", httponly=True, samesite="strict")
        return answer


def _single(values: Sequence[str]) -> str | None:
    """The header's value, if it is there once."""
    return values[0] if len(values) == 1 else None


def _cookie(headers: Sequence[str], name: str) -> str | None:
    try:
        jar: SimpleCookie = SimpleCookie("; ".join(headers))
    except CookieError:
        return None
    return jar[name].value if name in jar else None
