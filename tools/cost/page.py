"""Writes docs/cost.md from the model: every figure on the page is computed."""

from collections.abc import Mapping
from dataclasses import asdict

from cost import model, prices
from cost.measure import Measured
from cost.model import Item, bill, functions, total
from deploy.expand import Stack

AIM = 1.0
_SHOWN = 0.00005


def render(stacks: Mapping[str, Stack], measured: Measured) -> str:
    """The page."""
    modular = bill(stacks["modular"], measured)
    parts = [_HEAD.format(as_of=prices.AS_OF), _function_table(stacks, measured), _run_table(measured)]
    parts += [_month_table(modular), _phase_table(stacks, measured), _incumbent(modular, measured), _assumptions()]
    return "\n".join(parts)


_HEAD = """# What it costs

Written by `make cost` (`tools/cost`); a test keeps it current. Prices are AWS's list prices in us-east-1 as known on
{as_of}, in USD, without tax; check them before you rely on them. Free tiers are those that do not end after a year.
"""


def _function_table(stacks: Mapping[str, Stack], measured: Measured) -> str:
    lines = ["## Functions, each run", "", "| function | MB | s | GB-s | USD a run | USD a month | seconds are |"]
    lines.append("|---|--:|--:|--:|--:|--:|---|")
    rows = [*functions(stacks["modular"], measured), *functions(stacks["monolith"], measured)]
    for row in rows:
        month = model.TRADING_DAYS * row.per_run
        lines.append(
            f"| {row.service} | {row.memory} | {row.duration.seconds:g} | {row.gigabyte_seconds:.1f} "
            f"| {row.per_run:.6f} | {month:.4f} | {row.duration.source} |"
        )
    return "\n".join([*lines, ""])


def _run_table(measured: Measured) -> str:
    rows = [
        ("SQS requests (send, receive, delete; 64 KB each)", measured.queue_requests),
        ("snapshot, bytes", measured.snapshot_bytes),
        ("decision, bytes", measured.decision_bytes),
        ("DynamoDB write units (a transaction counts twice)", measured.write_units),
        ("DynamoDB read units", measured.read_units),
        ("written to the table, bytes (most of it again and again the same records)", measured.table_bytes),
        ("S3 puts and lists", measured.puts),
        ("S3 gets", measured.gets),
        ("archived, bytes", measured.archive_bytes),
        ("events", measured.events),
        ("secret reads", measured.secret_calls),
        ("log, bytes", measured.log_bytes),
    ]
    lines = ["## Calls, each run", ""]
    lines.append(
        f"Counted in one cycle of the modular pipeline through the adapters of AWS: {measured.legs} legs, nothing held "
        "before, no fault."
    )
    lines += ["", "| what | count |", "|---|--:|", *(f"| {name} | {value:,} |" for name, value in rows), ""]
    return "\n".join(lines)


def _month_table(items: list[Item]) -> str:
    lines = ["## A month, phase modular", "", "| item | quantity | unit | list price | after free tiers |"]
    lines.append("|---|--:|---|--:|--:|")
    lines += [
        f"| {item.name} | {item.quantity:,.4g} | {item.price.unit} "
        f"| {_usd(item.cost(free_tier=False))} | {_usd(item.cost(free_tier=True))} |"
        for item in items
    ]
    for name, groups in (("**without alarms**", ("run", "storage", "logs")), ("**with alarms**", ())):
        lines.append(
            f"| {name} | | | **{total(items, *groups, free_tier=False):.2f}** "
            f"| **{total(items, *groups, free_tier=True):.2f}** |"
        )
    within = total(items, "run", "storage", "logs", free_tier=True)
    verdict = "kept" if within < AIM else "missed"
    lines += [
        "",
        f"The aim, under {AIM:.0f} USD a month without alarms, is {verdict} after free tiers: {within:.2f} USD.",
    ]
    whole = total(items, "run", "storage", "logs", free_tier=False) - prices.DASHBOARD.usd
    lines.append(
        f"At list prices the dashboard alone would be {prices.DASHBOARD.usd:.2f} USD, since only an account's first "
        f"three are free; everything else comes to {whole:.2f} USD."
    )
    return "\n".join([*lines, ""])


