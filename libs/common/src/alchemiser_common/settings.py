"""Every setting in one typed tree, with defaults; the text below each field is its help (settings_help).

Each number has bounds: a value beyond them switches a guard off, or lets nothing be traded, and is a slip of the hand.
"""

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from alchemiser_common.broker_address import BrokerAddress, check_secrecy
from alchemiser_common.ids import Pipeline
from alchemiser_common.messages.base import Stage
from alchemiser_common.messages.snapshot import BarPolicy

WalkStep = Annotated[Decimal, Field(ge=0, le=1)]
Minutes = Annotated[int, Field(ge=0, le=390)]
MOST_STRATEGIES = 90
"""That share an account: a run ends in one write, and the state store takes 100 records in one, a book of each."""
READ_PAUSE_SECONDS = 0.5
"""Before a read is tried again; each pause is twice the one before it, give or take a half."""


class Section(BaseModel):
    """A branch of the tree: frozen, closed to names it does not know, and without numbers that are none (inf, nan)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Environment(StrEnum):
    """Which broker: the simulator, Alpaca paper, or Alpaca live."""

    SIMULATED = "simulated"
    PAPER = "paper"
    LIVE = "live"

    @property
    def default_alias(self) -> str:
        """What the account is called if no alias is set: an environment is one account, however it was chosen."""
        return _ALIASES[self]


_ALIASES = {Environment.SIMULATED: "demo", Environment.PAPER: "paper", Environment.LIVE: "live"}


class Backend(StrEnum):
    """Where state, archive, queues, events and secrets live."""

    EMBEDDED = "embedded"
    """SQLite and files below `home`, queues in memory, secrets in .env."""
    AWS = "aws"
    """DynamoDB, S3, SQS, EventBridge and Secrets Manager, as `aws` names them."""


class Anchor(StrEnum):
    """From which end of the session the decision time counts."""

    OPEN = "open"
    CLOSE = "close"


class UnknownPolicy(StrEnum):
    """What a run does with a strategy that lacks data."""

    ABORT = "abort"
    KEEP = "keep"
    CASH = "cash"


class ExecutionStyle(StrEnum):
    """How a leg is worked: one market order, a walk from mid to the far side, or a slower one from the passive side."""

    MARKET = "market"
    LIMIT_WALK = "limit-walk"
    PATIENT = "patient"


class WithoutQuote(StrEnum):
    """What a leg does when no quote can be traded on."""

    LAST_TRADE = "last-trade"
    SKIP = "skip"


class ScheduleSettings(Section):
    """When a cycle decides and until when it may trade."""

    anchor: Anchor = Anchor.OPEN
    """Count the decision time from the session's open or its close."""
    offset_minutes: Minutes = 15
    """Minutes after the open, or before the close."""
    window_minutes: Minutes = 30
    """A run that starts later than this after its scheduled time is skipped."""
    deadline_minutes: int = Field(default=60, ge=1, le=390)
    """No order is sent later than this after the scheduled time."""
    close_margin_minutes: Minutes = 5
    """No order is sent within this time before the close."""


class LatencySettings(Section):
    """How soon after its scheduled time a run should be done. One that is not goes on, says so, and is an alarm."""

    budget_seconds: float = Field(default=300.0, ge=1, le=23_400)
    """From the scheduled time to the last order; of a run that sends none to the end of its trading."""
    data_share: float = Field(default=0.3, gt=0, lt=1)
    """Part of the budget from the scheduled time to the snapshot; a scheduler may come up to a minute late."""
    strategy_share: float = Field(default=0.1, gt=0, lt=1)
    """Part of the budget from the snapshot to the decision, with the wait in the queue."""
    trading_share: float = Field(default=0.6, gt=0, lt=1)
    """Part of the budget from the decision to the last order, with the wait in the queue."""

    @model_validator(mode="after")
    def _shares_all(self) -> Self:
        total = sum(self._shares().values())
        if abs(total - 1) > 1e-9:
            raise ValueError(
                f"data_share, strategy_share and trading_share add up to {total:.6g}; they must add up to 1"
            )
        return self

    def allowed(self, stage: Stage) -> timedelta:
        """What the stage may take, with the wait before it."""
        return timedelta(seconds=self.budget_seconds * self._shares()[stage])

    def _shares(self) -> dict[Stage, float]:
        shares = (self.data_share, self.strategy_share, self.trading_share)
        return dict(zip((Stage.DATA, Stage.STRATEGY, Stage.TRADING), shares, strict=True))


