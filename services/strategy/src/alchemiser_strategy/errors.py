"""What can go wrong between a rule and a decision; each class is one thing a person has to do.

    PermanentError
    ├── StrategyError     mend the strategy, its file or the arguments
    ├── StrategyUnknown   wait for data, or choose another strategies.on_unknown
    └── StrategyFailed    mend the Python class

All reach the user as a message with an exit code, or as the reason of a StageFailure; none as a traceback.
"""

from alchemiser_common.errors import PermanentError


class StrategyError(PermanentError):
    """Raised when a strategy cannot be built, read or backtested.

    An operator, option, window or weight that the language does not allow; a file that is missing, too large, nested
    too deep or no strategy, with its name and the place in it; bars or prices that do not fit together; a folder or a
    package whose strategies cannot be told apart by name.
    """


class StrategyUnknown(PermanentError):
    """Raised when data are too short or missing for a strategy to decide, and there is nothing else to hold.

    The policy is to abort, or to keep previous targets of which there are none. Names each symbol and indicator with
    the bars it had and needs.
    """


class StrategyFailed(PermanentError):
    """Raised when a strategy's own code raised something unexpected, or its weights break the contract.

    A weight that is negative or not finite, more than all of its capital, or a symbol that it does not list.
    """
