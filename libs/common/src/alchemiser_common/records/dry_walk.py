"""What a shadow's orders would have come to: its plan walked on quotes that it read, with orders that nobody sent."""

from uuid import UUID

from alchemiser_common.messages.base import UtcTime, VersionedModel
from alchemiser_common.messages.report import LegReport


class DryWalk(VersionedModel):
    """The walk of one shadow run. A record of its own: no report, book, metric or list of executions has any of it."""

    run_id: UUID
    began: UtcTime
    """Of the walk. The quotes are those from then to `ended`."""
    ended: UtcTime
    legs: tuple[LegReport, ...] = ()
    """As a report's, every fill in them simulated: filled whole at the quote's far side, or at its own limit once a
    later quote crosses it. Empty if there was no walk.
    """
    reads: int = 0
    """Requests for market data that it took."""
    reason: str = ""
    """What ended it before its legs had ended, or put it off."""
