"""Would this alarm fire? Evaluates the template's alarms on data points, as CloudWatch documents it.

Knows the statistics, comparisons and the one expression that the template uses; anything else is an error.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from alchemiser_common.json_value import Json
from deploy.expand import Stack
from deploy.template import TemplateError, mapping, sequence

_SHARE = re.compile(r"(\w+) / \(1000 \* (\d+)\)")


@dataclass(frozen=True, slots=True)
class Series:
    """The name of one metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one metric."""

    series: Series
    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm of the template."""

    name: str
    description: str
    actions: tuple[str, ...]
    series: Series
    statistic: str
    divisor: float
    period: timedelta
    periods: int
    comparison: str
    threshold: float
    missing: str

    # The periods are laid backwards from `now`, each closed on the left and open on the right:
    #
    #     [now - 3p, now - 2p) [now - 2p, now - p) [now - p, now)
    #
    # One without a value counts as the alarm's TreatMissingData says; all must breach. CloudWatch's "M out of N" is not
    # used by the template.
    def fires(self, points: Iterable[Point], now: datetime) -> bool:
        """Whether every one of the last periods before `now` is breaching."""
        own = [point for point in points if point.series == self.series]
        for number in range(self.periods):
            end = now - number * self.period
            values = [point.value for point in own if end - self.period <= point.at < end]
            if not (self._breaches(values) if values else self.missing == "breaching"):
                return False
        return True

    def _breaches(self, values: Sequence[float]) -> bool:
        value = _statistic(self.statistic, values) / self.divisor
        match self.comparison:
            case "GreaterThanThreshold":
                return value > self.threshold
            case "LessThanThreshold":
                return value < self.threshold
        raise TemplateError(f"comparison {self.comparison} is not understood")


def read_alarms(stack: Stack) -> dict[str, Alarm]:
    """The stack's alarms by logical id. Raises TemplateError for what is not understood."""
    return {name: _alarm(own) for name, own in stack.of_type("AWS::CloudWatch::Alarm").items()}


def _alarm(own: Mapping[str, Json]) -> Alarm:
    divisor, metric, statistic, period = 1.0, own, own.get("Statistic"), own.get("Period")
    if "Metrics" in own:
        share, source = (mapping(item, "Metrics") for item in sequence(own["Metrics"], "Metrics"))
        found = _SHARE.fullmatch(str(share["Expression"]))
        if found is None or found[1] != source["Id"]:
            raise TemplateError(f"expression {share['Expression']!r} is not understood")
        stat = mapping(source["MetricStat"], "MetricStat")
        divisor, metric = 1000.0 * float(found[2]), mapping(stat["Metric"], "Metric")
        statistic, period = stat["Stat"], stat["Period"]
    pairs = [mapping(item, "Dimensions") for item in sequence(metric["Dimensions"], "Dimensions")]
    dimensions = frozenset((str(pair["Name"]), str(pair["Value"])) for pair in pairs)
    return Alarm(
        name=str(own["AlarmName"]),
        description=str(own["AlarmDescription"]),
        actions=tuple(str(action) for action in sequence(own["AlarmActions"], "AlarmActions")),
        series=Series(str(metric["Namespace"]), str(metric["MetricName"]), dimensions),
        statistic=str(statistic),
        divisor=divisor,
        period=timedelta(seconds=int(str(period))),
        periods=int(str(own["EvaluationPeriods"])),
        comparison=str(own["ComparisonOperator"]),
        threshold=float(str(own["Threshold"])),
        missing=str(own["TreatMissingData"]),
    )


def _statistic(name: str, values: Sequence[float]) -> float:
    match name:
        case "Sum":
            return sum(values)
        case "Maximum":
            return max(values)
        case "p95":
            return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]
    raise TemplateError(f"statistic {name} is not understood")


def points_of(document: Mapping[str, Json]) -> list[Point]:
    """What CloudWatch makes of one line in the embedded metric format. Raises TemplateError if that is nothing."""
    head = mapping(document["_aws"], "_aws")
    at = datetime.fromtimestamp(int(str(head["Timestamp"])) / 1000, UTC)
    points = []
    for raw in sequence(head["CloudWatchMetrics"], "CloudWatchMetrics"):
        directive = mapping(raw, "CloudWatchMetrics")
        for names in sequence(directive["Dimensions"], "Dimensions"):
            keys = [str(name) for name in sequence(names, "Dimensions")]
            if any(not isinstance(document.get(key), str) for key in keys):
                raise TemplateError(f"a dimension of {keys} must have a text in the document")
            dimensions = frozenset((key, str(document[key])) for key in keys)
            for item in sequence(directive["Metrics"], "Metrics"):
                name = str(mapping(item, "Metrics")["Name"])
                value = document.get(name)
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise TemplateError(f"metric {name} has no number in the document")
                points.append(Point(Series(str(directive["Namespace"]), name, dimensions), at, float(value)))
    return points