class DataSettings(Section):
    """What market data are read, and what is asked of them."""

    bar_policy: BarPolicy = BarPolicy.COMPLETED
    """`completed` decides on the last finished session, `provisional` on today's bar so far."""
    carry_gaps: int = Field(default=2, ge=0, le=20)
    """A gap of up to so many sessions in a symbol's bars takes the close before it, and is marked; 0 leaves gaps."""
    closed_days: tuple[date, ...] = ()
    """Days on which the exchange was closed, whatever the broker's calendar or its bars say, as YYYY-MM-DD."""
    max_move: Decimal = Field(default=Decimal("0.5"), gt=0, le=5)
    """A larger move between completed closes, as a fraction, counts only if raw bars and later trades bear it out."""
    max_repeated_closes: int = Field(default=9, ge=2, le=1000)
    """More equal last closes, in a symbol whose closes seldom repeat, are a feed that stands still."""
    bars_feed: str = "sip"
    """Alpaca feed of the daily bars."""
    quotes_feed: str = "iex"
    """Alpaca feed of quotes and trades; `sip` needs a paid plan."""
    max_trade_age_minutes: int = Field(default=30, ge=1, le=390)
    """Provisional policy: the latest trade of a symbol may be at most this old."""
    max_provisional_move: Decimal = Field(default=Decimal("0.5"), gt=0, le=1)
    """Provisional policy: a larger move against the last close, as a fraction, is refused."""
    accepted_jumps: tuple[str, ...] = ()
    """Price jumps known to be real, as SYMBOL:YYYY-MM-DD; only asked for where the broker cannot say what they were."""


class StrategySettings(Section):
    """Which strategies share the account, and what happens when one lacks data."""

    allocations: dict[str, float] = {"nuclear": 0.3, "tecl": 0.5, "klm": 0.2}
    """Fraction of equity for each strategy; must add up to 1. At most 90 strategies."""
    on_unknown: UnknownPolicy = UnknownPolicy.ABORT
    """A strategy that is unknown as a whole aborts the run, keeps what it holds, or goes to cash."""
    folder: Path | None = None
    """Folder of your own strategies, each named by its file: .clj, .edn, .json or .py; `strategies` if it is there."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(self.allocations) > MOST_STRATEGIES:
            raise ValueError(
                f"allocations name {len(self.allocations)} strategies; an account takes {MOST_STRATEGIES}: "
                "leave some out, or combine them in one file"
            )
        for name, share in self.allocations.items():
            if not 0 < share <= 1:
                raise ValueError(f"allocations.{name} is {share}; give a fraction above 0 and up to 1")
        total = sum(self.allocations.values())
        if abs(total - 1) > 1e-9:
            raise ValueError(f"allocations add up to {total:.6g}; they must add up to 1")
        return self


class TradingSettings(Section):
    """How targets become orders, and the limits on them."""

    cash_reserve: Decimal = Field(default=Decimal("0.01"), ge=0, le=Decimal("0.9"))
    """Fraction of equity that stays in cash."""
    min_trade_value: Decimal = Field(default=Decimal(10), ge=1, le=1_000_000)
    """Smaller differences in USD are left alone (full exits are not)."""
    min_trade_share: Decimal = Field(default=Decimal("0.002"), ge=0, le=Decimal("0.5"))
    """Smaller differences as a fraction of equity are left alone (full exits are not)."""
    price_allowance: Decimal = Field(default=Decimal("0.0005"), ge=0, le=Decimal("0.05"))
    """Buys are costed this fraction above the last price and sells this much below, for the spread."""
    max_orders: int | None = Field(default=None, ge=1, le=10_000)
    """A plan with more legs loses its smallest buys; unset: a leg for each symbol that is wanted or held."""
    max_order_value: Decimal | None = Field(default=None, gt=0, le=1_000_000_000)
    """A larger leg in USD is sent in several orders; unset: a million, or half of equity if that is more."""
    max_turnover: Decimal = Field(default=Decimal("2.1"), gt=0, le=10)
    """Buys are cut to what keeps a plan within this multiple of equity; a full switch is 2."""
    max_symbol_weight: Decimal = Field(default=Decimal(1), gt=0, le=1)
    """Buys are cut to what keeps a symbol within this part of the account; shares that strategies keep count."""
    max_daily_loss: Decimal = Field(default=Decimal("0.25"), gt=0, lt=1)
    """Nothing is bought after a larger loss since the last close; the day's transfers are no loss and no gain."""


