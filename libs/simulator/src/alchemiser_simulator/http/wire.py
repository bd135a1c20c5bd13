"""Orders, positions, the account and assets as the trading API writes them: JSON objects with numbers as strings."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from uuid import uuid5

from alchemiser_simulator.exchange.acceptance import Asset
from alchemiser_simulator.exchange.exchange import Exchange
from alchemiser_simulator.exchange.marks import Mark
from alchemiser_simulator.exchange.orders import ZERO, Holding, Order, Side
from alchemiser_simulator.exchange.refusals import Refusal, text
from alchemiser_simulator.exchange.valuation import spending_power, values
from alchemiser_simulator.market.sessions import NEW_YORK, Session, stamp

type Json = str | int | float | bool | list[Json] | dict[str, Json] | None
type JsonObject = dict[str, Json]

_MICRO = Decimal("1e-6")
_NANO = Decimal("1e-9")
_MAINTENANCE = Decimal("0.25")


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def _down(value: Decimal) -> str:
    return text(value.quantize(_MICRO, ROUND_DOWN))


def _near(value: Decimal) -> str:
    return text(value.quantize(_NANO, ROUND_HALF_UP))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else text(value)


def refusal_json(refusal: Refusal) -> JsonObject:
    """An error body; the extra fields stand beside code and message."""
    extra: JsonObject = {
        name: list[Json](detail) if isinstance(detail, list) else detail for name, detail in refusal.fields.items()
    }
    return {**extra, "code": refusal.code, "message": refusal.message}


def order_json(order: Order, asset: Asset, *, hide_price: bool = False) -> JsonObject:
    """An order. `hide_price`: the average price is not known yet, as the real broker has it for a moment."""
    ticket = order.ticket
    average = order.filled_cost / order.filled_qty if order.filled_qty and not hide_price else None
    return {
        "id": str(order.id),
        "client_order_id": order.client_order_id,
        "created_at": stamp(order.created_at),
        "updated_at": stamp(order.updated_at),
        "submitted_at": stamp(order.created_at),
        "filled_at": _when(order.filled_at),
        "expired_at": _when(order.expired_at),
        "expires_at": stamp(order.expires_at),
        "canceled_at": _when(order.canceled_at),
        "failed_at": _when(order.failed_at),
        "replaced_at": _when(order.replaced_at),
        "replaced_by": str(order.replaced_by) if order.replaced_by else None,
        "replaces": str(order.replaces) if order.replaces else None,
        "asset_id": str(asset.id),
        "symbol": ticket.symbol,
        "asset_class": "us_equity",
        "notional": _text(ticket.notional),
        "qty": _text(ticket.qty),
        "filled_qty": text(order.filled_qty),
        "filled_avg_price": None if average is None else _near(average),
        "order_class": "",
        "order_type": ticket.type.value,
        "type": ticket.type.value,
        "side": ticket.side.value,
        "time_in_force": ticket.time_in_force.value,
        "limit_price": _text(ticket.limit_price),
        "stop_price": None,
        "status": order.status.value,
        "extended_hours": ticket.extended_hours,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "position_intent": "buy_to_open" if ticket.side is Side.BUY else "sell_to_close",
        "subtag": None,
        "source": None,
    }


def asset_json(asset: Asset) -> JsonObject:
    """An asset as listed; a halt does not show in it."""
    attributes: list[Json] = ["fractional_eh_enabled"] if asset.fractionable else []
    return {
        "id": str(asset.id),
        "class": "us_equity",
        "exchange": "ARCA",
        "symbol": asset.symbol,
        "name": f"{asset.symbol} (simulated)",
        "status": "active" if asset.active else "inactive",
        "tradable": asset.tradable and asset.active,
        "marginable": True,
        "maintenance_margin_requirement": 30,
        "shortable": False,
        "easy_to_borrow": False,
        "fractionable": asset.fractionable,
        "attributes": attributes,
    }


def twin_json(asset: Asset) -> JsonObject:
    """A second listing under an asset's symbol, of an issue that is no more."""
    return {**asset_json(asset), "id": str(uuid5(asset.id, "twin")), "status": "inactive", "tradable": False}


def position_json(exchange: Exchange, symbol: str, holding: Holding) -> JsonObject:
    """A position as reported: as marked, else at the last price."""
    mark = exchange.books.head.marks.get(symbol)
    return _stock_json(exchange, symbol, holding) if mark is None else _marked_json(exchange, symbol, holding, mark)


def _marked_json(exchange: Exchange, symbol: str, holding: Holding, mark: Mark) -> JsonObject:
    """A position that the market does not price: what follows from a price is null where there is none."""
    value = None if mark.price is None else _near(mark.value(holding.qty))
    gain = None if mark.price is None else mark.value(holding.qty) - holding.cost
    share = None if gain is None or not holding.cost else _near(gain / abs(holding.cost))
    exchanges = {"us_equity": "OTC", "us_option": "", "crypto": "CRYPTO"}
    return {
        "asset_id": str(exchange.asset_id(symbol)),
        "symbol": symbol,
        "exchange": exchanges[mark.asset_class],
        "asset_class": mark.asset_class,
        "asset_marginable": False,
        "qty": text(holding.qty),
        "qty_available": text(holding.qty),
        "side": "long" if holding.qty > 0 else "short",
        "avg_entry_price": _near(holding.average / mark.multiplier),
        "market_value": value,
        "cost_basis": _near(holding.cost),
        "unrealized_pl": None if gain is None else _near(gain),
        "unrealized_plpc": share,
        "unrealized_intraday_pl": None if value is None else "0",
        "unrealized_intraday_plpc": None if value is None else "0",
        "current_price": None if mark.price is None else _near(mark.price),
        "lastday_price": None if mark.price is None else _near(mark.price),
        "change_today": None if value is None else "0",
    }


