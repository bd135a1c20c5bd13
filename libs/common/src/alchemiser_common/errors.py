"""Every error raised on purpose, drawn once.

The first split is the one that decides what the caller does::

    AlchemiserError
    ├── PermanentError          a retry cannot help: record, alert, acknowledge the message
    │   ├── InvalidMessage      a message cannot be read or breaks its contract
    │   ├── InvalidSettings     a setting is missing, unknown or contradicts another
    │   │   └── TemplateError * a template, or a parameter of it, breaks its rule
    │   ├── MissingSecret       a secret that the run needs is absent or malformed
    │   ├── MarketDataRejected  the market data failed a check and must not be decided on
    │   ├── StrategyError *     a strategy cannot be built: an operator, option, window or weight makes no sense
    │   │   ├── PortfolioFaulty * a folder of own strategies cannot become part of an image
    │   │   └── Complaint *     the same, raised where the place in the file is not known yet
    │   ├── StrategyUnknown *   data are too short for a strategy to decide, and the policy is to abort
    │   ├── StrategyFailed *    a strategy breaks its contract or raises something unexpected
    │   ├── DecisionRefused     a decision must not be traded
    │   │   ├── DecisionExpired a decision is past its deadline
    │   │   ├── WrongAccount    a decision, a setting or a key is for another account or environment
    │   │   ├── NotAuthorised   another pipeline, or none, may trade the account
    │   │   ├── NotArmed        live trading lacks one of its locks
    │   │   ├── TradingHalted   a person has stopped trading
    │   │   ├── MarketClosed    the session is over, too short, or does not exist
    │   │   └── LimitBreached   more is asked for than a limit allows
    │   ├── RunInProgress       a change is asked for that must wait for a run to end
    │   ├── BrokerRefused       the broker understood a request and said no
    │   ├── Unreconciled        the broker shows what no journal entry explains
    │   ├── StateCorrupt        the state store holds something that no version of this code wrote
    │   ├── UnusablePrices *    a price file cannot be read: what it holds is wrong, or no form that is known
    │   │   └── AmbiguousPrices * it can be read in more than one way, and a person must say which
    │   ├── UnusableReport *    a report's parts do not fit together
    │   │   └── UnusableSeries * a curve is too short, not finite or not positive
    │   └── Refused *           a deployed stage must not be changed as it is now
    ├── TransientError          fail the item: the queue delivers it again, then dead-letters it
    │   ├── BrokerUnavailable   a read met a timeout, a throttle or a server error
    │   │   └── BrokerThrottled the broker refused to look at a request: it surely had no effect
    │   ├── StoreUnavailable    state, queue or archive could not be reached
    │   ├── LeaseHeld           another worker holds the account
    │   ├── OutOfTime           the process must end before the run does; the next delivery continues it
    │   └── Conflict            a conditional write lost against a concurrent one
    ├── DeploymentFailed *      a change of a stage was begun and did not succeed
    │   └── SmokeFailed *       a build does not answer as it must
    └── AmbiguousOutcome        an order request may have landed: look it up, never repeat it blindly

Those with a star are defined where they are raised: in `alchemiser_strategy`, `alchemiser_prices`,
`alchemiser_cli.report` and `alchemiser_cli.stage`. The simulated exchange stands alone and has its own (ConfigError,
HistoryError, StateError, PortInUseError, ControlError).

Messages name the field, the value and what to do. They never hold a secret: one that was loaded reads masked. At the
command line each ends as one line with an exit code: 2 for wrong settings, secrets and input, 3 for what was out of
reach, 1 for the rest.
"""

from decimal import Decimal

from alchemiser_common.masking import masked


class AlchemiserError(Exception):
    """Base of every error raised on purpose."""

    def __str__(self) -> str:
        return masked(super().__str__())


class PermanentError(AlchemiserError):
    """A retry cannot help; the cause must be recorded and a person told."""


class InvalidMessage(PermanentError):
    """Raised when a message is unreadable, oversized, of an unknown version or breaks its contract."""


class InvalidSettings(PermanentError):
    """Raised when settings are missing, unknown, malformed or contradictory."""


class MissingSecret(PermanentError):
    """Raised when a secret that the run needs is absent or malformed."""


class MarketDataRejected(PermanentError):
    """Raised when market data fails a check; names symbol, date, value and rule."""


class DecisionRefused(PermanentError):
    """Raised when a decision must not be traded: expired, foreign, unauthorised or over a limit."""


class DecisionExpired(DecisionRefused):
    """Raised when a decision arrives after its `not_after`."""


class WrongAccount(DecisionRefused):
    """Raised when a decision, a setting or a key is for another account or environment than the one at hand."""


class NotAuthorised(DecisionRefused):
    """Raised when the state store does not say that this pipeline may trade the account."""


class NotArmed(DecisionRefused):
    """Raised when live trading lacks one of its independent locks."""


class TradingHalted(DecisionRefused):
    """Raised when the account's trading state forbids every order."""


class MarketClosed(DecisionRefused):
    """Raised when there is no session, or not enough of it left."""


class LimitBreached(DecisionRefused):
    """The error of a run whose buys a limit cut; raised where more is asked for than one write takes."""


class RunInProgress(PermanentError):
    """Raised when a change is refused because a run of the account has not ended."""


class BrokerRefused(PermanentError):
    """Raised when the broker understood a request and refused it.

    `status` is the HTTP status, `code` the broker's own number (0 if it sent none). `may_pass`: the cause may be gone a
    moment later, such as cash that lags behind a sale, or shares that an ending order still holds. `explained`: it is
    in the broker's own form, not a page of something in between, which says nothing about what the broker did.
    `affordable`: what it says is left to spend, USD, if it says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: int = 0,
        may_pass: bool = False,
        explained: bool = True,
        affordable: Decimal | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.may_pass = may_pass
        self.explained = explained
        self.affordable = affordable


class Unreconciled(PermanentError):
    """Raised when the broker shows orders or positions that no journal entry explains."""


class StateCorrupt(PermanentError):
    """Raised when stored state cannot be read as anything this code writes."""


class TransientError(AlchemiserError):
    """Trying again later may help; the queue does that."""


class BrokerUnavailable(TransientError):
    """Raised when a read from the broker met a timeout, a throttle or a server error."""


class BrokerThrottled(BrokerUnavailable):
    """Raised on HTTP 429 in the broker's own form: the request was not looked at and had no effect."""


class StoreUnavailable(TransientError):
    """Raised when state, queue or archive could not be reached or written."""


class LeaseHeld(TransientError):
    """Raised when another worker holds the account's lease."""


class OutOfTime(TransientError):
    """Raised when the process has too little time left for another step; the run is left to the next delivery."""


class Conflict(TransientError):
    """Raised when a conditional write lost against a concurrent one."""


class AmbiguousOutcome(AlchemiserError):
    """Raised when an order request may or may not have landed; only a look-up by client order id decides."""
