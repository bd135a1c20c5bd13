"""Checks a stage, one thing after the other: who asks, the deployment, what it is made of, who may trade.

A check raises CheckFailed for what is wrong, with what to do. What AWS does not answer is unknown, never well.
"""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from alchemiser_cli.stage import portfolio_checks as portfolio
from alchemiser_cli.stage import resource_checks as resources
from alchemiser_cli.stage.check_result import CheckContext, CheckFailed, CheckResult, NamedCheck, Verdict
from alchemiser_cli.stage.guards import trader_of
from alchemiser_cli.stage.names import SERVICES
from alchemiser_cli.stage.parameters import deployed_images
from alchemiser_cli.stage.stack import deployed_template
from alchemiser_cli.stage.stage import Stage
from alchemiser_cli.stage.template import TemplateError, load, parameter_values, section
from alchemiser_common.aws.faults import Asking
from alchemiser_common.errors import AlchemiserError, TransientError
from alchemiser_common.json_value import Json
from alchemiser_common.records.trading_state import TradingState
from alchemiser_common.text import named
from alchemiser_trading.account.authority import read_authority
from alchemiser_trading.account.trading_state import trading_state

_MOST_SKEW = 5.0
"""Seconds. AWS refuses signatures from about 300 on; a trading run stops at ten against the broker."""
_MOST_NAMED = 5


def run_checks(stage: Stage) -> list[CheckResult]:
    """The result of every check, in order. Nothing is changed; a check that cannot be made says why."""
    context, results = CheckContext(stage), dict[str, CheckResult]()
    for check in checks():
        failed = [name for name in check.needs if not results[name].passed]
        if failed:
            results[check.name] = CheckResult(check.name, Verdict.SKIPPED, f"needs {', '.join(failed)}")
        else:
            results[check.name] = _result(check, context)
    return list(results.values())


def _result(check: NamedCheck, context: CheckContext) -> CheckResult:
    try:
        return CheckResult(check.name, Verdict.OK, check.run(context))
    except CheckFailed as fault:
        return CheckResult(check.name, fault.verdict, fault.says, fault.remedy)
    except TransientError as error:
        remedy = "ask again later; if it was throttled, some minutes later"
        return CheckResult(check.name, Verdict.UNKNOWN, str(error), remedy)
    except AlchemiserError as error:
        return CheckResult(check.name, Verdict.WRONG, str(error))


def checks() -> Iterator[NamedCheck]:
    """The checks in order; each needs what is right of it::

        account ─ clock
           └───── stack ─ parameters, template, images
                    └──── queues, bucket, sources, schedules
                    └──── secrets ─ shadow-key
                    └──── functions, secrets ─ composition ─ symbols
                    └──── table ─ authority, trading    └─ universe, rules, limits (and table)
        region    (asks nothing of AWS)

    Wrong credentials would make every later answer about another account, so nothing is asked beyond `account` then;
    without a stack there is nothing to look for; without the table nobody can say who may trade. Everything else is
    asked for even if its neighbour is wrong: one visit shows all that is to be mended.
    """
    account, stack, table, secrets = "account", "stack", "table", "secrets"
    functions, composition = "functions", "composition"
    yield NamedCheck(account, _account)
    yield NamedCheck("region", _region)
    yield NamedCheck("clock", _clock, (account,))
    yield NamedCheck(stack, _stack, (account,))
    yield NamedCheck("parameters", _parameters, (stack,))
    yield NamedCheck("template", _template, (stack,))
    yield NamedCheck("images", _images, (stack,))
    yield NamedCheck(secrets, resources.secrets, (stack,))
    yield NamedCheck("shadow-key", resources.shadow_key, (secrets,))
    yield NamedCheck(table, resources.table, (stack,))
    yield NamedCheck("queues", resources.queues, (stack,))
    yield NamedCheck("bucket", resources.bucket, (stack,))
    yield NamedCheck(functions, resources.functions, (stack,))
    yield NamedCheck("sources", resources.sources, (stack,))
    yield NamedCheck("schedules", resources.schedules, (stack,))
    yield NamedCheck("authority", _authority, (table,))
    yield NamedCheck("trading", _trading, (table,))
    yield NamedCheck(composition, portfolio.composition, (functions, secrets))
    yield NamedCheck("universe", portfolio.universe, (composition, table))
    yield NamedCheck("symbols", portfolio.symbols, (composition,))
    yield NamedCheck("rules", portfolio.rules, (composition, table))
    yield NamedCheck("limits", portfolio.limits, (composition, table))