def _stock_json(exchange: Exchange, symbol: str, holding: Holding) -> JsonObject:
    """A stock in USD at the last price; what is booked too and not held by sales is available."""
    market, now = exchange.market, exchange.now
    price = market.last_price(symbol, now) or holding.average
    before = market.previous_close(symbol, now) or price
    value, gain = holding.qty * price, holding.qty * price - holding.cost
    today = holding.qty * (price - before)
    held = sum((order.held for order in exchange.books.open_for(symbol)), ZERO)
    booked = exchange.books.head.ledger.holdings.get(symbol)
    available = min(holding.qty, booked.qty if booked else ZERO) - held
    short = holding.qty < 0
    return {
        "asset_id": str(exchange.asset_id(symbol)),
        "symbol": symbol,
        "exchange": "ARCA",
        "asset_class": "us_equity",
        "asset_marginable": True,
        "qty": text(holding.qty),
        "qty_available": text(holding.qty if short else max(available, ZERO)),
        "side": "short" if short else "long",
        "avg_entry_price": _near(holding.average),
        "market_value": _near(value),
        "cost_basis": _near(holding.cost),
        "unrealized_pl": _near(gain),
        "unrealized_plpc": _near(gain / abs(holding.cost) if holding.cost else ZERO),
        "unrealized_intraday_pl": _near(today),
        "unrealized_intraday_plpc": _near(today / abs(holding.qty * before)),
        "current_price": _near(price),
        "lastday_price": _near(before),
        "change_today": _near(price / before - 1),
    }


def account_json(exchange: Exchange) -> JsonObject:
    """The account in USD, as reported. The pattern-day-trader fields that Alpaca dropped in July 2026 are not there."""
    head, config = exchange.books.head, exchange.config
    ledger, multiplier = head.reported, config.multiplier
    held = values(ledger, exchange.market, head.marks, head.now)
    gross, stock = held.long - held.short, held.long_stock - held.short_stock
    equity = ledger.cash + held.net
    power = _down(exchange.buying_power)
    bound = exchange.books.reserved + head.withheld
    cash_power = max(min(ledger.cash, head.ledger.cash) - bound, ZERO)
    begins = exchange.market.calendar.begins
    return {
        "id": str(head.account),
        "account_number": config.account_number,
        "status": "ACTIVE",
        "currency": "USD",
        "cash": _down(ledger.cash),
        "buying_power": power,
        "regt_buying_power": _down(max(spending_power(ledger, held, min(multiplier, 2)) - bound, ZERO)),
        "non_marginable_buying_power": _down(cash_power),
        "effective_buying_power": power,
        "options_buying_power": _down(cash_power),
        "portfolio_value": _near(equity),
        "equity": _near(equity),
        "last_equity": _near(head.last_equity),
        "long_market_value": _near(held.long),
        "short_market_value": _near(held.short),
        "position_market_value": _near(gross),
        "initial_margin": _near(stock / multiplier + gross - stock),
        "maintenance_margin": _near(stock * _MAINTENANCE),
        "last_maintenance_margin": "0",
        "sma": "0",
        "multiplier": str(multiplier),
        "accrued_fees": "0",
        "pending_transfer_in": "0",
        "pending_transfer_out": "0",
        "shorting_enabled": False,
        "trading_blocked": head.flags.trading_blocked,
        "transfers_blocked": False,
        "account_blocked": head.flags.account_blocked,
        "trade_suspended_by_user": head.flags.trade_suspended_by_user,
        "created_at": stamp(begins),
    }


def session_json(session: Session) -> JsonObject:
    """A calendar day: its hours in New York time, the extended session's from 4:00 to four hours after the close."""
    opens, closes = (moment.astimezone(NEW_YORK) for moment in (session.opens, session.closes))
    return {
        "date": session.day.isoformat(),
        "open": f"{opens:%H:%M}",
        "close": f"{closes:%H:%M}",
        "session_open": "0400",
        "session_close": f"{closes.replace(hour=closes.hour + 4):%H%M}",
        "settlement_date": session.day.isoformat(),
    }


def clock_json(exchange: Exchange) -> JsonObject:
    """The clock in New York time, as Alpaca writes it."""
    calendar, now = exchange.market.calendar, exchange.now
    return {
        "timestamp": now.astimezone(NEW_YORK).isoformat(),
        "is_open": calendar.at(now) is not None,
        "next_open": calendar.next_open(now).astimezone(NEW_YORK).isoformat(),
        "next_close": calendar.next_close(now).astimezone(NEW_YORK).isoformat(),
    }
