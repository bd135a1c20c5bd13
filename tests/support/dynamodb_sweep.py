"""A trading run whose state is in DynamoDB, with chosen requests to it struck; everything else goes well."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from alchemiser_common.aws.clients import AwsClients
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.ids import Pipeline
from alchemiser_trading.account.authority import set_authority
from support.aws import Aws
from support.exploration import check, stage
from support.fault_proxy import FaultProxy, Strike, fault_proxy
from support.trading_rig import SCHEDULED, Rig
from support.trading_runs import SWITCH, deliver

ATTEMPTS = 2
"""How often the client tries a request: as many strikes in a row make the store unavailable."""


@dataclass(frozen=True)
class Sweep:
    """Starts a run over for each strike."""

    fresh: Callable[[], Rig]
    aws: Aws
    proxy: FaultProxy

    def run(self, at: int | None, strike: Strike) -> int:
        """A run whose request number `at`, and its repetitions, are struck, delivered until it has ended.

        Gives the number of requests it made. Raises AssertionError if it traded anything twice, not at all or wrongly.
        """
        rig = self._bench()
        decision = rig.decision(SWITCH)
        passing = [Strike.PASS] * (at or 0)
        self.proxy.strike(*passing, *[strike] * (ATTEMPTS if at is not None else 0))
        report = deliver(rig, decision, lambda number: rig.service(worker=f"delivery-{number}"))
        requests = self.proxy.seen
        assert check(rig, report) == "completed"
        return requests

    def _bench(self) -> Rig:
        rig = self.fresh()
        settings = self.aws.settings(
            endpoint_url=self.proxy.url, attempts=ATTEMPTS, read_timeout_seconds=2, table=self.aws.make_table()
        )
        state = DynamoStateStore(AwsClients(settings).dynamodb, settings.table, lambda: uuid4().hex)
        self.proxy.strike()
        set_authority(state, "bench", Pipeline.MODULAR, who="test", reason="start", now=SCHEDULED)
        return replace(rig, state=state)


@contextmanager
def sweep(aws: Aws, folder: Path) -> Iterator[Sweep]:
    """Exchange and proxy, up while inside."""
    with stage(folder) as fresh, fault_proxy(aws.url) as proxy:
        yield Sweep(fresh, aws, proxy)