def _phase_table(stacks: Mapping[str, Stack], measured: Measured) -> str:
    lines = ["## A month, by phase", "", "| phase | runs | storage | logs, metrics | alarms | after free tiers, all |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for phase, stack in stacks.items():
        items = bill(stack, measured)
        cells = [f"{total(items, group, free_tier=True):.2f}" for group in ("run", "storage", "logs", "alarms")]
        lines.append(f"| {phase} | {' | '.join(cells)} | {total(items, free_tier=True):.2f} |")
    return "\n".join([*lines, ""])


def _incumbent(ours: list[Item], measured: Measured) -> str:
    other = model.Incumbent()
    theirs = {item.name: item for item in other.bill(measured)}
    mine = {item.name: item for item in ours}
    lines = ["## Beside a layout of thirteen functions", ""]
    lines.append(
        "The comparison is with a live system of this kind that has thirteen zip functions of 512 MB: one invocation "
        "for each strategy and each trade, a chain of events between the stages, a table for each concern. Its "
        "durations and alarms are assumed, not measured, and stated below; storage and free tiers are left out on "
        "both sides."
    )
    lines += ["", "| a month at list prices | three functions | thirteen |", "|---|--:|--:|"]
    lines.append(f"| invocations a run | 3 | {other.invocations(measured.legs)} |")
    for name, item in theirs.items():
        lines.append(f"| {name} | {_usd(mine[name].cost(free_tier=False))} | {_usd(item.cost(free_tier=False))} |")
    sums = [sum(side[name].cost(free_tier=False) for name in theirs) for side in (mine, theirs)]
    lines.append(f"| **together** | **{sums[0]:.2f}** | **{sums[1]:.2f}** |")
    lines += ["", "Neither is a matter of money: what differs is how much there is to deploy, watch and understand."]
    return "\n".join([*lines, ""])


_ASSUMED = """## Assumed

- {trading_days} trading days and {days:.1f} days a month; a trigger on a day without session takes {idle:g} s, the
  watch for overdue runs {watch:g} s on each weekday.
- Lambda polls each queue with {pollers} pollers that wait {wait} s, day and night. That is the largest item of a run's
  costs. The account's free million of requests covers most of it; several stages in one account share that million.
- Nothing is deleted for {years} year. What a run writes to the table counts as stored, though most writes replace a
  record: an upper bound.
- An image is {image:.0f} MB compressed and the next version adds {more:.0f} MB, as measured ([images](images.md));
  {kept} are kept.
- A start is taken as at 512 MB, where it was measured; with the template's memory it is shorter.
- {metrics} custom metrics a pipeline, each told in two hours of a trading day.
- One stage trades one account. Data transfer within the region is free, to Alpaca it is some MB a month.
- Thirteen functions: {strategies} strategies of {strategy_seconds:g} s, a trade {trade_seconds:g} s, {others} other
  invocations of {other_seconds:g} s, {queues} polled queues, {tables} tables written as often as ours,
  {alarms_each} alarms a function.
"""


def _assumptions() -> str:
    return _ASSUMED.format(
        trading_days=model.TRADING_DAYS,
        days=model.DAYS,
        idle=model.IDLE_SECONDS,
        watch=model.WATCH_SECONDS,
        pollers=model.POLLERS,
        wait=model.POLL_SECONDS,
        years=model.YEARS_KEPT,
        image=model.IMAGE_GB * 1000,
        more=model.NEXT_IMAGE_GB * 1000,
        kept=model.IMAGES_KEPT,
        metrics=model.PIPELINE_METRICS,
        **asdict(model.Incumbent()),
    )


def _usd(value: float) -> str:
    return "0" if value == 0 else "<0.0001" if value < _SHOWN else f"{value:.4f}"
