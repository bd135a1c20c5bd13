"""How a function is sent one event. Tests send the same probes to a container under the runtime emulator."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from alchemiser_common.aws.faults import Asking

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient


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
