"""A stage on moto over HTTP, as `alchemiser deploy` finds AWS: images pushed, secrets put, commands run in process."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from alchemiser_cli.simulated import Market, open_market
from alchemiser_cli.stage.changes import ChangeSet
from alchemiser_cli.stage.clients import StageClients
from alchemiser_cli.stage.config import read_stage
from alchemiser_cli.stage.deployment import Deployed, DeployRequest, deploy
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.stage import Stage
from alchemiser_cli.stage.universe_record import read_universe
from alchemiser_common.aws.dynamodb_state import DynamoStateStore
from alchemiser_common.decision_time import decision_time
from alchemiser_common.ids import Pipeline
from alchemiser_common.settings import AwsSettings, BrokerSettings, Settings
from alchemiser_simulator import ClockMode, PriceHistory, SimulatorConfig, SimulatorControl, SimulatorServer
from alchemiser_simulator.market.intraday import SpreadModel
from alchemiser_simulator.market.sessions import SessionCalendar
from alchemiser_trading.account.authority import set_authority
from deploy.template import ROOT
from support.aws import CREDENTIALS, moto_client
from support.aws_stack import _wait

ACCOUNT = "123456789012"
DAY = date(2020, 6, 3)
SPEED = 60.0
"""Exchange seconds a real second."""
FIRST, SECOND, THIRD = "aaaaaaa", "bbbbbbb", "ccccccc"
KEY = {"key_id": "PK1234567890ABCDEFGH", "secret_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCD"}


@dataclass
class FixedClock:
    """The real time plus `ahead`; sleeping takes none."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return self.now().timestamp()

    def sleep(self, seconds: float) -> None:
        pass


@dataclass
class StageOnMoto:
    """One stage of a checkout of its own, on an AWS of its own."""

    url: str
    folder: Path
    name: str = "dev"
    told: list[str] = field(default_factory=list)
    clock: FixedClock = field(default_factory=FixedClock)
    exchange_url: str = ""
    due: datetime = field(default_factory=lambda: datetime.now(UTC))
    """The decision time at which the exchange's time begins."""

    def client(self, service: str) -> Any:
        return moto_client(service, self.url)

    def stage(self, *, url: str | None = None, attempts: int = 1, region: str | None = None) -> Stage:
        config = read_stage(self.name, self.folder)
        around = os.environ.get("AWS_DEFAULT_REGION")
        clients = _stage_clients(region or config.region, url or self.url, attempts, around)
        broker = BrokerSettings(trading_url=self.exchange_url or None, read_attempts=1)
        return Stage(config, clients, self.clock, self.told.append, broker)

    def store(self) -> DynamoStateStore:
        return DynamoStateStore(self.client("dynamodb"), f"alchemiser-{self.name}", lambda: "token")

    def push(
        self,
        tag: str,
        *services: str,
        says: str | None = None,
        broken: str = "never",
        files: Mapping[str, str] | None = None,
        images: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Push images whose functions say they are build `says`, with own strategies in `files`; returns digests.

        `images` are ones of this machine by service: the functions then are those, in containers.
        """
        digests, own = {}, json.dumps(files or {})
        for service in services or SERVICES:
            image = (images or {}).get(service, "")
            layer = "sha256:" + sha256(f"{service} {tag} {says} {broken} {own} {image}".encode()).hexdigest()
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "size": 1, "digest": layer},
                "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "size": 1, "digest": layer}],
                "annotations": {
                    "service": service,
                    "git_sha": says or tag,
                    "broken": broken,
                    "files": own,
                    "image": image,
                },
            }
            put = self.client("ecr").put_image(
                repositoryName=f"alchemiser/{service}", imageManifest=json.dumps(manifest), imageTag=tag
            )
            digests[service] = put["image"]["imageId"]["imageDigest"]
        return digests

    def deploy(
        self, *, phase: str | None = None, parameters: Mapping[str, str] | None = None, **images: str
    ) -> Deployed:
        """To the phase, with the parameters and images (tag by service), without asking."""
        return deploy(self.stage(), DeployRequest(phase, images, parameters or {}), agree)

    def first(self, parameters: Mapping[str, str] | None = None) -> None:
        """The first deployment, of every service's first image."""
        deploy(self.stage(), DeployRequest(None, dict.fromkeys(SERVICES, FIRST), parameters or {}), agree)

    def universe(self) -> dict[str, int]:
        """What the deployment stored."""
        found = read_universe(self.store(), f"paper-{self.name}")
        return {} if found is None else dict(found.bars)

    def run_monolith(self) -> Any:
        """One cycle at the decision time, from which the exchange's time flows anew."""
        with SimulatorControl(self.exchange_url) as control:
            control.reset(start=self.due)
        return self.invoke("monolith", {"scheduled_at": self.due.isoformat()})

    def invoke(self, service: str, event: Mapping[str, object], qualifier: str = "live") -> Any:
        """What a function answers."""
        name = f"alchemiser-{self.name}-{service}"
        functions = moto_client("lambda", self.url, read_timeout=900, attempts=1)  # a run takes longer than an answer
        said = functions.invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps(event).encode())
        return json.loads(said["Payload"].read())

    def finish(self) -> None:
        """What moto's CloudFormation leaves out of table and bucket, set as the template says."""
        table = f"alchemiser-{self.name}"
        dynamodb, s3, bucket = self.client("dynamodb"), self.client("s3"), f"{table}-{ACCOUNT}-us-east-1"
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocks, True))

    def live(self, service: str) -> tuple[str, str]:
        """Version that the alias names, and the commit that answers there."""
        functions, name = self.client("lambda"), f"alchemiser-{self.name}-{service}"
        number = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        probe = functions.invoke(FunctionName=name, Qualifier="live", Payload=b'{"probe": "version"}')
        return number, json.loads(probe["Payload"].read())["git_sha"]

    def functions(self) -> set[str]:
        listed = self.client("lambda").list_functions()["Functions"]
        return {item["FunctionName"] for item in listed}


