"""Both pipelines on one cycle of one account: one trades, the other is its shadow, and their verdict is stored.

In: a platform and the pipeline that shadows. Out: both runs and how they compare. What the shadow does, or fails to do,
changes nothing for the one that trades.
"""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from alchemiser_cli.cycles import Cycle, cycle_at, cycle_runner
from alchemiser_cli.stored_runs import ended_run, read_run
from alchemiser_common.errors import InvalidSettings
from alchemiser_common.ids import Pipeline, RunRef
from alchemiser_common.records.parity import Parity
from alchemiser_common.settings import Settings
from alchemiser_common.telemetry import run_scope
from alchemiser_monolith.bootstrap import decision_service, parity_judge, portfolio
from alchemiser_monolith.platform import Platform, open_platform
from alchemiser_readmodel.runs import RunSummary
from alchemiser_readmodel.verdicts import agree
from alchemiser_trading.account.authority import read_authority
from alchemiser_trading.runs.parity.verdicts import known_verdict

_log = logging.getLogger(__name__)
_WALK_TIME = timedelta(minutes=15)
"""What one Lambda invocation has."""


@dataclass(frozen=True, slots=True)
class ShadowSide:
    """The run of the pipeline that only planned."""

    pipeline: Pipeline
    run: RunSummary | None
    """None if it left no record."""
    fault: str
    """What ended it before its pipeline could record that, or nothing."""
    dead_letters: int


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A cycle of both pipelines."""

    trader: RunSummary
    shadow: ShadowSide
    parity: Parity | None
    """The stored verdict; None if there is none."""

    @property
    def agrees(self) -> bool:
        """No person needs to look at it."""
        shadow = self.shadow.run
        return agree(self.parity, (self.trader.status, None if shadow is None else shadow.status))


def trader_beside(shadow: Pipeline) -> Pipeline:
    """The pipeline that trades while the other one shadows."""
    return next(pipeline for pipeline in Pipeline if pipeline is not shadow)


def require_trader(settings: Settings, platform: Platform) -> None:
    """Before either runs: the account is the trading pipeline's.

    A shadow's run is that pipeline's one run of the cycle: begun under the wrong authority it would leave the cycle
    without a trader. Raises InvalidSettings.
    """
    if settings.shadow:
        raise InvalidSettings("the setting shadow is on, so this process trades nothing: leave out one of the two")
    known = read_authority(platform.state, settings.account_alias)
    if known is not None and known.pipeline is not settings.pipeline:
        raise InvalidSettings(
            f"account {settings.account_alias} is traded by {known.pipeline.value}, which --shadow would make only "
            f"plan: give --shadow {settings.pipeline.value}, or first `alchemiser authority --set "
            f"{settings.pipeline.value} --reason …`"
        )


# The shadow goes first: it takes no time of the exchange's, so that both read the market at the same moment and the
# account before it is traded, as two functions that one schedule starts. Whatever it raises, a bug included, is kept
# and told: the candidate must not keep the pipeline that trades from its cycle. Its dry walk does take time, so that it
# comes last.
def run_side_by_side(platform: Platform, cycle: Cycle, shadow: Pipeline) -> SideBySide:
    """Run the cycle in the shadow, then in the platform's own pipeline, and read the verdict.

    Raises as `cycle_runner`'s for the pipeline that trades.
    """
    settings = platform.settings.model_copy(update={"pipeline": shadow, "shadow": True})
    beside = cycle_at(settings, cycle.trigger.scheduled_at)
    fault, dead_letters = "", 0
    only_plans: Platform | None = None
    try:
        only_plans = open_platform(_walking(settings, 0.0), platform.variables, platform.clock)
        dead_letters = len(cycle_runner(only_plans)(beside, 1).dead_letters)
    except Exception as error:  # noqa: BLE001  (a bug of the candidate too)
        fault = f"{type(error).__name__}: {error}"
        _log.exception("the shadow failed", extra={"run_id": str(beside.run_id), "pipeline": shadow.value})
    cycle_runner(platform)(cycle, 1)
    trader = ended_run(platform.state, cycle.run_id)
    # Whoever ended second has judged equal inputs; other ones are for the judge, which has the strategies.
    parity_judge(platform, portfolio(platform)).cycle(trader.cycle_id)
    if only_plans is not None and not fault:
        walking = _walking(only_plans.settings, settings.execution.dry_walk_seconds)
        fault = _walk(replace(only_plans, settings=walking), beside)
    side = ShadowSide(shadow, read_run(platform.state, beside.run_id), fault, dead_letters)
    return SideBySide(trader, side, known_verdict(platform.state, trader.cycle_id))


def _walking(settings: Settings, seconds: float) -> Settings:
    """The settings with so long a dry walk."""
    return settings.model_copy(
        update={"execution": settings.execution.model_copy(update={"dry_walk_seconds": seconds})}
    )


def _walk(platform: Platform, cycle: Cycle) -> str:
    """Walk the shadow's plan; what went wrong, or nothing."""
    run = RunRef.of(platform.settings.account_alias, cycle.trigger.scheduled_at, platform.settings.pipeline)
    try:
        with run_scope(run):
            decision_service(platform).walk_dry(run, time_left=lambda: _WALK_TIME)
    except Exception as error:  # noqa: BLE001  (as above)
        _log.exception("the shadow's dry walk failed", extra={"run_id": str(cycle.run_id)})
        return f"{type(error).__name__}: {error}"
    return ""
