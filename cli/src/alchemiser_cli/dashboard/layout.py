"""A page's values to HTML, with the charts and parts that the reports have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files

from alchemiser_cli.dashboard.security import ASSETS
from alchemiser_cli.report.charts import Figure
from alchemiser_cli.report.page import page

_TEMPLATES = str(files("alchemiser_cli.dashboard").joinpath("templates"))


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows; `values` are the names of its template."""

    template: str
    title: str
    values: Mapping[str, object] = field(default_factory=dict)
    days: Sequence[date] = ()
    figures: Sequence[Figure] = ()
    refresh: int | None = None
    """Seconds after which the browser asks for it again."""
    status: int = 200


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page."""

    sections: Sequence[Section]
    account: str
    environment: str
    place: str
    switching: bool = False
    """Whether the pages may change what the account may do."""


def html(shown: Page, frame: Frame, *, current: str, served: bool = True) -> str:
    """The finished page; `current` is the path of its section. Not `served`: as one file that holds everything."""
    return page(
        shown.template,
        title=shown.title,
        days=shown.days,
        figures=shown.figures,
        notice="",
        folder=_TEMPLATES,
        assets_at=ASSETS if served else None,
        frame=frame,
        current=current,
        **shown.values,
    )
