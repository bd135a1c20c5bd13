"""What a person is told of a decision that is traded."""

from datetime import date

import pytest

from alchemiser_common.messages.decision import Candidate, RankingStep, Signal, SignalStatus, UnknownReading
from alchemiser_common.messages.snapshot import StrategyTargets
from alchemiser_trading.plan.notes import notes_of
from support.plans import book, decided, planned_for, signal

PRICES = {"AAA": "100", "BBB": "10"}
HOLD, TARGET, UNKNOWN = SignalStatus.HOLD, SignalStatus.TARGET, SignalStatus.UNKNOWN


def reading(symbol: str, indicator: str = "rsi(10)", had: int = 4, needed: int = 11) -> UnknownReading:
    return UnknownReading(symbol=symbol, indicator=indicator, bars_had=had, bars_needed=needed)


def explained(said: Signal, **changes: object) -> Signal:
    return said.model_copy(update={"explanation": said.explanation.model_copy(update=changes)})


def told(*signals: Signal, earlier: dict[str, StrategyTargets] | None = None, held: str = "5") -> tuple[str, ...]:
    decision = decided(*signals)
    books = [book(item.strategy, AAA=held) for item in signals] if held else []
    return notes_of(decision, planned_for(decision, books, cash="5000", prices=PRICES), earlier or {})


def test_of_an_ordinary_decision_there_is_nothing_to_say() -> None:
    assert told(signal("a", 0.5, {"AAA": 1.0}), signal("b", 0.5, {"BBB": 1.0})) == ()


def test_candidates_left_out_are_named_with_what_they_lack() -> None:
    out = explained(signal("tecl", 1.0, {"AAA": 1.0}), unknown=(reading("AIRO"), reading("SHNY", "sma(20)", 7, 20)))
    assert told(out) == ("tecl: AIRO left out, rsi(10) has 4 of 11 bars; SHNY left out, sma(20) has 7 of 20 bars",)


def test_a_few_are_named_and_the_rest_counted() -> None:
    out = explained(signal("tecl", 1.0, {"AAA": 1.0}), unknown=tuple(reading(f"S{number}") for number in range(6)))
    (line,) = told(out)
    assert line.endswith("S2 left out, rsi(10) has 4 of 11 bars; and 3 more")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (signal("k", 1.0, {"AAA": 1.0}, UNKNOWN), "k: unknown, keeps what it has: rsi(10) of AIRO has 4 of 11 bars"),
        (signal("k", 1.0, {}, UNKNOWN), "k: unknown, goes to cash: rsi(10) of AIRO has 4 of 11 bars"),
        (
            signal("k", 1.0, {"AAA": 1.0}, HOLD),
            "k: its target is unknown, it holds: rsi(10) of AIRO has 4 of 11 bars",
        ),
    ],
    ids=["kept", "to cash", "a hold that does not look at its target"],
)
def test_a_strategy_that_is_unknown_as_a_whole_left_nothing_out(said: Signal, line: str) -> None:
    assert told(explained(said, unknown=(reading("AIRO"),))) == (line,)


def test_a_hold_whose_target_left_a_candidate_out_says_so() -> None:
    ranking = RankingStep(
        text="top 1 by rsi(10)",
        candidates=(
            Candidate(name="AIRO", value=None, chosen=False),
            Candidate(name="AAA", value=50.0, chosen=True),
        ),
    )
    said = explained(signal("t", 1.0, {"AAA": 1.0}, HOLD), unknown=(reading("AIRO"),), steps=(ranking,))
    assert told(said) == ("t: AIRO left out, rsi(10) has 4 of 11 bars",)


def test_indicators_that_have_not_settled_are_named() -> None:
    said = explained(signal("t", 1.0, {"AAA": 1.0}), unsettled=(reading("BSV", "rsi(9)", 20, 125),))
    assert told(said) == ("t: rsi(9) of BSV is unsettled, 20 of 125 bars",)


def test_a_hold_without_shares_says_that_its_weights_are_traded() -> None:
    said = signal("t", 1.0, {"AAA": 1.0}, HOLD)
    assert told(said, held="") == ("t: it holds, but no shares are booked for it; its weights are traded",)
    assert told(signal("t", 1.0, {}, HOLD), held="") == (), "it holds cash"


@pytest.mark.parametrize(
    ("before", "now", "lines"),
    [
        ("cd" * 32, "ab" * 32, ("t: its rules are others than on 2020-06-02, when it last decided",)),
        ("ab" * 32, "ab" * 32, ()),
        ("", "ab" * 32, ()),
        ("cd" * 32, "", ()),
    ],
    ids=["changed", "the same", "decided before 1.5", "decided by an image from before"],
)
def test_a_strategy_that_was_changed_since_it_last_decided_says_so(
    before: str, now: str, lines: tuple[str, ...]
) -> None:
    said = signal("t", 1.0, {"AAA": 1.0}).model_copy(update={"rules": now})
    earlier = StrategyTargets(strategy="t", decided_for=date(2020, 6, 2), weights=(), rules=before)
    assert told(said, earlier={"t": earlier}) == lines


@pytest.mark.parametrize(
    ("before", "lines"),
    [(0.5, ("t: it has 1 of the account, 0.5 on 2020-06-02, when it last decided",)), (1.0, ()), (None, ())],
)
def test_a_strategy_whose_share_of_the_account_was_changed_says_so(
    before: float | None, lines: tuple[str, ...]
) -> None:
    earlier = StrategyTargets(strategy="t", decided_for=date(2020, 6, 2), weights=(), allocation=before)
    assert told(signal("t", 1.0, {"AAA": 1.0}), earlier={"t": earlier}) == lines


@pytest.mark.parametrize(("held", "lines"), [("50", ()), ("80", ("what other strategies keep leaves those",))])
def test_targets_that_find_too_little_left_say_how_much(held: str, lines: tuple[str, ...]) -> None:
    said = decided(signal("h", 0.5, {"AAA": 1.0}, HOLD), signal("t", 0.5, {"BBB": 1.0}))
    plan = planned_for(said, [book("h", AAA=held)], cash="5100", prices=PRICES)
    found = notes_of(said, plan, {})
    assert [line[: len(start)] for line, start in zip(found, lines, strict=True)] == list(lines)
