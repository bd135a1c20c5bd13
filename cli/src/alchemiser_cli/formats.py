"""Numbers as people read them, in two hands; the only place that formats money, shares and costs.

Pages and key figures carry their unit ($, %, bp), a true minus sign, and a dash for None. Tables of runs and orders
have plain ASCII to be searched and copied, and leave a cell blank for None.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

DASH = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def percent(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """A fraction as percent: 0.0512 is ``5.12%``; `signed` marks gains with a plus."""
    return DASH if value is None else f"{_number(value * 100, digits, signed=signed)}%"


def ratio(value: float | None, digits: int = 2) -> str:
    """A plain number."""
    return DASH if value is None else _number(value, digits)


def reading(value: float | None) -> str:
    """What an indicator says, to four digits: ``62.31``; a question mark for what could not be computed."""
    return "?" if value is None else f"{value:.4g}".replace("-", MINUS)


def portfolio(shares: Sequence[tuple[str, float]], most: int = 3) -> str:
    """Strategies with their fractions of capital, as a title: ``leader``; ``nuclear 60% + tecl 40%``."""
    ranked = sorted(shares, key=lambda share: -share[1])
    if len(ranked) == 1:
        return ranked[0][0]
    shown = ranked if len(ranked) <= most + 1 else ranked[:most]
    rest = [f"{len(ranked) - len(shown)} more"] if len(shown) < len(ranked) else []
    return " + ".join([*(f"{name} {percent(share, 0)}" for name, share in shown), *rest])


def money(value: float | Decimal | None, digits: int = 2) -> str:
    """US dollars."""
    if value is None:
        return DASH
    text = _number(value, digits)
    return f"{MINUS}${text[1:]}" if text.startswith(MINUS) else f"${text}"


def basis_points(value: float | Decimal | None, digits: int = 1) -> str:
    """Basis points with a sign: positive is a cost."""
    return DASH if value is None else f"{_number(value, digits, signed=True)} bp"


def quantity(value: Decimal) -> str:
    """Shares, without trailing zeros."""
    text = f"{value:,f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)


def count(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 order``, ``1,204 orders``."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def day(value: date | None) -> str:
    """ISO date."""
    return DASH if value is None else value.isoformat()


def seconds(value: float) -> str:
    """A duration a person compares: ``8.2 s``, ``3 min 05 s``."""
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"


def amount(value: Decimal | None) -> str:
    """A table's dollars with cents: ``1,234.50``."""
    return "" if value is None else f"{value:,.2f}"


def signed(value: Decimal | None) -> str:
    """The same with its sign, for what was gained or lost: ``+1,234.50``."""
    return "" if value is None else f"{value:+,.2f}"


def text_of(value: Decimal | None) -> str | None:
    """A number for JSON, every digit."""
    return None if value is None else str(value)


def price(value: Decimal | None) -> str:
    """A table's price a share, USD, as brokers quote it: ``31.4159``."""
    return "" if value is None else f"{value:,.4f}"


def shares(value: Decimal) -> str:
    """A table's quantity to the thousandth of a share; JSON has it in full."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def slippage(value: Decimal | None) -> str:
    """A table's basis points, positive is a cost: ``+2.6 bp``."""
    return "" if value is None else f"{value:+.1f} bp"


def moment(value: datetime) -> str:
    """A table's time in UTC: ``2026-11-23 14:45:00Z``."""
    return f"{value:%Y-%m-%d %H:%M:%S}Z"


def _number(value: float | Decimal, digits: int, *, signed: bool = False) -> str:
    text = f"{value:+,.{digits}f}" if signed else f"{value:,.{digits}f}"
    if not any(character in "123456789" for character in text):
        text = text.lstrip("+-")  # a rounded zero has no sign
    return text.replace("-", MINUS)
