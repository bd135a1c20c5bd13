"""AWS behind a proxy that strikes, and stores whose client goes through it."""

import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest

from alchemiser_common.aws.clients import AwsClients
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from support.aws import Aws
from support.fault_proxy import FaultProxy, fault_proxy


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A function logs to the stdout of its test alone."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    root.handlers[:] = before


@pytest.fixture
def proxy(aws: Aws) -> Iterator[FaultProxy]:
    with fault_proxy(aws.url) as proxy:
        yield proxy


@pytest.fixture
def struck(aws: Aws, proxy: FaultProxy) -> AwsClients:
    """Clients that meet the proxy's strikes; a call is tried twice, each within 0.4 s."""
    return AwsClients(aws.settings(endpoint_url=proxy.url, attempts=2, read_timeout_seconds=0.4))


@pytest.fixture
def table(aws: Aws) -> str:
    return aws.make_table()


@pytest.fixture
def store(struck: AwsClients, table: str) -> DynamoStateStore:
    return DynamoStateStore(struck.dynamodb, table, lambda: uuid4().hex)


@pytest.fixture
def other(aws: Aws, table: str) -> DynamoStateStore:
    """Another process's store on the same table, which nothing strikes."""
    return DynamoStateStore(aws.clients.dynamodb, table, lambda: uuid4().hex)
