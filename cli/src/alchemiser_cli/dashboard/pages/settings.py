"""Settings: every one with its value, source and meaning; of secrets only whether they are set."""

from alchemiser_cli.dashboard.layout import Page
from alchemiser_cli.dashboard.pages import Asked
from alchemiser_cli.dashboard.source import Source


def settings(source: Source, asked: Asked) -> Page:
    """As they were when the dashboard was started."""
    del asked
    return Page("settings.html", "Settings", {"rows": source.rows})
