"""One stage with what it takes to work on it: its stack, images, state and archive, as they are now."""

from dataclasses import dataclass, field
from uuid import uuid4

from alchemiser_cli.stage.changes import Progress
from alchemiser_cli.stage.clients import StageClients
from alchemiser_cli.stage.config import StageConfig
from alchemiser_cli.stage.guards import require_settled
from alchemiser_cli.stage.images import EcrTags, ImageRegistry
from alchemiser_cli.stage.stack import DeployedStack, Refused, read_stack
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.aws.faults import Asking
from alchemiser_common.aws.s3_archive import S3Archive
from alchemiser_common.errors import WrongAccount
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.clock import Clock
from alchemiser_common.ports.state import StateStore
from alchemiser_common.settings import BrokerSettings
from alchemiser_trading.account.lease import require_idle


@dataclass(frozen=True)
class Stage:
    """A stage with what it takes to work on it."""

    config: StageConfig
    clients: StageClients
    clock: Clock
    progress: Progress
    """Is given each line of progress."""
    broker: BrokerSettings = field(default_factory=BrokerSettings)
    """How the broker is reached when a key is examined."""

    def account(self) -> str:
        """The account that the credentials open. Raises WrongAccount if the stage is said to be in another."""
        with Asking("the credentials", "AWS_PROFILE"):
            found = self.clients.sts.get_caller_identity()["Account"]
        if self.config.account not in {None, found}:
            raise WrongAccount(
                f"these credentials open account {found}; stage {self.config.name} is in {self.config.account} "
                "(deploy/samconfig.toml): choose its profile with AWS_PROFILE"
            )
        return found

    def stack(self) -> DeployedStack | None:
        """The stack as it is now, None if there is none. Raises StoreUnavailable."""
        return read_stack(self.clients.cloudformation, self.config.stack)

    def deployed(self) -> DeployedStack:
        """The same. Raises Refused if the stage is not deployed."""
        stack = self.stack()
        if stack is None:
            raise Refused(
                f"stage {self.config.name} is not deployed: stack {self.config.stack} does not exist in region "
                f"{self.config.region} of this account"
            )
        return stack

    def images(self) -> ImageRegistry:
        """The image repositories."""
        return ImageRegistry(EcrTags(self.clients.ecr, self.config), self.config)

    def state(self, stack: DeployedStack) -> StateStore:
        """The stage's state store."""
        return DynamoStateStore(self.clients.dynamodb, stack.outputs["Table"], lambda: uuid4().hex)

    def archive(self, stack: DeployedStack) -> Archive:
        """The stage's archive."""
        return S3Archive(self.clients.s3, stack.outputs["Bucket"])

    def require_changeable(self, stack: DeployedStack) -> None:
        """No change and no run is under way. Raises Refused or RunInProgress."""
        require_settled(stack)
        require_idle(self.state(stack), stack.account_alias, self.clock.now())