class ExecutionSettings(Section):
    """How a leg walks through the spread, and how patient the loop is with the broker."""

    tight_style: ExecutionStyle = ExecutionStyle.LIMIT_WALK
    """Style for symbols with a spread up to `tight_spread`."""
    normal_style: ExecutionStyle = ExecutionStyle.LIMIT_WALK
    """Style for symbols in between."""
    wide_style: ExecutionStyle = ExecutionStyle.PATIENT
    """Style for symbols with a spread from `wide_spread` on."""
    tight_spread: Decimal = Field(default=Decimal("0.0005"), ge=0, le=Decimal("0.5"))
    """Fraction of mid."""
    wide_spread: Decimal = Field(default=Decimal("0.004"), gt=0, le=Decimal("0.5"))
    """Fraction of mid."""
    walk: tuple[WalkStep, ...] = Field(
        default=(Decimal("0.5"), Decimal("0.75"), Decimal("0.9"), Decimal(1)), min_length=1
    )
    """limit-walk: limit of each step as a fraction of the spread, from the passive to the far side."""
    rest_seconds: float = Field(default=10.0, ge=0.1, le=3_600)
    """limit-walk: how long a step rests before the next."""
    patient_walk: tuple[WalkStep, ...] = Field(
        default=(Decimal("0.25"), Decimal("0.5"), Decimal("0.65"), Decimal("0.8"), Decimal(1)), min_length=1
    )
    """patient: as `walk`."""
    patient_rest_seconds: float = Field(default=30.0, ge=0.1, le=3_600)
    """patient: as `rest_seconds`."""
    max_steps: int = Field(default=12, ge=1, le=99)
    """After so many orders of one leg the last one rests until the deadline."""
    poll_seconds: float = Field(default=2.0, ge=0.1, le=60)
    """Time between two looks at open orders and quotes."""
    collar: Decimal = Field(default=Decimal("0.01"), gt=0, le=Decimal("0.1"))
    """The last step goes through the far side by at most this fraction of the price."""
    max_spread: Decimal = Field(default=Decimal("0.05"), gt=0, le=Decimal("0.5"))
    """A quote with a wider spread, as a fraction of mid, is not traded on."""
    max_quote_age_seconds: float = Field(default=60.0, ge=1, le=900)
    """An older quote is not traded on."""
    max_quote_move: Decimal = Field(default=Decimal("0.15"), gt=0, le=Decimal("0.5"))
    """Of quote, last trade and planned price two must be this near each other, as a fraction; else no order."""
    max_trade_age_seconds: float = Field(default=900.0, ge=1, le=23_400)
    """An older last trade is no price: it counts as absent."""
    quote_patience_seconds: float = Field(default=60.0, ge=1, le=23_400)
    """How long a leg waits for a quote that can be traded on."""
    without_quote: WithoutQuote = WithoutQuote.LAST_TRADE
    """Then: a limit at the last trade's price within the collar, or no order."""
    cancel_patience_seconds: float = Field(default=60.0, ge=1, le=900)
    """A cancel that is not final after this freezes the symbol."""
    lookups: int = Field(default=4, ge=2, le=100)
    """An order whose request got no answer is absent after so many look-ups in a row without a result."""
    max_refusals: int = Field(default=3, ge=0, le=100)
    """How often a leg is tried again after the broker refused or withdrew an order for a passing reason."""
    refusal_wait_seconds: float = Field(default=5.0, ge=1, le=600)
    """Pause before that."""
    cash_patience_seconds: float = Field(default=300.0, ge=1, le=23_400)
    """How long a buy waits for cash that other legs may bring or give back; then it buys what there is cash for."""
    settle_seconds: float = Field(default=30.0, ge=1, le=600)
    """How long to wait for the broker's cash and positions to show the fills."""
    account_tolerance: Decimal = Field(default=Decimal("0.01"), gt=0, le=Decimal("0.1"))
    """A plan needs equity to be cash and positions within this fraction of it."""
    requests_per_minute: int = Field(default=176, ge=20, le=10_000)
    """Trading requests of all legs together; Alpaca allows 200 for the account."""
    handover_seconds: float = Field(default=45.0, ge=1, le=600)
    """With less process time left the run cancels its open orders and is left to the next delivery."""
    dry_walk_seconds: float = Field(default=300.0, ge=0, le=780)
    """How long a shadow walks its plan at most, on quotes that it reads and with orders that nobody sends; 0: never."""
    lease_seconds: float = Field(default=120.0, ge=10, le=900)
    """An account's lease that is not renewed for this long may be taken over; longer than any request can wait."""
    max_clock_skew_seconds: float = Field(default=10.0, gt=0, le=300)
    """A larger difference between this machine's clock and the broker's stops the run."""

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if not self.tight_spread <= self.wide_spread <= self.max_spread:
            raise ValueError(
                f"tight_spread is {self.tight_spread}, wide_spread {self.wide_spread} and max_spread "
                f"{self.max_spread}; none may be above the next"
            )
        for name, walk in (("walk", self.walk), ("patient_walk", self.patient_walk)):
            if list(walk) != sorted(walk):
                raise ValueError(f"{name} is {', '.join(map(str, walk))}; no step may go back")
        if self.poll_seconds * 3 > self.lease_seconds:
            raise ValueError(
                f"poll_seconds is {self.poll_seconds:g} and lease_seconds {self.lease_seconds:g}: a lease is renewed "
                "after a third of its time, so give poll_seconds at most that"
            )
        return self


