"""Starts of the Lambda functions outside a container: a new process that imports one and answers the version probe."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.figures import Figure, of_processes, processes, publish
from support.command import environment

SUBJECT = "functions: from a new process to the first answer"
_RUNS = 7
_AIMS = {"data": (1500, 170), "strategy": (600, 80), "trading": (1500, 170), "monolith": (1700, 170)}
"""ms and MB. alpaca-py imports pandas, which is two thirds of the three that know the broker."""
_PROBE = "from alchemiser_{0}.lambda_function import handler; handler({{'probe': 'version'}}, None)"
_CLIENTS = (
    "from alchemiser_common.aws.clients import AwsClients; from alchemiser_common.settings import AwsSettings; "
    "clients = AwsClients(AwsSettings()); clients.{0}"
)


def figures() -> list[Figure]:
    """Each function, then what of that is botocore's and its clients'."""
    with TemporaryDirectory() as name:
        folder, plain = Path(name), environment({"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"})

        def of(label: str, code: str, aims: tuple[float, float] | tuple[None, None]) -> list[Figure]:
            runs = processes([sys.executable, "-c", code], folder, plain, _RUNS)
            return of_processes(SUBJECT, label, runs, time_aim=aims[0], peak_aim=aims[1])

        found = [figure for service, aims in _AIMS.items() for figure in of(service, _PROBE.format(service), aims)]
        found += of("Python alone", "pass", (None, None))
        found += of("clients: SQS, as strategy makes", _CLIENTS.format("sqs"), (None, None))
        all_of_trading = _CLIENTS.format("dynamodb, clients.s3, clients.events, clients.secrets")
        found += of("clients: the four of trading", all_of_trading, (None, None))
    return found


if __name__ == "__main__":
    publish(figures())
