"""Addresses to pages, and what is said when one cannot be made: always a page, never a traceback."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from alchemiser_cli.dashboard.layout import Frame, Page, Section, html
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.pages.audit import audit
from alchemiser_cli.dashboard.pages.orders import orders
from alchemiser_cli.dashboard.pages.parity import parity
from alchemiser_cli.dashboard.pages.performance import download, earned
from alchemiser_cli.dashboard.pages.run import NoSuchRun, run
from alchemiser_cli.dashboard.pages.runs import runs
from alchemiser_cli.dashboard.pages.settings import settings
from alchemiser_cli.dashboard.pages.strategies import strategies
from alchemiser_cli.dashboard.pages.today import today
from alchemiser_cli.dashboard.security import ASSETS, Access, Guard
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.dashboard.switches import ACTIONS, Switches
from alchemiser_cli.report.page import assets
from alchemiser_common.errors import AlchemiserError, InvalidSettings, TransientError

type MakePage = Callable[[Source, Asked], Page]

SECTIONS: Mapping[Section, MakePage] = {
    Section("/", "Today"): today,
    Section("/performance", "Performance"): earned,
    Section("/runs", "Runs"): runs,
    Section("/strategies", "Strategies"): strategies,
    Section("/orders", "Orders and slippage"): orders,
    Section("/parity", "Parity and rollout"): parity,
    Section("/settings", "Settings"): settings,
    Section("/audit", "Audit"): audit,
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_LONGEST_FORM = 16_384
"""Bytes."""
_AGAIN = 15
"""Seconds until a page that could not be made is asked for again."""

_log = logging.getLogger(__name__)


def application(source: Source, access: Access, switches: Switches | None = None) -> Guard:
    """The ASGI application; without `switches` nothing can be changed by it."""
    environment = source.settings.environment.value
    frame = Frame(tuple(SECTIONS), source.account, environment, source.place, switching=switches is not None)
    shared = {asset.name: asset for asset in assets().values()}

    def asset(request: Request) -> Response:
        found = shared.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return Response(found.text, media_type=found.media_type, headers={"cache-control": _FOR_GOOD})

    def table(request: Request) -> Response:
        text: list[str] = []

        def make() -> Page:
            found = download(source, request.query_params)
            if found is None:
                return _message("There is nothing to show yet", "A profit needs two sessions in the range.")
            text.append(found)
            return _message("", "")

        page = made(make)
        if not text:
            return answer(page, frame, "/performance")
        named = 'attachment; filename="performance.csv"'
        return Response(text[0], media_type="text/csv", headers={"content-disposition": named})

    def no_icon(request: Request) -> Response:
        del request
        return Response(status_code=204, headers={"cache-control": _FOR_GOOD})

    def missing(request: Request, error: Exception) -> Response:
        del error
        return answer(_message("There is no such page", f"{request.url.path} is none of them.", status=404), frame, "")

    routes = [Route(section.path, _reading(source, frame, make, section.path)) for section, make in SECTIONS.items()]
    routes += [
        Route("/performance.csv", table),
        Route("/runs/{run}", _reading(source, frame, run, "/runs")),
        Route(ASSETS + "{name}", asset),
        Route("/favicon.ico", no_icon),
    ]
    if switches is not None:
        routes.append(Route("/switch/{action}", _switching(switches, frame), methods=["GET", "POST"]))
    inner = Starlette(routes=routes, exception_handlers={404: missing, 405: missing})
    return Guard(inner, access)


def answer(page: Page, frame: Frame, current: str) -> Response:
    """The page, and when it is to be asked for again."""
    try:
        text = html(page, frame, current=current)
    except Exception:  # noqa: BLE001  (a value that a template cannot show)
        page = _unexpected()
        text = html(page, frame, current=current)
    headers = {} if page.refresh is None else {"refresh": str(page.refresh)}
    return HTMLResponse(text, page.status, headers)


def _reading(source: Source, frame: Frame, make: MakePage, current: str) -> Callable[[Request], Response]:
    """The answer to who reads a page. Made in a thread of its own: stores are read synchronously."""

    def read(request: Request) -> Response:
        asked = {**request.query_params, **request.path_params}
        return answer(made(lambda: make(source, asked)), frame, current)

    return read


def _switching(switches: Switches, frame: Frame) -> Callable[[Request], Awaitable[Response]]:
    """The answer to who changes something, or is about to."""

    async def switch(request: Request) -> Response:
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            raise HTTPException(404)
        if request.method != "POST":
            return answer(switches.ask(action), frame, "/")
        form = await _form(request)
        if form is None:
            return answer(switches.ask(action, lacks="That form was too long.", status=413), frame, "/")
        changed: list[None] = []

        def change() -> Page:
            try:
                page = switches.post(action, form)
            except AlchemiserError as error:
                lines = (str(error), "The account may do what it could before; look at Today.")
                return _message("NOT changed", *lines, status=HTTPStatus.SERVICE_UNAVAILABLE)
            if page is not None:
                return page
            changed.append(None)
            return _message("", "")

        page = await run_in_threadpool(made, change)
        return RedirectResponse("/", HTTPStatus.SEE_OTHER) if changed else answer(page, frame, "/")

    return switch


async def _form(request: Request) -> Mapping[str, str] | None:
    """The fields of a form; None if it is longer than any of ours."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_FORM:
            return None
    return dict(parse_qsl(body.decode("utf-8", "replace")))


def made(make: Callable[[], Page]) -> Page:
    """The page, or what is said where there is none."""
    try:
        return make()
    except NoSuchRun as error:
        return _message("There is no such run", f"No run {error} is stored here.", status=HTTPStatus.NOT_FOUND)
    except InvalidSettings as error:
        return _message("There is nothing to show yet", str(error))
    except TransientError as error:
        said = f"It is tried again every {_AGAIN} seconds."
        page = _message("The records are out of reach", str(error), said, status=HTTPStatus.SERVICE_UNAVAILABLE)
        return Page(page.template, page.title, page.values, refresh=_AGAIN, status=page.status)
    except AlchemiserError as error:
        return _message("The records cannot be read", str(error), status=HTTPStatus.INTERNAL_SERVER_ERROR)
    except Exception:  # noqa: BLE001  (whatever it is, a person is told of it on a page)
        return _unexpected()


def _unexpected() -> Page:
    """Of a bug: logged with its traceback, which is nothing for a page."""
    _log.exception("a page could not be made")
    said = "This should not happen. What was wrong is on the terminal that started the dashboard."
    return _message("The page could not be made", said, status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _message(head: str, *lines: str, status: int = HTTPStatus.OK) -> Page:
    return Page("message.html", head, {"head": head, "lines": lines}, status=status)