class BrokerSettings(Section):
    """How the broker is reached."""

    trading_url: BrokerAddress | None = None
    """Base URL of the trading API; the environment's own if unset. https, or http to a simulator near by."""
    data_url: BrokerAddress | None = None
    """Base URL of the market data API; Alpaca's if unset. https, or http to a simulator near by."""
    connect_timeout_seconds: float = Field(default=3.05, ge=0.1, le=60)
    read_timeout_seconds: float = Field(default=15.0, ge=0.1, le=60)
    """For the next bytes of an answer."""
    total_timeout_seconds: float = Field(default=16.0, ge=0.1, le=300)
    """For an answer as a whole, however slowly it comes."""
    read_attempts: int = Field(default=4, ge=1, le=10)
    """How often a read is tried. Orders are never repeated by the client."""

    @property
    def longest_read_seconds(self) -> float:
        """What all attempts of one read can take, with the pauses between them."""
        pauses = READ_PAUSE_SECONDS * 1.5 * (2.0 ** (self.read_attempts - 1) - 1)
        return self.read_attempts * self.total_timeout_seconds + pauses


class AwsSettings(Section):
    """Names of the resources on AWS; the deployment's outputs give them. Only those a process uses need to be there."""

    region: str = "us-east-1"
    """Where all of them are."""
    endpoint_url: str | None = None
    """Where a local stand-in for AWS listens; AWS itself if unset."""
    table: str = ""
    """DynamoDB table of the state store."""
    bucket: str = ""
    """S3 bucket of the archive."""
    market_data_queue: str = ""
    """URL of MarketDataQueue."""
    trade_decision_queue: str = ""
    """URL of TradeDecisionQueue."""
    event_bus: str = ""
    """Name of the EventBridge bus."""
    broker_secret: str = ""
    """Name or ARN of the Secrets Manager secret with the broker's key."""
    stage: str = ""
    """Name of the deployment, a dimension of its metrics."""
    phase: str = ""
    """Rollout phase in which the process was deployed; for people to read, nothing decides by it."""
    revision: str = ""
    """The deployment's parameters as text, so that a change of one is a new version; nothing decides by it."""
    connect_timeout_seconds: float = Field(default=2.0, ge=0.1, le=300)
    read_timeout_seconds: float = Field(default=5.0, ge=0.1, le=300)
    attempts: int = Field(default=4, ge=1, le=20)
    """How often a call is tried in all; every call can be repeated without harm."""


