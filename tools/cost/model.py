"""From one run's measured calls and the template to a month's bill, item by item."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cost import prices
from cost.measure import Measured
from cost.prices import Price
from deploy.expand import Stack

TRADING_DAYS = 21
DAYS = 365 / 12
HOURS = 24 * DAYS
WEEKDAYS = DAYS * 5 / 7
YEARS_KEPT = 1
POLLERS = 5
"""Lambda's pollers of a queue, each asking every 20 s whether or not there is anything."""
POLL_SECONDS = 20
PIPELINE_METRICS = 12
"""Custom metrics of one pipeline; each is billed for the hours in which it is told."""
IMAGE_GB, NEXT_IMAGE_GB, IMAGES_KEPT = 0.081, 0.001, 10
"""Compressed, of the largest image, and of the layer that a deployment of code moves (docs/images.md)."""
STARTS = {"data": 2.1, "strategy": 1.3, "trading": 2.2}
"""Seconds of a cold start at 512 MB, the strategy service's with its decision (docs/images.md): an upper bound."""
ALPACA_SECONDS = 8.0
IDLE_SECONDS = 2.0
WATCH_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Duration:
    """What a run takes of a function, and where the figure comes from."""

    seconds: float
    source: str


def durations(measured: Measured) -> Mapping[str, Duration]:
    """Seconds that are billed for one run: start of the process included, for a daily function is always cold."""
    told = f"{measured.trading_seconds:g} s for {measured.legs} legs in the exchange's time"
    start = {service: f"{seconds:g} s start measured at 512 MB" for service, seconds in STARTS.items()}
    data, trading = STARTS["data"] + ALPACA_SECONDS, STARTS["trading"] + measured.trading_seconds
    return {
        "data": Duration(data, f"{start['data']}, {ALPACA_SECONDS:g} s assumed for Alpaca's answers"),
        "strategy": Duration(STARTS["strategy"], f"{start['strategy']}, the decision included"),
        "trading": Duration(trading, f"{start['trading']}, measured: {told}"),
        "monolith": Duration(data + STARTS["strategy"] + trading, "the three together"),
    }


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill."""

    group: str
    name: str
    quantity: float
    price: Price

    def cost(self, *, free_tier: bool) -> float:
        """USD a month."""
        return self.price.cost(self.quantity, free_tier=free_tier)


@dataclass(frozen=True, slots=True)
class FunctionCost:
    """A function's memory in MB and seconds a run."""

    service: str
    memory: int
    duration: Duration

    @property
    def gigabyte_seconds(self) -> float:
        """Of one run."""
        return self.memory / 1024 * self.duration.seconds

    @property
    def per_run(self) -> float:
        """USD at list prices."""
        return prices.LAMBDA_TIME.cost(self.gigabyte_seconds, free_tier=False) + prices.LAMBDA_REQUEST.cost(
            1, free_tier=False
        )


def functions(stack: Stack, measured: Measured) -> list[FunctionCost]:
    """Those of a phase, in the order in which the data flow."""
    taken = durations(measured)
    memory = {name: int(str(own["MemorySize"])) for name, own in stack.of_type("AWS::Lambda::Function").items()}
    return [
        FunctionCost(service, memory[f"{service.capitalize()}Function"], duration)
        for service, duration in taken.items()
        if f"{service.capitalize()}Function" in memory
    ]


def bill(stack: Stack, measured: Measured) -> list[Item]:
    """A month of the phase's stack with one account."""
    return [*_work(stack, measured), *_storage(stack, measured), *_watching(stack, measured)]


def _work(stack: Stack, measured: Measured) -> Iterator[Item]:
    pipelines, sources = _pipelines(stack), len(stack.of_type("AWS::Lambda::EventSourceMapping"))
    own = [item for item in functions(stack, measured) if item.service == "monolith" or sources]
    first = [item for item in own if item.service in {"monolith", "data"}]
    watcher = next(item for item in reversed(own) if item.service in {"monolith", "trading"})
    seconds = TRADING_DAYS * sum(item.gigabyte_seconds for item in own)
    seconds += (DAYS - TRADING_DAYS) * IDLE_SECONDS * sum(item.memory / 1024 for item in first)
    seconds += WEEKDAYS * WATCH_SECONDS * watcher.memory / 1024
    calls = TRADING_DAYS * len(own) + (DAYS - TRADING_DAYS) * len(first) + WEEKDAYS
    yield Item("run", "Lambda, time", seconds, prices.LAMBDA_TIME)
    yield Item("run", "Lambda, invocations", calls, prices.LAMBDA_REQUEST)
    yield Item("run", "Scheduler", DAYS * len(first) + WEEKDAYS, prices.SCHEDULE)
    if sources:
        yield Item("run", "SQS, messages", TRADING_DAYS * measured.queue_requests, prices.SQS_FIFO)
        polls = sources * POLLERS * DAYS * 24 * 3600 / POLL_SECONDS
        yield Item("run", "SQS, Lambda's polling", polls, prices.SQS_FIFO)
    runs = TRADING_DAYS * pipelines
    yield Item("run", "DynamoDB, writes", runs * measured.write_units, prices.DYNAMODB_WRITE)
    yield Item("run", "DynamoDB, reads", runs * measured.read_units, prices.DYNAMODB_READ)
    yield Item("run", "S3, puts and lists", runs * measured.puts, prices.S3_PUT)
    yield Item("run", "S3, gets", runs * measured.gets, prices.S3_GET)
    yield Item("run", "EventBridge", runs * measured.events, prices.EVENT)
    yield Item("run", "Secrets Manager, calls", runs * measured.secret_calls, prices.SECRET_CALL)


