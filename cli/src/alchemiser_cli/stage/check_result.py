"""What checks of a stage say: a finding each, with what to do; and what they work on."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from alchemiser_cli.stage.deployment import Stage
from alchemiser_cli.stage.stack import DeployedStack


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """AWS could not be asked."""
    SKIPPED = "skipped"
    """Something before it is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says, and what to do about it."""

    check: str
    verdict: Verdict
    says: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """For a program."""
        return {"check": self.check, "verdict": self.verdict.value, "says": self.says, "remedy": self.remedy}


class Fault(Exception):
    """Raised by a check for what is not as it should be."""

    def __init__(self, says: str, remedy: str, verdict: Verdict = Verdict.WRONG) -> None:
        super().__init__(says)
        self.says, self.remedy, self.verdict = says, remedy, verdict


@dataclass
class CheckContext:
    """The stage under examination, and what is known of it so far."""

    stage: Stage
    account: str | None = None
    stack: DeployedStack | None = None

    @property
    def deployed(self) -> DeployedStack:
        """The stack, in checks that come after the one that finds it."""
        if self.stack is None:
            raise LookupError("a check that needs the stack came before it")
        return self.stack


type Check = Callable[[CheckContext], str]


@dataclass(frozen=True, slots=True)
class Step:
    """A check with its name; `needs` is the name of one before it that must not be wrong."""

    name: str
    run: Check
    needs: str = ""
