"""What deploy/samconfig.toml says of a stage: its stack, region and parameters, and what is looked up by name."""

import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alchemiser_common.errors import InvalidSettings

FILE = Path("deploy") / "samconfig.toml"
DAYS_ALIKE = 10
"""Trading days; see `StageConfig`."""


@dataclass(frozen=True, slots=True)
class StageConfig:
    """One stage."""

    name: str
    stack: str
    region: str
    account: str | None
    """The AWS account it must be in; None if the file does not say."""
    registry_prefix: str
    broker_secret: str
    shadow_secret: str
    template: Path
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    days_alike: int = DAYS_ALIKE
    """Trading days in a row that both pipelines must have decided alike before cutover."""

    @property
    def events(self) -> Path:
        """Folder of the recorded events."""
        return self.template.parent / "events"

    @property
    def cases(self) -> Path:
        """Folder of the checkout's captured cases."""
        return self.template.parent.parent / "tests" / "fixtures" / "cases"

    def registry(self, account: str) -> str:
        """Address of the image repositories without the service's name."""
        return f"{account}.dkr.ecr.{self.region}.amazonaws.com/{self.registry_prefix}"

    def repository(self, service: str) -> str:
        """Name of a service's image repository."""
        return f"{self.registry_prefix}/{service}"


def read_stage(name: str, folder: Path) -> StageConfig:
    """The stage as the file in `folder` or above it gives it. Raises InvalidSettings."""
    file = _find(folder)
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(f"{FILE} cannot be read: {error}") from error
    stages = [key for key, value in content.items() if isinstance(value, dict)]
    if name not in stages:
        raise InvalidSettings(f"stage {name!r} is not in {FILE}; it has {', '.join(stages)}")
    common, deploy, own = (_parameters(content[name], command) for command in ("global", "deploy", "alchemiser"))
    account = str(own.get("account", ""))
    if account and not re.fullmatch(r"[0-9]{12}", account):
        raise InvalidSettings(f"account of stage {name} is {account!r} in {FILE}; it has twelve digits")
    days = own.get("days_alike", DAYS_ALIKE)
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        raise InvalidSettings(
            f"days_alike of stage {name} is {days!r} in {FILE}; give a number of trading days from 1 on"
        )
    try:
        return StageConfig(
            name=name,
            stack=str(common["stack_name"]),
            region=str(common["region"]),
            account=account or None,
            registry_prefix=str(own.get("registry_prefix", "alchemiser")),
            broker_secret=str(own.get("broker_secret", f"alchemiser/{name}/alpaca")),
            shadow_secret=str(own.get("shadow_secret", f"alchemiser/{name}/shadow")),
            template=file.parent / str(deploy["template"]),
            parameters=_pairs(str(deploy.get("parameter_overrides", "")), "parameter_overrides", name),
            tags=_pairs(str(deploy.get("tags", "")), "tags", name),
            days_alike=days,
        )
    except KeyError as error:
        raise InvalidSettings(f"stage {name} has no {error.args[0]} in {FILE}") from error


def _find(folder: Path) -> Path:
    for place in (folder, *folder.parents):
        if (place / FILE).is_file():
            return place / FILE
    raise InvalidSettings(f"there is no {FILE} here or above: run this in a checkout of the project")


def _parameters(stage: Mapping[str, object], command: str) -> Mapping[str, object]:
    section = stage.get(command, {})
    found = section.get("parameters", {}) if isinstance(section, dict) else {}
    return found if isinstance(found, dict) else {}


def _pairs(text: str, field: str, stage: str) -> dict[str, str]:
    pairs = {}
    for number, part in enumerate(shlex.split(text), 1):
        key, equals, value = part.partition("=")
        if not equals:
            raise InvalidSettings(
                f"{field} of stage {stage} has no '=' in its part {number} in {FILE}; write NAME=value"
            )
        pairs[key] = value
    return pairs
