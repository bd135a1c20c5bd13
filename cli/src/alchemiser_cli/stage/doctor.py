"""The examination of a stage: checks in order, each of which says one thing; one that cannot ask says so.

A check raises Fault for what is wrong, with what to do. What AWS does not answer is unknown, never well.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from alchemiser_cli.stage import resource_checks as resources
from alchemiser_cli.stage.check_result import CheckContext, Fault, Finding, Step, Verdict
from alchemiser_cli.stage.deployment import Stage
from alchemiser_cli.stage.guards import trader_of
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.parameters import deployed_images, universe
from alchemiser_cli.stage.stack import deployed_template
from alchemiser_cli.stage.template import Json, TemplateError, load, parameter_values, section
from alchemiser_common.aws.faults import Asking
from alchemiser_common.errors import AlchemiserError, TransientError
from alchemiser_common.records.trading_state import TradingState
from alchemiser_trading.account.authority import read_authority
from alchemiser_trading.account.trading_state import trading_state

_MOST_SKEW = 5.0
"""Seconds. AWS refuses signatures from about 300 on; a trading run stops at ten against the broker."""


def examine(stage: Stage) -> list[Finding]:
    """All checks of the stage."""
    context, found = CheckContext(stage), _Findings()
    for step in steps():
        found.add(step, context)
    return found.all


@dataclass
class _Findings:
    all: list[Finding] = field(default_factory=list)

    def add(self, step: Step, context: CheckContext) -> None:
        blocked = next((item for item in self.all if item.check == step.needs), None)
        if blocked is not None and blocked.verdict not in {Verdict.OK, Verdict.WARNING}:
            self.all.append(Finding(step.name, Verdict.SKIPPED, f"needs {step.needs}"))
            return
        self.all.append(_finding(step, context))


def _finding(step: Step, context: CheckContext) -> Finding:
    try:
        return Finding(step.name, Verdict.OK, step.run(context))
    except Fault as fault:
        return Finding(step.name, fault.verdict, fault.says, fault.remedy)
    except TransientError as error:
        return Finding(
            step.name, Verdict.UNKNOWN, str(error), "ask again later; if it was throttled, some minutes later"
        )
    except AlchemiserError as error:
        return Finding(step.name, Verdict.WRONG, str(error))


def steps() -> Iterator[Step]:
    """The checks in order: who we are, the deployment, what it is made of, who trades."""
    account, stack = "account", "stack"
    yield Step(account, _account)
    yield Step("region", _region)
    yield Step("clock", _clock, account)
    yield Step(stack, _stack, account)
    yield Step("parameters", _parameters, stack)
    yield Step("template", _template, stack)
    yield Step("images", _images, stack)
    yield Step("secrets", resources.secrets, stack)
    yield Step("table", resources.table, stack)
    yield Step("queues", resources.queues, stack)
    yield Step("bucket", resources.bucket, stack)
    yield Step("functions", resources.functions, stack)
    yield Step("sources", resources.sources, stack)
    yield Step("schedules", resources.schedules, stack)
    yield Step("authority", _authority, "table")
    yield Step("trading", _trading, "table")


def _account(context: CheckContext) -> str:
    context.account = context.stage.account()
    if context.stage.config.account is None:
        raise Fault(
            f"{context.account}; the stage's file does not say which it should be",
            f'write account = "{context.account}" below [{context.stage.config.name}.alchemiser.parameters] in '
            "deploy/samconfig.toml",
            Verdict.WARNING,
        )
    return context.account


def _region(context: CheckContext) -> str:
    wanted, around = context.stage.config.region, context.stage.clients.surrounding_region
    if around not in {None, wanted}:
        raise Fault(
            f"{wanted} is the stage's, but the profile or AWS_REGION says {around}, where other tools would look",
            f"export AWS_REGION={wanted}",
        )
    return wanted


def _clock(context: CheckContext) -> str:
    with Asking("the time", "AWS_PROFILE"):
        answer = context.stage.clients.sts.get_caller_identity()
    told = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = (context.stage.clock.now() - told).total_seconds()
    if abs(skew) > _MOST_SKEW:
        side = "ahead of" if skew > 0 else "behind"
        raise Fault(
            f"this machine is {abs(skew):.0f} s {side} AWS; requests are refused from 300 s on, and times here mislead",
            "set it: timedatectl set-ntp true",
        )
    return f"within {_MOST_SKEW:.0f} s of AWS's"


def _stack(context: CheckContext) -> str:
    context.stack = context.stage.stack()
    config = context.stage.config
    if context.stack is None:
        raise Fault(
            f"{config.stack} does not exist in account {context.account}, region {config.region}",
            f"right account and region? Then: alchemiser deploy {config.name} --tag COMMIT",
        )
    if not context.stack.settled:
        raise Fault(
            f"{config.stack} is {context.stack.status} {context.stack.reason}".rstrip(),
            f"aws cloudformation describe-stack-events --stack-name {config.stack}; see docs/runbooks/deploy.md",
        )
    return f"{config.stack} is {context.stack.status}, phase {context.stack.phase}"


def _parameters(context: CheckContext) -> str:
    """Those of the checkout's template, and the stage's file agrees with them."""
    template, stack, config = load(context.stage.config.template), context.deployed, context.stage.config
    lacking = sorted(set(section(template, "Parameters")) - set(stack.parameters))
    if lacking:
        raise Fault(f"the deployed stack lacks {', '.join(lacking)}", f"alchemiser deploy {config.name}")
    try:
        parameter_values(template, {name: stack.parameters[name] for name in section(template, "Parameters")})
    except TemplateError as error:
        raise Fault(str(error), f"alchemiser deploy {config.name} --parameter NAME=value") from error
    differ = [
        f"{name} is {stack.parameters.get(name)!r}, the file says {value!r}"
        for name, value in config.parameters.items()
        if stack.parameters.get(name) != value
    ]
    needed = universe(stack.parameters["StrategyAllocations"], context.stage.strategies)
    if any(stack.parameters[name] != value for name, value in needed.items()):
        differ.append("DataUniverse and DataLookback are not what this checkout's strategies need")
    if differ:
        raise Fault("; ".join(differ), f"alchemiser deploy {config.name} brings these values")
    return f"{len(stack.parameters)}, complete and as the file says"


def _template(context: CheckContext) -> str:
    """The stack's template is this checkout's."""
    config = context.stage.config
    here = load(config.template)
    there = deployed_template(context.stage.clients.cloudformation, config.stack)
    differ = sorted(_different(here, there))
    if differ:
        shown = ", ".join(differ[:5]) + (f" and {len(differ) - 5} more" if len(differ) > 5 else "")
        raise Fault(
            f"the deployed template is not this checkout's: {shown}",
            f"check out what is deployed, or see what would change: alchemiser deploy {config.name} --plan",
        )
    return "as in this checkout"


def _different(here: dict[str, Json], there: dict[str, Json]) -> Iterator[str]:
    for part in sorted(set(here) | set(there)):
        mine, theirs = here.get(part), there.get(part)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            yield from (f"{part}.{name}" for name in set(mine) | set(theirs) if mine.get(name) != theirs.get(name))
        elif mine != theirs:
            yield part


def _images(context: CheckContext) -> str:
    registry, images = context.stage.images(), deployed_images(context.deployed, SERVICES)
    gone = [f"{image.service} {image.tag} ({image.digest[:19]}…)" for image in images if not registry.has(image)]
    if gone:
        raise Fault(
            f"no longer in the registry, or its tag stands for another digest: {', '.join(gone)}",
            "push it again (make push-service SERVICE=…) and deploy, before a new container needs it",
        )
    return ", ".join(f"{image.service} {image.tag}" for image in images)


def _authority(context: CheckContext) -> str:
    stack, name = context.deployed, context.stage.config.name
    authority = read_authority(context.stage.state(stack), stack.account_alias)
    wanted = trader_of(stack.phase)
    if authority is None or authority.pipeline is not wanted:
        has = "nobody" if authority is None else authority.pipeline.value
        raise Fault(
            f"{has} has the authority over {stack.account_alias}, and phase {stack.phase} lets {wanted.value} trade: "
            "nobody trades",
            f'eval "$(alchemiser stage {name})" && alchemiser authority --set {wanted.value} --reason …, or see '
            "docs/runbooks/authority-mismatch.md",
        )
    return f"{authority.pipeline.value}, as phase {stack.phase} has it (epoch {authority.epoch})"


def _trading(context: CheckContext) -> str:
    stack = context.deployed
    state = trading_state(context.stage.state(stack), stack.account_alias)
    if state is not TradingState.ACTIVE:
        raise Fault(f"account {stack.account_alias} is {state.value}", "see docs/runbooks/halted.md", Verdict.WARNING)
    return f"account {stack.account_alias} is {state.value}"
