"""The alias `live` of a function: which version it names, which were before, and moving it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from alchemiser_cli.stage.candidate import ALIAS
from alchemiser_cli.stage.portfolio import without_portfolio
from alchemiser_common.aws.faults import Asking, code_of
from alchemiser_common.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

_BUILD = frozenset({"ALCHEMISER_AWS__REVISION"})
"""Variables that differ with the build alone."""


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a function."""

    number: str
    digest: str
    variables: Mapping[str, str]

    def set_up_as(self, other: "Version") -> bool:
        """Whether both have the same settings, the phase among them: only build and portfolio differ."""
        return _settings(self) == _settings(other)


def live_version(client: "LambdaClient", function: str) -> Version:
    """What the alias names."""
    with _asking(function):
        number = client.get_alias(FunctionName=function, Name=ALIAS)["FunctionVersion"]
    return _version(client, function, number)


def earlier_versions(client: "LambdaClient", function: str, than: Version) -> list[Version]:
    """Versions with another build and the same settings, newest first."""
    numbers = _numbers(client, function)
    found = (_version(client, function, number) for number in numbers if int(number) < int(than.number))
    return [version for version in found if version.digest != than.digest and version.set_up_as(than)]


def version_of_build(client: "LambdaClient", function: str, digest: str) -> Version | None:
    """The newest version with that build, whatever its settings; None if there is none."""
    found = (_version(client, function, number) for number in _numbers(client, function))
    return next((version for version in found if version.digest == digest), None)


def move_live(client: "LambdaClient", function: str, *, to: str, expected: str) -> None:
    """Point the alias at a version, if it still names the expected one. Raises Conflict."""
    with _asking(function):
        alias = client.get_alias(FunctionName=function, Name=ALIAS)
        if alias["FunctionVersion"] != expected:
            raise Conflict(
                f"{function}:{ALIAS} names version {alias['FunctionVersion']}, not {expected}: it was moved meanwhile"
            )
        guard: Any = {"RevisionId": alias["RevisionId"]} if alias.get("RevisionId") else {}
        try:
            client.update_alias(FunctionName=function, Name=ALIAS, FunctionVersion=to, **guard)
        except ClientError as error:
            if code_of(error) == "PreconditionFailedException":
                raise Conflict(f"{function}:{ALIAS} was moved by another change at the same moment") from error
            raise


def _numbers(client: "LambdaClient", function: str) -> list[str]:
    """Of the published versions, newest first."""
    with _asking(function):
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        numbers = [item["Version"] for page in pages for item in page["Versions"]]
    return sorted((number for number in numbers if number.isdigit()), key=int, reverse=True)


def _version(client: "LambdaClient", function: str, number: str) -> Version:
    with _asking(function):
        found = client.get_function(FunctionName=function, Qualifier=number)
    code = found["Code"]
    given = code.get("ImageUri", "")
    address = given if "@" in given else code.get("ResolvedImageUri", "")
    variables = found["Configuration"].get("Environment", {}).get("Variables", {})
    return Version(number, address.rpartition("@")[2], variables)


def _settings(version: Version) -> dict[str, str]:
    return {name: value for name, value in without_portfolio(version.variables).items() if name not in _BUILD}


def _asking(function: str) -> Asking:
    return Asking(f"function {function}", "the phase, which says which functions there are")