def give(stage: StageOnMoto, pipeline: Pipeline) -> None:
    """The authority to trade the stage's account."""
    set_authority(stage.store(), "paper-dev", pipeline, who="test", reason="test", now=stage.clock.now())


@cache
def _stage_clients(region: str, url: str, attempts: int, _around: str | None) -> StageClients:
    return StageClients(region, AwsSettings(endpoint_url=url, attempts=attempts, read_timeout_seconds=20))


def agree(_: ChangeSet) -> bool:
    return True


def decline(_: ChangeSet) -> bool:
    return False


@contextmanager
def stage_on_moto(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    history: PriceHistory | None = None,
    day: date = DAY,
    speed: float = SPEED,
    clock: ClockMode = ClockMode.FLOWING,
    reading_tokens: frozenset[str] = frozenset(),
    spread: SpreadModel | None = None,
) -> Iterator[StageOnMoto]:
    """An account with repositories, first images and the broker's secret, in which nothing is deployed.

    The exchange has the bundled market, or another one, and stands at the decision time of `day`.

    AWS and the exchange listen on `host`, an address of this machine that the functions can reach.
    """
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    with socket.socket() as probe:
        probe.bind((host, 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("stage_process.py")
    paths = os.pathsep.join(str(ROOT / name) for name in ("tests", "tools"))
    market = open_market(None) if history is None else Market(history, SessionCalendar(history.dates), "")
    due = decision_time(market.as_session(market.sessions_from(day, 1)[0]), Settings().schedule)
    config = SimulatorConfig(history=market.history, start=due, clock=clock, speed=speed, reading_tokens=reading_tokens)
    exchange = SimulatorServer(config, host=host)
    exchange.start()
    server = subprocess.Popen(
        [sys.executable, str(script), str(port)],
        env={
            **os.environ,
            "MOTO_LAMBDA_STUB_ECR": "true",
            "PYTHONPATH": paths,
            "STAGE_EXCHANGE": exchange.url,
            "STAGE_HOST": host,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        found = StageOnMoto(f"http://{host}:{port}", folder, exchange_url=exchange.url, due=due)
        _wait(server, found.url)
        for service in SERVICES:
            found.client("ecr").create_repository(repositoryName=f"alchemiser/{service}")
        found.push(FIRST)
        found.client("secretsmanager").create_secret(Name="alchemiser/dev/alpaca", SecretString=json.dumps(KEY))
        yield found
    finally:
        server.kill()
        server.wait(10)
        exchange.stop()


@contextmanager
def deployed_stage(
    folder: Path,
    parameters: Mapping[str, str] | None = None,
    *,
    history: PriceHistory | None = None,
    day: date = DAY,
    speed: float = SPEED,
) -> Iterator[StageOnMoto]:
    """A stage that is deployed into phase staged, with authority where it belongs, and credentials for its AWS."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.delenv(name, raising=False)
        with stage_on_moto(folder, history=history, day=day, speed=speed) as found:
            found.first(parameters)
            state, now = found.store(), found.clock.now()
            set_authority(state, "paper-dev", Pipeline.MONOLITH, who="test", reason="first", now=now)
            found.deploy(phase="staged")
            found.finish()
            yield found


@contextmanager
def shadow_stage(folder: Path) -> Iterator[StageOnMoto]:
    """A stage in phase shadow, with authority where it belongs, that has run once with the strategies that ship."""
    with deployed_stage(folder) as found:
        found.deploy(phase="shadow")
        yield found
