"""What `alchemiser init` writes: settings with their help, a place for keys, and a strategy to change. Pure."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path
from textwrap import wrap

from pydantic import BaseModel

from alchemiser_common.settings import Section, Settings
from alchemiser_common.settings_help import field_help

STRATEGY = "first"
_LATER = ("latency", "execution", "broker", "aws")
"""Sections that nobody needs on the first day; `alchemiser config show` has them."""

_FOLLOWS = ("account_alias",)
"""Another setting, where it is not set."""
_UNSET = " # not set"

_HEAD = """\
# Settings of this folder. What stands behind a # is the default, and is changed by taking the # away.
# `alchemiser config check` says whether all is well, `alchemiser config show` where each value comes from.
# Variables win over this file: ALCHEMISER_TRADING__CASH_RESERVE=0.02 in .env or in the environment.
"""

ENV = """\
# Keys of an Alpaca account. Begin with a paper account: https://app.alpaca.markets under Paper > API Keys.
# With them: `alchemiser prices fetch`, `alchemiser run --paper`. Keep this file out of version control.
# APCA_API_KEY_ID=PK...
# APCA_API_SECRET_KEY=...

# Any setting may stand here as well, and wins over alchemiser.toml:
# ALCHEMISER_TRADING__CASH_RESERVE=0.02
"""

EXAMPLE = """\
; The strongest of three funds over 60 sessions, and short bonds while the market has run hot.
; Change it, then: alchemiser strategies check strategies/first.clj, alchemiser backtest, alchemiser explain
(defsymphony "Leader or bills"
 {:asset-class "EQUITIES", :rebalance-frequency :weekly}
 (if (> (rsi "SPY" {:window 10}) 75)
  [(asset "BIL" "1-3 month bills")]
  [(filter (cumulative-return {:window 60}) (select-top 1)
    [(asset "SPY" "S&P 500")
     (asset "QQQ" "Nasdaq 100")
     (asset "IWM" "Russell 2000")])]))
"""


def starting_files() -> dict[Path, str]:
    """Each file's text by its path below the folder."""
    return {
        Path("alchemiser.toml"): settings_file(),
        Path(".env"): ENV,
        Path("strategies") / f"{STRATEGY}.clj": EXAMPLE,
    }


def settings_file() -> str:
    """The settings' tree as TOML: the example's share of the account is set, every other line is a comment."""
    return "\n".join((_HEAD, *_lines(Settings(), ()), ""))


def _lines(section: BaseModel, at: Sequence[str]) -> Iterator[str]:
    helps = field_help(type(section))
    inner: list[tuple[str, Section]] = []
    for name in type(section).model_fields:
        value: object = getattr(section, name)
        if isinstance(value, Section):
            inner.append((name, value))
            continue
        yield from (f"# {line}" for line in wrap(helps.get(name, ""), 110))
        yield _assignment((*at, name), value)
    for name, value in inner:
        if name not in _LATER:
            yield f"\n[{'.'.join((*at, name))}]"
            yield from _lines(value, (*at, name))


def _assignment(place: Sequence[str], value: object) -> str:
    name = place[-1]
    if tuple(place) == ("strategies", "allocations"):
        return f"{name} = {{ {STRATEGY} = 1.0 }}"
    return f"#{name} = {_UNSET if value is None or tuple(place) == _FOLLOWS else _toml(value)}"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, Enum):
        return json.dumps(value.value)
    if isinstance(value, Decimal | Path):
        return json.dumps(str(value))
    return json.dumps(value)
