"""What a phase has and lets happen, read from the template: nothing of it is said here a second time."""

from collections.abc import Mapping
from functools import cache

from alchemiser_common.ids import Pipeline
from deploy.template import mapping
from support.alarms import Alarm, Series, read_alarms
from support.deployment import environment, stack

TRADING = "trading"
FUNCTIONS = {Pipeline.MONOLITH: "monolith", Pipeline.MODULAR: TRADING}
"""Which function executes a pipeline's decision."""


@cache
def alarms_of(phase: str) -> dict[str, Alarm]:
    """Those that fire on something; absence for 26 hours, which any silence ends in, does not count here."""
    return {name: alarm for name, alarm in read_alarms(stack(phase)).items() if alarm.missing != "breaching"}


@cache
def scheduled(phase: str, pipeline: Pipeline) -> bool:
    """Whether a cycle that is due comes to the pipeline's decision being executed."""
    schedule = stack(phase).of_type("AWS::Scheduler::Schedule").get(f"{pipeline.value.capitalize()}Schedule")
    flows = pipeline is Pipeline.MONOLITH or "TradingSource" in stack(phase).of_type("AWS::Lambda::EventSourceMapping")
    return schedule is not None and schedule["State"] == "ENABLED" and flows


@cache
def watched(phase: str) -> str:
    """The function that the watch calls."""
    watch = stack(phase).of_type("AWS::Scheduler::Schedule")["OverdueWatch"]
    arn = str(mapping(watch["Target"], "Target")["Arn"])
    return next(service for service in FUNCTIONS.values() if f"-{service}:" in arn)


def trader_of(phase: str) -> Pipeline:
    """Whom the phase's own flags let trade."""
    for pipeline, service in FUNCTIONS.items():
        there = f"{service.capitalize()}Function" in stack(phase).of_type("AWS::Lambda::Function")
        if there and environment(stack(phase), service)["ALCHEMISER_SHADOW"] == "false":
            return pipeline
    raise AssertionError(f"phase {phase} lets nobody trade")


def pipeline_of(service: str) -> Pipeline:
    """Whose decisions the function executes."""
    return next(pipeline for pipeline, own in FUNCTIONS.items() if own == service)


def errors_of(service: str, alarms: Mapping[str, Alarm]) -> Series:
    """The metric in which AWS counts that the function raised."""
    return alarms[f"{service.capitalize()}ErrorsAlarm"].series


def called(phase: str, pipeline: Pipeline) -> bool:
    """Whether anything calls the function that executes the pipeline's decisions."""
    return scheduled(phase, pipeline) or watched(phase) == FUNCTIONS[pipeline]
