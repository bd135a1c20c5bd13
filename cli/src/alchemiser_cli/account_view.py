"""An account's status, books and performance as terminal tables and JSON. Pure: the read model's values in."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.console import plain_table
from alchemiser_cli.stored_runs import summary_json
from alchemiser_cli.views import status_text
from alchemiser_common.ids import scheduled_time
from alchemiser_common.records.trading_state import TradingState
from alchemiser_readmodel.at_broker import AtBroker, differing

if TYPE_CHECKING:
    from alchemiser_common.records.plan import Plan
    from alchemiser_readmodel.open_lots import BookView
    from alchemiser_readmodel.performance import Gain, Performance
    from alchemiser_readmodel.status import AccountStatus
    from alchemiser_readmodel.symbol_gains import SymbolGain

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
        yield "last run", Text.assemble(status_text(run.status), f" {run.pipeline} {str(run.run_id)[:8]}, due {due}")
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


def gain_text(gain: "Gain", *, since: bool = True) -> Text:
    """Profit with its return, transfers named; the sign is in the text, too."""
    style = "green" if gain.profit > 0 else "red" if gain.profit < 0 else ""
    fraction = "" if gain.fraction is None else f" ({float(gain.fraction):+.2%})"
    moved = f", {gain.transferred:+,.2f} transferred" if gain.transferred else ""
    return Text.assemble((f"{gain.profit:+,.2f} USD{fraction}", style), f" since {gain.since}" if since else "", moved)


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


def books_view(books: Iterable["BookView"], *, priced_at: str) -> Group:
    """Each strategy's lots, and what they come to."""
    table = plain_table("strategy", "symbol", "opened", "shares", "price", "cost", "value", "unrealised")
    sums = plain_table("strategy", "cost", "value", "unrealised", "realised", "income")
    for book in books:
        for lot in book.lots:
            table.add_row(
                Text(book.strategy),
                lot.symbol,
                lot.opened.isoformat(),
                formats.shares(lot.quantity),
                formats.price(lot.price),
                formats.amount(lot.cost),
                formats.amount(lot.value),
                _signed(lot.unrealised),
            )
        sums.add_row(
            Text(book.strategy),
            formats.amount(book.cost),
            formats.amount(book.value),
            _signed(book.unrealised),
            _signed(book.realised),
            _signed(book.income),
        )
    said = Text(f"USD; values at the prices of {priced_at}" if priced_at else "USD; no prices are on record")
    said.append("; realised by first in, first out, wash sales not taken into account")
    said.stylize("dim")
    return Group(table, Text(), sums, said)


def _signed(value: Decimal | None) -> str:
    return "" if value is None else f"{value:+,.2f}"


def performance_view(found: "Performance", rows: Table, notes: Sequence[str]) -> Group:
    """The whole, then its parts, then what to know of them."""
    whole = found.whole
    head = Text.assemble((f"{whole.since} to {whole.until}  ", "bold"), gain_text(whole, since=False))
    worth = f"equity {formats.amount(found.curve[0].equity)} to {formats.amount(found.curve[-1].equity)} USD"
    return Group(head, Text(worth), Text(), rows, *(Text(note, style="dim") for note in notes))


def strategies_table(found: "Performance") -> Table:
    """What each strategy earned, and what is in no book: together the account's profit."""
    table = plain_table("strategy", "profit", "realised", "unrealised", "income")
    for item in found.strategies:
        table.add_row(Text(item.strategy), *map(_signed, (item.profit, item.realised, item.unrealised, item.income)))
    if found.unbooked:
        table.add_row(Text("in no book", style="dim"), _signed(found.unbooked))
    table.add_row(Text("account", style="bold"), _signed(found.whole.profit))
    return table


def months_table(found: "Performance") -> Table:
    """Each month's profit and return."""
    table = plain_table("month", "profit", "return", "transferred")
    for month in found.months:
        fraction = "" if month.fraction is None else f"{float(month.fraction):+.2%}"
        moved = _signed(month.transferred) if month.transferred else ""
        table.add_row(f"{month.until:%Y-%m}", _signed(month.profit), fraction, moved)
    fraction = "" if found.whole.fraction is None else f"{float(found.whole.fraction):+.2%}"
    table.add_row(Text("account", style="bold"), _signed(found.whole.profit), fraction)
    return table


def symbols_table(found: "Performance", gains: Sequence["SymbolGain"]) -> Table:
    """What each symbol earned, and the rest of the account's profit."""
    table = plain_table("symbol", "profit", "not told")
    for item in gains:
        untold = ", ".join(day.isoformat() for day in item.untold[:3]) + (" …" if len(item.untold) > 3 else "")
        table.add_row(item.symbol, _signed(item.profit), Text(untold, style="yellow"))
    rest = found.whole.profit - sum((item.profit for item in gains), Decimal(0))
    table.add_row(Text("since the last plan, dividends, fees", style="dim"), _signed(rest))
    table.add_row(Text("account", style="bold"), _signed(found.whole.profit))
    return table


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
        "cash": _text(status.cash),
        "outside_books": _text(status.outside),
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
        "since_last_run": _text(now.earned),
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


def gain_json(gain: "Gain") -> dict[str, object]:
    """One gain for `--json`."""
    return {
        "since": gain.since.isoformat(),
        "until": gain.until.isoformat(),
        "profit": str(gain.profit),
        "return": None if gain.fraction is None else float(gain.fraction),
        "transferred": str(gain.transferred),
    }


def _lots(book: "BookView") -> list[dict[str, object]]:
    return [
        {
            "symbol": lot.symbol,
            "opened": lot.opened.isoformat(),
            "quantity": str(lot.quantity),
            "price": str(lot.price),
            "cost": str(lot.cost),
            "value": _text(lot.value),
        }
        for lot in book.lots
    ]


def lots_rows(books: Iterable["BookView"]) -> list[dict[str, object]]:
    """Every open lot for `--csv`."""
    return [{"strategy": book.strategy, **lot} for book in books for lot in _lots(book)]


def books_json(books: Iterable["BookView"], plan: "Plan | None") -> dict[str, object]:
    """The books for `--json`."""
    return {
        "priced_at": None if plan is None else plan.made_at.isoformat(),
        "books": [
            {
                "strategy": book.strategy,
                "cost": str(book.cost),
                "value": _text(book.value),
                "unrealised": _text(book.unrealised),
                "realised": str(book.realised),
                "income": str(book.income),
                "lots": _lots(book),
            }
            for book in books
        ],
    }


def performance_json(
    found: "Performance", gains: "Sequence[SymbolGain] | None", beside: tuple[str, float] | None
) -> dict[str, object]:
    """What was earned, for `--json`; `gains` by symbol if they were asked for."""
    told: dict[str, object] = {
        **gain_json(found.whole),
        "by_strategy": [
            {
                "strategy": item.strategy,
                "profit": str(item.profit),
                "realised": str(item.realised),
                "unrealised": str(item.unrealised),
                "income": str(item.income),
            }
            for item in found.strategies
        ],
        "in_no_book": str(found.unbooked),
        "by_month": [gain_json(month) for month in found.months],
    }
    if gains is not None:
        told["by_symbol"] = [
            {
                "symbol": item.symbol,
                "profit": str(item.profit),
                "untold": [day.isoformat() for day in item.untold],
            }
            for item in gains
        ]
    if beside is not None:
        told["benchmark"] = {"symbol": beside[0], "return": beside[1]}
    return told


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)
