"""What keeps a report from being made; the command shows it as a message, with the exit code of wrong input."""

from alchemiser_common.errors import PermanentError


class UnusableReport(PermanentError):
    """Raised when a report's parts do not fit together; names the part and the value."""


class UnusableSeries(UnusableReport):
    """Raised when a curve is too short, not finite, not positive, out of order or of the wrong length.

    Also when a turnover beside it is negative or infinite.
    """
