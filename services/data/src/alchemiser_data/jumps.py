"""Asks the broker whether a jump is a move, and remembers in the archive what it says of splits and raw closes.

A suspicion alone is no fault: real funds and shares fall by half overnight. What is compared:

    announced split   raw closes jump   adjusted closes jump    verdict
    yes               yes               no                      never suspected: the adjustment did its work
    yes               yes               yes                     a fault: the adjustment missed it
    no                yes               yes                     a move
    no                no                yes                     a fault: adjusted for a split that nobody announced
    no                tenfold           tenfold                 a fault: of 300 symbols in 26 years none did that

Bars before the last one are borne out by those that follow. The last one is borne out by the latest trade, which comes
from another feed: it must be nearer to that close than to the one before.
"""

import logging
import math
from collections.abc import Sequence
from datetime import date, timedelta

from alchemiser_common import keys
from alchemiser_common.errors import BrokerRefused, BrokerUnavailable, Conflict
from alchemiser_common.messages.snapshot import MissingData
from alchemiser_common.messages.versions import read_json
from alchemiser_common.ports.archive import Archive
from alchemiser_common.ports.broker import MarketReader, Trade
from alchemiser_common.ports.clock import EXCHANGE_ZONE
from alchemiser_common.records.corporate_actions import JumpFacts
from alchemiser_data.split_detection import Jump

_log = logging.getLogger(__name__)
_RULE = "no unadjusted split"
_LARGE_RULE = "plausible move"
_LAST_RULE = "last close borne out"
_AROUND = timedelta(days=5)
"""Announced days and the days on which prices change differ by a weekend now and then."""
_SETTLED = timedelta(days=14)
"""An announcement reaches the broker late now and then: younger answers are asked for again."""
_SAME = math.log(1.1)
"""Raw and adjusted moves that are nearer than this are the same move: a dividend is the difference."""
_TENFOLD = math.log(10)
_NEAR = 0.15
"""How near an announced ratio must be to that of the jump, in log returns."""


class JumpChecks:
    """Judges suspected jumps. `archive` keeps the answers: the same question is asked once."""

    def __init__(self, broker: MarketReader, archive: Archive) -> None:
        self._broker = broker
        self._archive = archive

    def faults(self, jumps: Sequence[Jump], last_session: date, today: date) -> Sequence[MissingData]:
        """The jumps that are no moves, one for each symbol: what cannot be asked is one of them.

        `last_session` is the day of the last bar.
        """
        found: dict[str, MissingData] = {}
        for jump in jumps:
            if jump.symbol not in found:
                detail = self._detail(jump, today)
                if detail is not None:
                    found[jump.symbol] = MissingData(
                        symbol=jump.symbol, rule=_RULE if jump.new else _LARGE_RULE, detail=detail
                    )
        last = [jump for jump in jumps if jump.day == last_session and jump.symbol not in found]
        return [*found.values(), *self._not_borne_out(last, last_session)]

    def _not_borne_out(self, jumps: Sequence[Jump], last_session: date) -> Sequence[MissingData]:
        """The moves of last bars that the latest trades contradict, or cannot confirm."""
        if not jumps:
            return ()
        try:
            trades = {trade.symbol: trade for trade in self._broker.latest_trades([jump.symbol for jump in jumps])}
        except (BrokerRefused, BrokerUnavailable) as error:
            _log.warning("latest trades cannot be read", extra={"reason": str(error)})
            trades = {}
        reasons = [(jump, not_borne_out(jump, trades.get(jump.symbol), last_session)) for jump in jumps]
        return [
            MissingData(symbol=jump.symbol, rule=_LAST_RULE, detail=f"{jump}; {reason}; {_remedy(jump)}")
            for jump, reason in reasons
            if reason is not None
        ]

    def _detail(self, jump: Jump, today: date) -> str | None:
        try:
            facts = self._facts(jump, today)
        except (BrokerRefused, BrokerUnavailable) as error:
            return f"{jump}, and the broker cannot be asked for its corporate actions ({error}); {_remedy(jump)}"
        reason = judged(jump, facts)
        if reason is None:
            _log.info("jump is a move", extra={"symbol": jump.symbol, "day": jump.day.isoformat()})
            return None
        return f"{jump}; {reason}"

    def _facts(self, jump: Jump, today: date) -> JumpFacts:
        key = keys.corporate_actions_object(jump.symbol, jump.day)
        known = self._archive.get(key)
        if known is not None:
            try:
                return read_json(JumpFacts, known)
            except ValueError as error:  # pydantic's
                _log.warning("archived answer is not read", extra={"archive_key": key, "reason": str(error)})
        facts = self._asked(jump)
        if today - jump.day > _SETTLED:
            try:
                self._archive.put(key, facts.model_dump_json().encode())
            except Conflict:
                _log.warning("another answer is archived", extra={"archive_key": key})
        return facts

    def _asked(self, jump: Jump) -> JumpFacts:
        splits = self._broker.announced_splits(jump.symbol, jump.day - _AROUND, jump.day + _AROUND)
        raw = self._broker.daily_bars([jump.symbol], jump.day_before, jump.day, adjusted=False)
        closes = {day: close for bars in raw for day, close in zip(bars.days, bars.closes, strict=True) if close > 0}
        return JumpFacts(
            symbol=jump.symbol,
            day=jump.day,
            raw_before=closes.get(jump.day_before),
            raw_after=closes.get(jump.day),
            splits=tuple(float(split.ratio) for split in splits),
        )


def judged(jump: Jump, facts: JumpFacts) -> str | None:
    """Why a jump is a fault, or None if it is a move. The table above."""
    adjusted = math.log(jump.after / jump.before)
    for ratio in facts.splits:
        if ratio > 0 and abs(adjusted + math.log(ratio)) <= _NEAR:
            return f"a split of {ratio:g} new shares for an old one is announced, and the bars are not adjusted for it"
    if abs(adjusted) >= _TENFOLD and not facts.splits:
        return f"that is tenfold or more, and nothing is announced; {_remedy(jump)}"
    if facts.raw_before is None or facts.raw_after is None:
        return None
    raw = math.log(facts.raw_after / facts.raw_before)
    if abs(raw - adjusted) > _SAME and abs(raw) < abs(adjusted):
        return (
            f"as traded it went from {facts.raw_before:g} to {facts.raw_after:g}, and no split is announced that the "
            "bars could be adjusted for"
        )
    return None


def not_borne_out(jump: Jump, trade: Trade | None, last_session: date) -> str | None:
    """Why the latest trade does not bear out the move of a last bar, or None if it does."""
    price = 0.0 if trade is None else float(trade.price)
    if trade is None or price <= 0 or trade.at.astimezone(EXCHANGE_ZONE).date() < last_session:
        return "no trade of that session or since bears it out"
    if abs(math.log(price / jump.after)) < abs(math.log(price / jump.before)):
        return None
    return f"the latest trade, at {trade.at:%Y-%m-%d %H:%M:%S}Z, is {price:g}"


def _remedy(jump: Jump) -> str:
    return f"if it is real, add {jump.symbol}:{jump.day} to data.accepted_jumps"
