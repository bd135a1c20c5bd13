"""Audit: what people changed, the newest first, a piece at a time."""

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source
from alchemiser_cli.stored_account import audit_before

_A_PAGE = 50


def audit(source: Source, asked: Asked) -> Page:
    """`before`: the place in the trail that all shown precede."""
    before = asked.get("before", "")
    read = audit_before(source.open_state(), source.account, before=before, limit=_A_PAGE)
    older = read[-1][0] if len(read) == _A_PAGE else ""
    return Page("audit.html", "Audit", {"entries": [entry for _, entry in read], "before": before, "older": older})