def _account(context: CheckContext) -> str:
    context.account = context.stage.account()
    if context.stage.config.account is None:
        raise CheckFailed(
            f"{context.account}; the stage's file does not say which it should be",
            f'write account = "{context.account}" below [{context.stage.config.name}.alchemiser.parameters] in '
            "deploy/samconfig.toml",
            Verdict.WARNING,
        )
    return context.account


def _region(context: CheckContext) -> str:
    wanted, around = context.stage.config.region, context.stage.clients.surrounding_region
    if around not in {None, wanted}:
        raise CheckFailed(
            f"{wanted} is the stage's, but the profile or AWS_REGION says {around}, where other tools would look",
            f"export AWS_REGION={wanted}",
        )
    return wanted


def _clock(context: CheckContext) -> str:
    with Asking("the time", "AWS_PROFILE"):
        answer = context.stage.clients.sts.get_caller_identity()
    theirs = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    skew = (context.stage.clock.now() - theirs).total_seconds()
    if abs(skew) > _MOST_SKEW:
        side = "ahead of" if skew > 0 else "behind"
        raise CheckFailed(
            f"this machine is {abs(skew):.0f} s {side} AWS; AWS refuses requests from 300 s on",
            "set it: timedatectl set-ntp true",
        )
    return f"within {_MOST_SKEW:.0f} s of AWS's"


def _stack(context: CheckContext) -> str:
    context.stack = context.stage.stack()
    config = context.stage.config
    if context.stack is None:
        raise CheckFailed(
            f"{config.stack} does not exist in account {context.account}, region {config.region}",
            f"right account and region? Then: alchemiser deploy {config.name} --tag COMMIT",
        )
    if not context.stack.settled:
        raise CheckFailed(
            f"{config.stack} is {context.stack.status} {context.stack.reason}".rstrip(),
            f"aws cloudformation describe-stack-events --stack-name {config.stack}; see docs/runbooks/deploy.md",
        )
    return f"{config.stack} is {context.stack.status}, phase {context.stack.phase}"


def _parameters(context: CheckContext) -> str:
    """Those of the checkout's template, and the stage's file agrees with them."""
    template, stack, config = load(context.stage.config.template), context.deployed, context.stage.config
    lacking = sorted(set(section(template, "Parameters")) - set(stack.parameters))
    if lacking:
        raise CheckFailed(f"the deployed stack lacks {', '.join(lacking)}", f"alchemiser deploy {config.name}")
    try:
        parameter_values(template, {name: stack.parameters[name] for name in section(template, "Parameters")})
    except TemplateError as error:
        raise CheckFailed(str(error), f"alchemiser deploy {config.name} --parameter NAME=value") from error
    differ = [
        f"{name} is {stack.parameters.get(name)!r}, the file says {value!r}"
        for name, value in config.parameters.items()
        if stack.parameters.get(name) != value
    ]
    if differ:
        raise CheckFailed("; ".join(differ), f"alchemiser deploy {config.name} brings these values")
    return f"{len(stack.parameters)}, complete and as the file says"


def _template(context: CheckContext) -> str:
    """The stack's template is this checkout's."""
    config = context.stage.config
    here = load(config.template)
    there = deployed_template(context.stage.clients.cloudformation, config.stack)
    differ = sorted(_different(here, there))
    if differ:
        raise CheckFailed(
            f"the deployed template is not this checkout's: {named(differ, _MOST_NAMED)}",
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
    registry, images = context.stage.images(), deployed_images(context.deployed.parameters, SERVICES)
    gone = [f"{image.service} {image.tag} ({image.digest[:19]}…)" for image in images if not registry.has(image)]
    if gone:
        raise CheckFailed(
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
        raise CheckFailed(
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
        raise CheckFailed(
            f"account {stack.account_alias} is {state.value}", "see docs/runbooks/halted.md", Verdict.WARNING
        )
    return f"account {stack.account_alias} is {state.value}"
