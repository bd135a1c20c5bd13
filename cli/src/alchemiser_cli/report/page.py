"""One self-contained HTML page from a template: plotly.js and the data inside, nothing fetched, only our scripts run.

The content security policy names the two scripts by hash and forbids every connection, so a page stays harmless even
if a text from data were to slip through the escaping.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from datetime import date
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from alchemiser_cli import formats
from alchemiser_cli.report.charts import Figure
from alchemiser_cli.report.redaction import public_text
from alchemiser_common.json_value import Json


def page(
    template: str, *, days: Sequence[date], figures: Sequence[Figure], folder: str | None = None, **context: object
) -> str:
    """The finished page; every text of `context` is cleaned and escaped as it is written.

    The template is one of this package, or of `folder`, where it finds this package's to build on.
    `days` are the x values of all traces without their own. Raises jinja2.UndefinedError for a name that is missing.
    """
    library, script = _library(), _asset("page.js")
    data: Json = {
        "days": [day.isoformat() for day in days],
        "figures": {figure.key: {"traces": figure.traces, "layout": figure.layout} for figure in figures},
    }
    text = _environment(folder).get_template(template)
    return text.render(
        figures={figure.key: figure for figure in figures},
        data=script_json(data),
        library=Markup(library),  # noqa: S704 - plotly's own file, from its package
        script=Markup(script),  # noqa: S704 - our own file
        style=Markup(_asset("page.css")),  # noqa: S704 - our own file
        policy=_policy(library, script),
        **context,
    )


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
        "percent": formats.percent,
        "ratio": formats.ratio,
        "money": formats.money,
        "bp": formats.basis_points,
        "quantity": formats.quantity,
    }
    environment.globals["count"] = formats.count
    return environment


def _public(value: object) -> object:
    """What a template writes: our own markup as it is, any other text cleaned (and then escaped by jinja)."""
    return public_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _library() -> str:
    return str(get_plotlyjs()).replace("\r\n", "\n")


@cache
def _asset(name: str) -> str:
    return files("alchemiser_cli.report").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(*scripts: str) -> Markup:
    """Nothing is loaded, and only `scripts` run. Styles are inline because plotly.js sets them so."""
    allowed = " ".join(_hash(script) for script in scripts)
    rules = ("default-src 'none'", f"script-src {allowed}", "style-src 'unsafe-inline'", "img-src data: blob:")
    return Markup("; ".join((*rules, "base-uri 'none'", "form-action 'none'")))  # noqa: S704 - holds only hashes


@cache
def _hash(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
