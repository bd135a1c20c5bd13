"""A change of a stage tried beside what is live: each build that changes starts with its new settings, and decides.

Asked are builds on trial (candidates), a published version that a rollback returns to, and of what does not change the
live function. None of it has an effect: no message, no record, no order.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from alchemiser_cli.stage.aliases import Version, live_version
from alchemiser_cli.stage.candidate import ALIAS, KEY, candidate
from alchemiser_cli.stage.guards import trader_of
from alchemiser_cli.stage.images import Image
from alchemiser_cli.stage.invoker import Invoker, LambdaInvoker
from alchemiser_cli.stage.last_decision import LastRun, changed_rules, read_last_run, stored_targets, targets_of, told
from alchemiser_cli.stage.limits_told import limits_told
from alchemiser_cli.stage.names import PHASES, SERVICES
from alchemiser_cli.stage.parameters import deployed_images, exists, function_variables
from alchemiser_cli.stage.portfolio import disagreements, require_one_portfolio
from alchemiser_cli.stage.smoke import (
    SmokeFailed,
    recorded_snapshot,
    require_composition,
    require_decision,
    require_snapshot,
    require_version,
)
from alchemiser_cli.stage.stack import DeployedStack
from alchemiser_cli.stage.stage import Stage
from alchemiser_cli.stage.template import load
from alchemiser_common.ids import Pipeline
from alchemiser_common.lambda_events import Event
from alchemiser_common.messages.decision import TradeDecision
from alchemiser_common.messages.wire import encode
from alchemiser_common.probes import CompositionAnswer, StrategyInPlay
from alchemiser_common.records.universe import Universe, by_symbol, lacking
from alchemiser_common.text import named

_MOST_NAMED = 8
_EVENT_LIMIT = 6_000_000
"""Bytes of an event; Lambda takes 6 MiB."""


@dataclass(frozen=True, slots=True)
class Return:
    """A published version of a service to go back to, and the live one that it is gone from."""

    service: str
    function: str
    image: Image
    version: Version
    live: Version
    left: str
    """Digest of the build that is left."""


@dataclass
class Trial:
    """What was asked, and what came of it."""

    before: dict[str, Version] = field(default_factory=dict)
    """The version of each function that changes to which its alias may go back."""
    answers: dict[str, CompositionAnswer] = field(default_factory=dict)
    decisions: dict[str, TradeDecision] = field(default_factory=dict)
    unwell: set[str] = field(default_factory=set)
    """Services that do not change and could not say what they are made of."""

    def strategies(self, phase: str) -> tuple[StrategyInPlay, ...]:
        """What decides for whoever trades in the phase; empty if it was not asked."""
        trader = self.answers.get("monolith" if trader_of(phase) is Pipeline.MONOLITH else "strategy")
        return () if trader is None else trader.strategies


def universe_of(phase: str, answers: Mapping[str, CompositionAnswer]) -> Mapping[str, int] | None:
    """What the data function must read: bars by symbol, as the strategy function says; None if it has not said it.

    In the phase without one it is the monolith's, which reads for itself: for people, and for the next phase.
    """
    known = answers.get("monolith" if phase == PHASES[0] else "strategy")
    return None if known is None else known.bars


def try_change(stage: Stage, stack: DeployedStack, parameters: Mapping[str, str], back: Return | None) -> Trial:
    """Ask every function that the new parameters change. Raises SmokeFailed, Refused or StoreUnavailable."""
    trial = Trial()
    template, phase = load(stage.config.template), parameters["RolloutPhase"]
    with ExitStack() as open_candidates:
        asked: dict[str, Invoker] = {}
        for image in deployed_images(parameters, SERVICES):
            variables = function_variables(stage.config, template, parameters, stack.account, image.service)
            function = stack.function(image.service)
            if variables is None:
                continue
            if function is None:
                stage.progress(f"{image.service}: not in phase {stack.phase}, tried after the change")
                continue
            live = live_version(stage.clients.functions, function)
            if back is not None and back.service == image.service:
                trial.before[image.service] = back.version
                asked[image.service] = LambdaInvoker(stage.clients.functions, function, back.version.number)
            elif live.digest != image.digest or live.variables != variables:
                trial.before[image.service] = live
                if _key_is_gone(stage, live):
                    stage.progress(f"{image.service}: the key of its role is gone; tried after the change")
                    continue
                build = candidate(
                    stage.clients.functions, function, parameters["Registry"], image, stage.clock, variables
                )
                asked[image.service] = open_candidates.enter_context(build)
            else:
                _ask_as_it_is(stage, trial, function, image)
                continue
            _start(stage, trial, asked[image.service], image)
        # A way back is not barred by a limit of then that other functions do not know.
        examine(stage, stack, trial, asked, phase, firmly=back is None)
    return trial


def examine(
    stage: Stage, stack: DeployedStack, trial: Trial, asked: Mapping[str, Invoker], phase: str, *, firmly: bool = True
) -> None:
    """What started functions make of the market together. Raises SmokeFailed, Refused or StoreUnavailable.

    Where not `firmly`, settings that differ between functions are told and not refused.
    """
    _compare_portfolios(stage, trial, firmly=firmly)
    _announce(stage, stack, trial, phase)
    deciding = {service: function for service, function in asked.items() if trial.answers[service].strategies}
    if not deciding:
        return
    first, *others = (trial.answers[service].bars for service in deciding)
    needed = Universe.of(first)
    for bars in others:
        needed = needed.with_those_of(bars)
    reader = _reader(stage, stack, asked)
    if reader is not None:
        _name_unknown(stage, reader, needed)
    last = read_last_run(stage.state(stack), stage.archive(stack), stack.account_alias)
    event, wanted = _snapshot(stage, needed, last, reader)
    for service, function in deciding.items():
        decision = require_decision(function, event, wanted)
        trial.decisions[service] = decision
        for line in told(decision, None if last is None else last.decision):
            stage.progress(f"{service}: {line}")
        if last is not None:
            for line in limits_told(trial.answers, last.snapshot, targets_of(decision)):
                stage.progress(f"a limit would be met: {line}")


def _name_unknown(stage: Stage, reader: Invoker, needed: Universe) -> None:
    """Say which symbols the broker does not know. A broker that cannot say it now is no fault of the build."""
    try:
        unknown = require_composition(reader, needed.bars).unknown_symbols
    except SmokeFailed as error:
        stage.progress(f"the broker could not be asked which symbols it knows: {error}")
        return
    if unknown:
        stage.progress(f"the broker does not know {named(unknown, _MOST_NAMED)}: unknown at every run")


def _start(stage: Stage, trial: Trial, function: Invoker, image: Image) -> None:
    version = require_version(function, image)
    stage.progress(f"{image.service}: build {version.git_sha} answers, messages {version.schema_version}")
    trial.answers[image.service] = require_composition(function)


def _ask_as_it_is(stage: Stage, trial: Trial, function: str, image: Image) -> None:
    """What a function that does not change is made of, if it can say it: a deployment may be what mends another."""
    try:
        answer = require_composition(LambdaInvoker(stage.clients.functions, function, ALIAS))
    except SmokeFailed as error:
        trial.unwell.add(image.service)
        stage.progress(f"{image.service} does not change, and is not well: {error}")
    else:
        trial.answers[image.service] = answer


def _compare_portfolios(stage: Stage, trial: Trial, *, firmly: bool) -> None:
    if firmly:
        require_one_portfolio(trial.answers)
    for line in disagreements(trial.answers):
        stage.progress(line)


def _key_is_gone(stage: Stage, live: Version) -> bool:
    """Whether the secret that the deployed role may read does not exist any more: nothing can start in its name."""
    return KEY in live.variables and not exists(stage.clients.secrets, live.variables[KEY])


def _announce(stage: Stage, stack: DeployedStack, trial: Trial, phase: str) -> None:
    """Strategies that do not go on from their stored targets, which whoever trades has written."""
    strategies = trial.strategies(phase)
    if strategies:
        for line in changed_rules(strategies, stored_targets(stage.state(stack), stack.account_alias)):
            stage.progress(line)


def _reader(stage: Stage, stack: DeployedStack, asked: Mapping[str, Invoker]) -> Invoker | None:
    """A function that has the broker: the one on trial, else the live one."""
    for service in ("data", "monolith"):
        if service in asked:
            return asked[service]
    for service in ("data", "monolith"):
        function = stack.function(service)
        if function is not None:
            return LambdaInvoker(stage.clients.functions, function, ALIAS)
    return None


# In this order: what the stage itself saw last, so that only build and settings explain another decision; the recorded
# event for a stage that never ran; and where the symbols are others, what the broker shows for them now.
def _snapshot(stage: Stage, needed: Universe, last: LastRun | None, reader: Invoker | None) -> tuple[Event, str | None]:
    """A snapshot that covers what is needed, as part of a probe, and its hash. Raises SmokeFailed."""
    if last is not None and not lacking(needed.bars, by_symbol(last.snapshot.universe)):
        stage.progress(f"deciding on the snapshot of session {last.snapshot.session.day}, the stage's last")
        inline: Event = {"snapshot": last.body.decode()}
        fits = len(json.dumps(inline)) <= _EVENT_LIMIT
        return inline if fits else {"archive_key": last.key}, last.snapshot.content_hash()
    if last is None:
        recorded = recorded_snapshot(stage.config.events)
        if not lacking(needed.bars, by_symbol(recorded.universe)):
            stage.progress("deciding on the recorded snapshot: the stage has none of its own yet")
            return {"snapshot": encode(recorded)}, recorded.content_hash()
    if reader is None:
        raise SmokeFailed("no function of the stage reads the broker, so that there is no snapshot to decide on")
    why = "the stage has no snapshot yet" if last is None else "the last one lacks symbols or bars that are needed now"
    stage.progress(f"deciding on a snapshot that {reader.name} reads for it: {why}")
    read = require_snapshot(reader, needed.bars)
    return read.model_dump(exclude_none=True), None
