"""The local stage: what deploy/template.yaml is given, and what the functions find under which name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import ValidationError

from alchemiser_cli.stage.guards import trader_of
from alchemiser_cli.stage.universe_record import settle
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.aws.s3_archive import S3Archive
from alchemiser_common.errors import StoreUnavailable
from alchemiser_common.ports.clock import SystemClock
from alchemiser_common.probes import CompositionAnswer, Probe
from alchemiser_trading.account.authority import set_authority
from deploy.expand import expand
from deploy.sample import sample_parameters
from local.aws import LOCAL_KEY, REGION, LocalAws
from local.exchange import SHADOW_TOKEN
from local.functions import Answered, Function
from local.phase import SECRET, SHADOW, LocalPhase
from local.provision import local_template, provision, read_phase

if TYPE_CHECKING:
    from deploy.expand import Stack

SIMULATED_KEY = {"key_id": "PKSIMULATED", "secret_key": "a-key-of-no-account"}
"""The simulator takes any."""
FIRST_PHASE = "modular"


def local_stack(account: str, *, phase: str = FIRST_PHASE) -> "Stack":
    """The template in a phase. Its images are named, not used: the containers are the functions."""
    return expand(sample_parameters(RolloutPhase=phase, AccountAlias=account))


@dataclass(frozen=True)
class LocalStage:
    """The stage at a local AWS. `speed` is the exchange's time in real time."""

    aws: LocalAws
    account: str
    speed: float

    @cached_property
    def _stack(self) -> "Stack":
        return local_stack(self.account)

    def variables(self, exchange_url: str) -> dict[str, str]:
        """Settings with which the `alchemiser` command works on this stage."""
        queues = f"{self.aws.endpoint}/123456789012"
        return {
            "ALCHEMISER_BACKEND": "aws",
            "ALCHEMISER_ENVIRONMENT": "simulated",
            "ALCHEMISER_ACCOUNT_ALIAS": self.account,
            "ALCHEMISER_AWS__REGION": REGION,
            "ALCHEMISER_AWS__ENDPOINT_URL": self.aws.endpoint,
            "ALCHEMISER_AWS__TABLE": self.name("Table"),
            "ALCHEMISER_AWS__BUCKET": self.name("Bucket"),
            "ALCHEMISER_AWS__EVENT_BUS": self.name("EventBus"),
            "ALCHEMISER_AWS__MARKET_DATA_QUEUE": f"{queues}/{self.name('MarketDataQueue')}",
            "ALCHEMISER_AWS__TRADE_DECISION_QUEUE": f"{queues}/{self.name('TradeDecisionQueue')}",
            "ALCHEMISER_BROKER__TRADING_URL": exchange_url,
            "ALCHEMISER_BROKER__DATA_URL": exchange_url,
            "AWS_ACCESS_KEY_ID": LOCAL_KEY,
            "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
        }

    def name(self, output: str) -> str:
        """What an output of the template says, e.g. `Table`; of a queue its name."""
        return str(self._stack.outputs[output]).rpartition("/")[2]

    @cached_property
    def state(self) -> DynamoStateStore:
        """The functions' state store."""
        return DynamoStateStore(self.aws.clients.dynamodb, self.name("Table"), lambda: uuid4().hex)

    @cached_property
    def archive(self) -> S3Archive:
        """The functions' archive."""
        return S3Archive(self.aws.clients.s3, self.name("Bucket"))

    def first_use(self, universe: Mapping[str, int], phase: str = FIRST_PHASE) -> bool:
        """`make`, and `keep` of a universe that is known already."""
        made = self.make(phase)
        self.keep(universe)
        return made

    def keep(self, universe: Mapping[str, int]) -> None:
        """Store what the strategies read, bars by symbol. Raises StoreUnavailable."""
        settle(self.state, self.account, universe)

    # Before the functions are asked for their universe: the monolith answers nothing without its secret.
    def make(self, phase: str = FIRST_PHASE) -> bool:
        """Make everything and give the account to the phase's trader; False if it was there.

        The phase is stored in any case: it may be another one. Raises StoreUnavailable, or RunInProgress if the
        authority would change under a run.
        """
        template = local_template(self._stack.resources, speed=self.speed, phase=phase)
        secrets = {SECRET: SIMULATED_KEY, SHADOW: {"oauth_token": SHADOW_TOKEN}}
        made = provision(self.aws, template, secrets=secrets)
        set_authority(
            self.state,
            self.account,
            trader_of(phase),
            who="python -m local",
            reason="first use of the local AWS" if made else f"phase {phase} of the local stage",
            now=SystemClock().now(),
        )
        return made

    def phase(self) -> LocalPhase:
        """The phase that it was last brought into. Raises StoreUnavailable if it is not made yet."""
        return LocalPhase(local_stack(self.account, phase=read_phase(self.aws)))


def universe_of(strategy: Function) -> Mapping[str, int]:
    """What the strategies in the function's image need, bars by symbol. Raises StoreUnavailable if it does not say.

    Asked is the strategy function, and in the phase without one the monolith.
    """
    outcome = strategy.invoke({"probe": Probe.COMPOSITION})
    try:
        if isinstance(outcome, Answered):
            return CompositionAnswer.model_validate(outcome.payload).bars
    except ValidationError:
        pass
    raise StoreUnavailable(
        f"the {strategy.name} function at {strategy.url} does not say what its strategies read: {outcome}"
    )
