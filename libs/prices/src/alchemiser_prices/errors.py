"""What is raised for price files."""

from alchemiser_common.errors import PermanentError


class UnusablePrices(PermanentError):
    """Raised when prices cannot be read; the message names file, column or row, the value, and what to do."""


class AmbiguousPrices(UnusablePrices):
    """Raised when prices can be read in more than one way; the message asks, and names the option that answers."""