def _storage(stack: Stack, measured: Measured) -> Iterator[Item]:
    kept = TRADING_DAYS * 12 * YEARS_KEPT * _pipelines(stack) / 1e9
    images = len(stack.of_type("AWS::Lambda::Function")) * (IMAGE_GB + (IMAGES_KEPT - 1) * NEXT_IMAGE_GB)
    secrets = 2 if stack.parameters["RolloutPhase"] == "shadow" else 1
    yield Item("storage", "Secrets Manager, secrets", secrets, prices.SECRET)
    yield Item("storage", "ECR, images", images, prices.ECR_STORAGE)
    yield Item("storage", "S3, snapshots and reports", kept * measured.archive_bytes, prices.S3_STORAGE)
    yield Item("storage", "DynamoDB, table", kept * measured.table_bytes, prices.DYNAMODB_STORAGE)
    yield Item("storage", "DynamoDB, point-in-time recovery", kept * measured.table_bytes, prices.DYNAMODB_BACKUP)


def _watching(stack: Stack, measured: Measured) -> Iterator[Item]:
    pipelines = _pipelines(stack)
    alarms = stack.of_type("AWS::CloudWatch::Alarm").values()
    watched = sum(_metrics_of(alarm.get("Metrics")) for alarm in alarms)
    yield Item("logs", "CloudWatch Logs", TRADING_DAYS * pipelines * measured.log_bytes / 1e9, prices.LOGS)
    told = PIPELINE_METRICS * pipelines * TRADING_DAYS * 2 / HOURS  # a run and its watch fall into two hours
    yield Item("logs", "Custom metrics", told, prices.METRIC)
    yield Item("logs", "Dashboard", 1, prices.DASHBOARD)
    yield Item("alarms", "Alarms", watched, prices.ALARM)


def _metrics_of(metrics: object) -> int:
    """An alarm on an expression is billed for each metric in it."""
    if not isinstance(metrics, list):
        return 1
    return sum("MetricStat" in metric for metric in metrics)


def _pipelines(stack: Stack) -> int:
    """How many work on a trading day."""
    return 2 if stack.parameters["RolloutPhase"] == "shadow" else 1


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The layout that this one is compared with: thirteen zip functions joined by events. All of it is assumed."""

    functions: int = 13
    memory: int = 512
    strategies: int = 3
    strategy_seconds: float = 30
    trade_seconds: float = 30
    others: int = 9
    other_seconds: float = 5
    queues: int = 2
    tables: int = 4
    alarms_each: int = 3

    def invocations(self, legs: int) -> int:
        """One for each strategy and each trade, and each of the others once."""
        return self.strategies + legs + self.others

    def gigabyte_seconds(self, legs: int) -> float:
        """Of one run."""
        seconds = self.strategies * self.strategy_seconds + legs * self.trade_seconds + self.others * self.other_seconds
        return self.memory / 1024 * seconds

    def bill(self, measured: Measured) -> list[Item]:
        """A month, with calls and storage as ours for want of better knowledge."""
        polls = self.queues * POLLERS * DAYS * 24 * 3600 / POLL_SECONDS
        runs, legs = TRADING_DAYS, measured.legs
        return [
            Item("run", "Lambda, time", runs * self.gigabyte_seconds(legs), prices.LAMBDA_TIME),
            Item("run", "Lambda, invocations", runs * self.invocations(legs), prices.LAMBDA_REQUEST),
            Item("run", "SQS, Lambda's polling", polls, prices.SQS_FIFO),
            Item("run", "EventBridge", runs * (self.invocations(legs) + self.functions), prices.EVENT),
            Item("run", "DynamoDB, writes", runs * measured.write_units * self.tables, prices.DYNAMODB_WRITE),
            Item("alarms", "Alarms", self.functions * self.alarms_each, prices.ALARM),
        ]


def total(items: list[Item], *groups: str, free_tier: bool) -> float:
    """USD a month of these groups, all of them if none is named."""
    return sum(item.cost(free_tier=free_tier) for item in items if not groups or item.group in groups)
