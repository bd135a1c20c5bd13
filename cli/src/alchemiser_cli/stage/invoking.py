"""Ways to send a function one event: Lambda's API, or the runtime emulator's address of a container on this machine."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alchemiser_common.aws.faults import Asking
from alchemiser_common.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_EMULATOR_PATH = "/2015-03-31/functions/function/invocations"
_PATIENCE = 120


class Invoker(Protocol):
    """One function, or one version of it."""

    @property
    def name(self) -> str:
        """What is asked, for a sentence."""
        ...

    def invoke(self, event: Mapping[str, object]) -> bytes:
        """The answer, which may be Lambda's word on an error. Raises StoreUnavailable if there is none."""
        ...


@dataclass(frozen=True)
class LambdaInvoker:
    """Through Lambda's API."""

    client: "LambdaClient"
    function: str
    qualifier: str | None = None

    @property
    def name(self) -> str:
        """Function and version."""
        return self.function if self.qualifier is None else f"{self.function}:{self.qualifier}"

    def invoke(self, event: Mapping[str, object]) -> bytes:
        """The answer of the version that the qualifier names, of the unpublished one without."""
        with Asking(f"function {self.name}", "the phase, which says which functions there are"):
            qualifier = {} if self.qualifier is None else {"Qualifier": self.qualifier}
            answer = self.client.invoke(
                FunctionName=self.function,
                Payload=json.dumps(event).encode(),
                **qualifier,  # type: ignore[arg-type]
            )
            return answer["Payload"].read()


@dataclass(frozen=True)
class EmulatorInvoker:
    """Through the emulator of a container: http://127.0.0.1:port."""

    url: str

    @property
    def name(self) -> str:
        """The address."""
        return self.url

    def invoke(self, event: Mapping[str, object]) -> bytes:
        """The answer; the emulator answers a process that died with its error."""
        request = urllib.request.Request(self.url + _EMULATOR_PATH, data=json.dumps(event).encode())  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310  (a loopback address)
                body: bytes = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        except OSError as error:
            raise StoreUnavailable(f"the container at {self.url} does not answer: {error}") from error
        return body
