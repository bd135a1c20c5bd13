"""What a portfolio's sessions came to, counted as they pass."""

import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from alchemiser_common.messages.decision import SignalStatus
from support.portfolio_line import Ran, holding
from support.portfolio_ways import Compared, Difference

PAGE = "GET /v2/stocks/bars"
_SHOWN = 5
_DATA = ("/v2/stocks/", "/v1/corporate-actions")


@dataclass
class Tally:
    """Counts over sessions. Invariant: `decisions` = sessions that decided x strategies."""

    sessions: int = 0
    refused: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    shadows: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    decisions: int = 0
    equal: int = 0
    exact: int = 0
    differences: list[Difference] = field(default_factory=list)
    holds: int = 0
    unknown: list[str] = field(default_factory=list)
    orders: int = 0
    for_holders: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)
    carried: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    message_bytes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    data_requests: list[int] = field(default_factory=list)
    unfilled: Counter[str] = field(default_factory=Counter)

    def add(self, ran: Ran) -> None:
        """One session of the line."""
        self.sessions += 1
        self.statuses[ran.status] += 1
        self.shadows[ran.shadow] += 1
        self.verdicts[ran.verdict or "none"] += 1
        if ran.refused:
            self.refused.append(f"{ran.day} {ran.status}: {ran.reason}")
        self.holds += holding(ran.signals)
        self.unknown += [f"{ran.day} {item.strategy}" for item in ran.signals if item.status is SignalStatus.UNKNOWN]
        self.for_holders += [f"{ran.day} {symbol}" for symbol in ran.for_holders]
        self.left_out |= set(ran.left_out)
        self.unsettled |= {item.symbol for signal in ran.signals for item in signal.explanation.unsettled}
        self.message_bytes.append(ran.message_bytes)
        self.seconds.append(ran.seconds)
        self.pages.append(ran.requests[PAGE])
        asked = sum(count for name, count in ran.requests.items() if any(path in name for path in _DATA))
        self.data_requests.append(asked)
        report, snapshot = ran.detail.summary.report, ran.detail.snapshot
        if report is not None:
            self.orders += report.orders_placed
            self.unfilled.update(f"{leg.symbol} {leg.status.value}" for leg in report.legs if leg.status != "filled")
        if snapshot is not None:
            self.carried |= {item.symbol for item in snapshot.carried}
            self.missing |= {item.symbol: f"{item.rule}: {item.detail}" for item in snapshot.missing}

    def compared(self, found: Iterable[Compared]) -> None:
        """One session's decisions in three ways."""
        for one in found:
            self.decisions += 1
            self.exact += one.exact
            self.equal += not one.differences
            self.differences += one.differences

    def table(self) -> dict[str, object]:
        """Figures by name."""
        return {
            "sessions run": self.sessions,
            "refused": f"{len(self.refused)}{_some(self.refused)}",
            "statuses": _counts(self.statuses),
            "shadow's statuses": _counts(self.shadows),
            "verdicts": _counts(self.verdicts),
            "decisions equal in three ways": f"{self.equal:,} of {self.decisions:,}",
            "of which bit for bit": f"{self.exact:,}",
            "differences": f"{len(self.differences)}{_some(map(_difference, self.differences))}",
            "holds among the decisions": self.holds,
            "unknown strategies": f"{len(self.unknown)}{_some(self.unknown)}",
            "orders": self.orders,
            "orders for strategies that hold": f"{len(self.for_holders)}{_some(self.for_holders)}",
            "candidates left out": f"{len(self.left_out)}: {' '.join(sorted(self.left_out))}",
            "unsettled": f"{len(self.unsettled)}: {' '.join(sorted(self.unsettled))}",
            "carried over gaps": " ".join(sorted(self.carried)),
            "bars at fault": f"{len(self.missing)}{_some(f'{name} {why}' for name, why in self.missing.items())}",
            "legs not filled": _counts(self.unfilled),
            "message, bytes (median)": int(statistics.median(self.message_bytes)),
            "message, bytes (most)": max(self.message_bytes),
            "seconds a session (median)": statistics.median(self.seconds),
            "seconds a session (most)": max(self.seconds),
            "pages of bars a session (most)": max(self.pages),
            "market data requests a session (most, of 200 a minute)": max(self.data_requests),
        }


def _difference(found: Difference) -> str:
    return f"{found.as_of} {found.strategy}, {found.ways}: {found.what}"


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counted.most_common(12))


def _some(lines: Iterable[str]) -> str:
    shown = [*lines][:_SHOWN]
    return f" ({'; '.join(shown)})" if shown else ""