class LiveSettings(Section):
    """The two locks on real money besides `environment = "live"`."""

    armed: bool = False
    """Must be true to trade live."""
    account_id: str = ""
    """Must equal the id of the account that the key opens."""


class Settings(Section):
    """The whole tree, each value with its default; `settings_loading` says where others come from."""

    environment: Environment = Environment.SIMULATED
    """simulated, paper or live."""
    account_alias: str = Field(
        default_factory=lambda given: given["environment"].default_alias, pattern=r"^[a-z0-9][a-z0-9-]{0,31}$"
    )
    """Name of the account in ids, logs and tables; if unset it follows the environment: demo, paper or live."""
    pipeline: Pipeline = Pipeline.MODULAR
    """Which pipeline this process works for."""
    shadow: bool = False
    """Plan and report beside the pipeline that trades, and send nothing."""
    compared: bool = False
    """The other pipeline is a shadow of this one: judge every due cycle of both, and tell which had none."""
    backend: Backend = Backend.EMBEDDED
    """embedded or aws."""
    home: Path = Path(".alchemiser")
    """Folder of the embedded state, archive and logs."""
    schedule: ScheduleSettings = ScheduleSettings()
    latency: LatencySettings = LatencySettings()
    data: DataSettings = DataSettings()
    strategies: StrategySettings = StrategySettings()
    trading: TradingSettings = TradingSettings()
    execution: ExecutionSettings = ExecutionSettings()
    broker: BrokerSettings = BrokerSettings()
    live: LiveSettings = LiveSettings()
    aws: AwsSettings = AwsSettings()

    @model_validator(mode="after")
    def _sends_keys_in_secret(self) -> Self:
        for name, url in (("trading_url", self.broker.trading_url), ("data_url", self.broker.data_url)):
            if url is not None:
                check_secrecy(f"broker.{name}", url, simulated=self.environment is Environment.SIMULATED)
        return self

    # Why a lease has a minimum: it is renewed between requests, never during one.
    #
    #   this worker    renews, asks the broker … times out, again, again, again … answer, next order
    #   another               the lease has run out: takes the account, looks for orders, sends its own
    #
    # An order that was on its way in that gap has two owners. So a lease outlasts all attempts of one read, with the
    # time that a hand-over takes for its cancels on top.
    @model_validator(mode="after")
    def _lease_outlasts_requests(self) -> Self:
        rules, longest = self.execution, self.broker.longest_read_seconds
        needed = longest + rules.handover_seconds
        if rules.lease_seconds <= needed:
            raise ValueError(
                f"execution.lease_seconds is {rules.lease_seconds:g}; it must be above {needed:g}, which is "
                f"broker.read_attempts x broker.total_timeout_seconds with pauses = {longest:g} and "
                f"execution.handover_seconds = {rules.handover_seconds:g}: while a request waits the lease is not "
                "renewed, and another worker would take the account with an order on its way"
            )
        return self

    @model_validator(mode="after")
    def _walks_end_before_the_deadline(self) -> Self:
        rules, deadline = self.execution, 60 * self.schedule.deadline_minutes
        for walk, rest in (("walk", "rest_seconds"), ("patient_walk", "patient_rest_seconds")):
            takes = len(getattr(rules, walk)) * getattr(rules, rest)
            if takes > deadline:
                raise ValueError(
                    f"execution.{walk} with execution.{rest} takes {takes:g} s; schedule.deadline_minutes leaves "
                    f"{deadline} s, and the last step would never be reached"
                )
        return self
