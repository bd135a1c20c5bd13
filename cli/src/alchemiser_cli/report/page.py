"""HTML pages from templates: as one file that holds everything, or for a server with what is shared loaded once.

Nothing is fetched from elsewhere and only our scripts run: the content security policy says so, without `unsafe-inline`
anywhere, so a page stays harmless even if a text from data were to slip through the escaping.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from alchemiser_cli import formats
from alchemiser_cli.report.charts import Figure
from alchemiser_cli.report.redaction import public_text
from alchemiser_common.json_value import Json

_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that all pages share. Its name changes with its content, so that it may be cached for good."""

    name: str
    media_type: str
    text: str

    @property
    def integrity(self) -> str:
        """SHA-256 as HTML and policies write it."""
        return f"sha256-{b64encode(sha256(self.text.encode()).digest()).decode()}"


def page(
    template: str,
    *,
    title: str,
    days: Sequence[date],
    figures: Sequence[Figure],
    notice: str = "",
    folder: str | None = None,
    assets_at: str | None = None,
    **context: object,
) -> str:
    """The finished page; every text of `context` is cleaned and escaped as it is written.

    The template is one of this package, or of `folder`, where it finds this package's to build on. `days` are the x
    values of all figures without their own. `assets_at` is the path under which a server has `assets()`, e.g.
    `/assets/`; without it they are in the page. Raises jinja2.UndefinedError for a name that is missing.
    """
    shared = assets()
    return (
        _environment(folder)
        .get_template(template)
        .render(
            title=title,
            notice=notice,
            figures={figure.key: figure for figure in figures},
            data=script_json(figures_json(days, figures)),
            style=_inline(shared["style"]),
            scripts=[_inline(shared[name]) for name in ("library", "script")],
            linked=None if assets_at is None else {name: _link(assets_at + shared[name].name) for name in shared},
            integrity={name: _link(asset.integrity) for name, asset in shared.items()},
            policy=policy(served=assets_at is not None),
            **context,
        )
    )


def figures_json(days: Sequence[date], figures: Sequence[Figure]) -> Json:
    """What page.js reads: the page's days and each figure."""
    return {
        "days": [day.isoformat() for day in days],
        "figures": {figure.key: figure.json() for figure in figures},
    }


def policy(*, served: bool) -> Markup:
    """The content security policy of a page: of a file, or of one whose `assets()` a server has."""
    shared = assets()
    scripts = "'self'" if served else " ".join(f"'{shared[name].integrity}'" for name in ("library", "script"))
    styles = "'self'" if served else f"'{shared['style'].integrity}'"
    forms = "'self'" if served else "'none'"
    rules = ("default-src 'none'", f"script-src {scripts}", f"style-src {styles}", "base-uri 'none'")
    return Markup("; ".join((*rules, f"form-action {forms}")))  # noqa: S704 - holds only words of ours and hashes


@cache
def assets() -> Mapping[str, Asset]:
    """By their part in a page: `style`, `library` (uPlot) and `script`."""
    library, style = (_text("vendor", "uplot", name) for name in ("uPlot.iife.min.js", "uPlot.min.css"))
    return {
        "style": _asset("page", "css", "text/css", style + _text("templates", "page.css")),
        "library": _asset("uplot", "js", "text/javascript", library),
        "script": _asset("page", "js", "text/javascript", _text("templates", "page.js")),
    }


def script_json(value: Json) -> Markup:
    """JSON that can stand inside a script element: ASCII, and no character with which HTML could end it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped above


@cache
def _environment(folder: str | None) -> Environment:
    own = PackageLoader("alchemiser_cli.report")
    environment = Environment(
        loader=own if folder is None else ChoiceLoader([own, FileSystemLoader(folder)]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_public,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "dated": _dated,
        "percent": formats.percent,
        "ratio": formats.ratio,
        "reading": formats.reading,
        "money": formats.money,
        "bp": formats.basis_points,
        "quantity": formats.quantity,
        "exact": _link,
        "moment": _moment,
        "seconds": formats.seconds,
    }
    environment.globals["count"] = formats.count
    return environment


def _public(value: object) -> object:
    """What a template writes: our own markup as it is, any other text cleaned (and then escaped by jinja)."""
    return public_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _dated(text: str) -> Markup:
    """A text whose dates are not broken at their hyphens."""
    return Markup(_DATE.sub(r'<span class="keep">\g<0></span>', str(escape(public_text(text)))))  # noqa: S704 - escaped


def _moment(value: datetime) -> Markup:
    """A time in UTC that is not broken."""
    return Markup(f'<span class="keep">{formats.moment(value)}</span>')  # noqa: S704 - digits


def _link(address: str) -> Markup:
    """What must stay as it is, as an address with paths and hashes: escaped, but not cleaned."""
    return Markup(escape(address))  # noqa: S704 - escaped


def _inline(asset: Asset) -> Markup:
    return Markup(asset.text)  # noqa: S704 - our own files, and uPlot's


def _asset(stem: str, ending: str, media_type: str, text: str) -> Asset:
    return Asset(f"{stem}.{sha256(text.encode()).hexdigest()[:16]}.{ending}", media_type, text)


def _text(*path: str) -> str:
    return files("alchemiser_cli.report").joinpath(*path).read_text(encoding="utf-8")
