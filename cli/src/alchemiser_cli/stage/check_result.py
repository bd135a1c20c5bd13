"""What a check of a stage works on, and what it comes to: a verdict, what was seen, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from alchemiser_cli.stage.stack import DeployedStack
from alchemiser_cli.stage.stage import Stage
from alchemiser_common.errors import AlchemiserError, TransientError
from alchemiser_common.probes import CompositionAnswer


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """AWS could not be asked."""
    SKIPPED = "skipped"
    """A check that it needs did not pass."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check says, and what to do about it."""

    check: str
    verdict: Verdict
    says: str
    remedy: str = ""

    @property
    def passed(self) -> bool:
        """Whether checks that need this one can be made."""
        return self.verdict in {Verdict.OK, Verdict.WARNING}

    def as_json(self) -> dict[str, str]:
        """For a program."""
        return {"check": self.check, "verdict": self.verdict.value, "says": self.says, "remedy": self.remedy}


class CheckFailed(Exception):
    """Raised by a check for what is not as it should be, with what to do; `verdict` may make it a warning."""

    def __init__(self, says: str, remedy: str, verdict: Verdict = Verdict.WRONG) -> None:
        super().__init__(says)
        self.says, self.remedy, self.verdict = says, remedy, verdict


def checked(name: str, run: Callable[[], str]) -> CheckResult:
    """What a check comes to, whatever it raises of the project's errors."""
    try:
        return CheckResult(name, Verdict.OK, run())
    except CheckFailed as fault:
        return CheckResult(name, fault.verdict, fault.says, fault.remedy)
    except TransientError as error:
        return CheckResult(name, Verdict.UNKNOWN, str(error), "ask again later")
    except AlchemiserError as error:
        return CheckResult(name, Verdict.WRONG, str(error))


@dataclass
class CheckContext:
    """The stage that is checked, and what earlier checks have learned of it."""

    stage: Stage
    account: str | None = None
    stack: DeployedStack | None = None
    answers: dict[str, CompositionAnswer] = field(default_factory=dict)
    """What each function said it is made of, by service."""

    @property
    def deployed(self) -> DeployedStack:
        """The stack, in checks that come after the one that finds it."""
        if self.stack is None:
            raise LookupError("a check that needs the stack came before it")
        return self.stack


type Check = Callable[[CheckContext], str]
"""Returns what it has seen if all is well. Raises CheckFailed, or TransientError if AWS does not answer."""


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check with its name; `needs` are the names of those before it without which it cannot be made."""

    name: str
    run: Check
    needs: tuple[str, ...] = ()
