"""A stack of the template in moto, over HTTP: deployed, moved from phase to phase, looked at through AWS's own API."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alchemiser_common.json_value import Json
from deploy.expand import Stack
from support.aws import moto_client
from support.deployment import PLACE

_SERVER = Path(__file__).with_name("moto_types.py")


@dataclass(frozen=True)
class LocalAws:
    """One moto server."""

    url: str

    def client(self, service: str) -> Any:
        return moto_client(service, self.url)

    def deploy(self, stack: Stack) -> None:
        """Create or update. moto adds before it modifies, so versions and what names them come in a second step."""
        cloud = self.client("cloudformation")
        try:
            known = json.loads(json.dumps(cloud.get_template(StackName=PLACE.stack)["TemplateBody"]))
        except cloud.exceptions.ClientError:
            cloud.create_stack(StackName=PLACE.stack, TemplateBody=json.dumps(stack.body()))
            return
        body = stack.body()
        resources = dict(stack.resources)
        late = {name for name in resources if name not in known["Resources"] and published(resources, name)}
        early: dict[str, Json] = {name: dict(item) for name, item in resources.items() if name not in late}
        kept = {name: item for name, item in known["Resources"].items() if published(known["Resources"], name)}
        cloud.update_stack(StackName=PLACE.stack, TemplateBody=json.dumps({"Resources": {**early, **kept}}))
        cloud.update_stack(StackName=PLACE.stack, TemplateBody=json.dumps(body))

    def physical_ids(self) -> dict[str, str]:
        """Of every resource that moto says it has."""
        found = self.client("cloudformation").describe_stack_resources(StackName=PLACE.stack)["StackResources"]
        return {item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in found}


def published(resources: Any, name: str) -> bool:
    """Whether a resource is a version, an alias, or something that names an alias."""
    kind = resources[name]["Type"]
    if kind in {"AWS::Lambda::Version", "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig"}:
        return True
    return kind in {"AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule"}


@contextmanager
def local_aws() -> Iterator[LocalAws]:
    """A server of its own, for as long as the block lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, str(_SERVER), str(port)],
        env={**os.environ, "MOTO_LAMBDA_STUB_ECR": "true"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(server, url)
        yield LocalAws(url)
    finally:
        server.terminate()
        server.wait(10)


def _wait(server: "subprocess.Popen[bytes]", url: str) -> None:
    for _ in range(900):
        assert server.poll() is None, f"the AWS stand-in ended with code {server.returncode}"
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the AWS stand-in does not answer after 90 s")
