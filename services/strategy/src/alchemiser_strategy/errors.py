"""What can go wrong between a rule and a decision; each class is one thing a person has to do."""

from alchemiser_common.errors import PermanentError


class StrategyError(PermanentError):
    """Raised when a strategy cannot be built: an operator, option, window or weight that makes no sense.

    `at` says where in a file; a parser adds it to what the builder has raised.
    """

    def at(self, where: str) -> "StrategyError":
        """The same complaint with its place in front, e.g. ``tqqq.clj:12:7``."""
        return StrategyError(f"{where}: {self}")


class StrategyUnknown(PermanentError):
    """Raised when data are too short or missing for a strategy to say anything, and the policy is to abort."""


class StrategyFailed(PermanentError):
    """Raised when a strategy breaks its contract or raises something unexpected."""
