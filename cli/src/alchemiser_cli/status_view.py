"""An account's status as one screen and as JSON. Pure: the read model's values in."""

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.console import plain_table
from alchemiser_cli.gain_view import gain_json, gain_text
from alchemiser_cli.stored_runs import summary_json
from alchemiser_cli.views import status_text
from alchemiser_common.ids import scheduled_time
from alchemiser_common.records.trading_state import TradingState
from alchemiser_readmodel.at_broker import AtBroker, differing

if TYPE_CHECKING:
    from alchemiser_readmodel.status import AccountStatus

_HALF_A_CENT = Decimal("0.005")
_DRIFT = 0.01
"""Fraction of equity: a weight that is further off its target is marked."""


def status_view(status: "AccountStatus", now: "AtBroker | None" = None) -> Group:
    """One screen: what needs a hand first. With the broker's answers, holdings are those of now."""
    warnings = (*status.warnings, *(() if now is None else differing(now.holdings)))
    parts: list[RenderableType] = [Text(f"! {warning}", style="bold yellow") for warning in warnings]
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in (*_lines(status), *_lines_now(now)):
        table.add_row(Text(name, style="dim"), value)
    parts.append(table)
    if now is not None:
        parts += [Text(), _held_table(now)]
    elif status.holdings:
        parts += [Text(), _holdings_table(status)]
    return Group(*parts)


def _lines(status: "AccountStatus") -> Iterator[tuple[str, Text]]:
    behind = status.broker_account or "bound by its first run"
    yield "account", Text.assemble((status.account, "bold"), f" ({status.environment}), the broker's {behind}")
    if status.worth is not None:
        when = "" if status.worth_at is None else f", {formats.moment(status.worth_at)}"
        cash = "" if status.cash is None else f", of which {formats.amount(status.cash)} is cash"
        yield "equity", Text(f"{formats.amount(status.worth.equity)} USD{cash}{when}")
    for name, gain in (("day", status.day), ("week", status.week), ("since start", status.whole)):
        if gain is not None:
            yield name, gain_text(gain)
    if status.outside and abs(status.outside) >= _HALF_A_CENT:
        yield "not in a book", Text(f"{formats.amount(status.outside)} USD are neither cash nor a strategy's")
    yield "authority", _authority(status)
    yield "trading", _trading(status)
    if status.last_run is not None:
        run = status.last_run
        due = formats.moment(scheduled_time(run.cycle_id))
        yield (
            "last run",
            Text.assemble(status_text(run.status), f" {run.pipeline} {str(run.run_id)[:8]}, due {due}"),
        )
    if status.verdict is not None:
        alike = formats.count(status.days_alike, "trading day")
        yield "parity", Text(f"{status.verdict.verdict.value}; decided alike {alike} in a row")
    for end in status.unfinished:
        yield "unfinished", Text(end.says, style="yellow")


def _lines_now(now: "AtBroker | None") -> Iterator[tuple[str, Text]]:
    if now is None:
        return
    answers = now.answers
    earned = "" if now.earned is None else f", {now.earned:+,.2f} since the last run"
    cash = f"of which {formats.amount(answers.account.cash)} is cash"
    yield "now", Text(f"{formats.amount(answers.account.equity)} USD, {cash}{earned}, {formats.moment(answers.at)}")
    yield "open orders", Text(str(answers.open_orders))
    for other in answers.others:
        yield "not managed", Text(other)
    due = "no session soon" if answers.next_decision is None else formats.moment(answers.next_decision)
    yield "next decision", Text(due)


def _held_table(now: "AtBroker") -> Table:
    table = plain_table("holding", "shares", "value", "weight", "target", "drift")
    for item in now.holdings:
        weight = None if item.weight is None else float(item.weight)
        drift = None if weight is None or item.target is None else weight - item.target
        table.add_row(
            item.symbol,
            formats.shares(item.shares),
            formats.amount(item.value),
            _percent(weight),
            _percent(item.target),
            _drift(drift),
        )
    return table


def _drift(drift: float | None) -> Text:
    marked = "yellow" if drift is not None and abs(drift) > _DRIFT else ""
    return Text("" if drift is None else f"{drift:+.2%}", style=marked)


def _authority(status: "AccountStatus") -> Text:
    held = status.authority
    if held is None:
        return Text("nobody", style="bold red")
    return Text(f"{held.pipeline.value}, by {held.set_by} at {formats.moment(held.set_at)}: {held.reason}")


def _trading(status: "AccountStatus") -> Text:
    good = status.trading is TradingState.ACTIVE
    word = Text(status.trading.value, style="green" if good else "bold red")
    switch = status.switch
    return word if switch is None else word.append(f", by {switch.who} at {formats.moment(switch.at)}: {switch.reason}")


def _holdings_table(status: "AccountStatus") -> Table:
    table = plain_table("holding", "shares", "weight", "target", "drift")
    for item in status.holdings:
        table.add_row(
            item.symbol,
            formats.shares(item.shares),
            _percent(item.weight),
            _percent(item.target),
            _drift(item.drift),
        )
    return table


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def holdings_rows(status: "AccountStatus") -> list[dict[str, object]]:
    """What is held and wanted, symbol by symbol; for `--csv` too."""
    return [
        {
            "symbol": item.symbol,
            "shares": str(item.shares),
            "weight": item.weight,
            "target": item.target,
            "drift": item.drift,
        }
        for item in status.holdings
    ]


def status_json(status: "AccountStatus", now: "AtBroker | None" = None) -> dict[str, object]:
    """The status for `--json`; `now` is null if the broker was not asked."""
    last, verdict = status.last_run, status.verdict
    return {
        "account": status.account,
        "broker_account": status.broker_account,
        "environment": status.environment,
        "equity": None if status.worth is None else str(status.worth.equity),
        "cash": formats.text_of(status.cash),
        "outside_books": formats.text_of(status.outside),
        "at": None if status.worth_at is None else status.worth_at.isoformat(),
        "profit": {
            name: None if gain is None else gain_json(gain)
            for name, gain in (("day", status.day), ("week", status.week), ("since_start", status.whole))
        },
        "holdings": holdings_rows(status),
        "authority": None if status.authority is None else status.authority.model_dump(mode="json"),
        "trading": status.trading.value,
        "switch": None if status.switch is None else status.switch.model_dump(mode="json"),
        "last_run": None if last is None else summary_json(last),
        "parity": None if verdict is None else {"cycle_id": verdict.cycle_id, "verdict": verdict.verdict.value},
        "days_alike": status.days_alike,
        "unfinished": [{"run_id": str(end.run_id), "says": end.says} for end in status.unfinished],
        "warnings": list(status.warnings),
        "now": None if now is None else _now_json(now),
    }


def _now_json(now: "AtBroker") -> dict[str, object]:
    answers = now.answers
    return {
        "at": answers.at.isoformat(),
        "equity": str(answers.account.equity),
        "cash": str(answers.account.cash),
        "since_last_run": formats.text_of(now.earned),
        "open_orders": answers.open_orders,
        "not_managed": list(answers.others),
        "next_decision": None if answers.next_decision is None else answers.next_decision.isoformat(),
        "holdings": [
            {
                "symbol": item.symbol,
                "shares": str(item.shares),
                "in_books": str(item.in_books),
                "value": str(item.value),
                "weight": None if item.weight is None else float(item.weight),
                "target": item.target,
            }
            for item in now.holdings
        ],
        "differs_from_books": list(differing(now.holdings)),
    }
