"""The drill without its containers: how long it is, what it says of an assertion that fails, and its page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from drill.page import render
from drill.script import FULL, SHORTEST, script_of
from drill.tale import CycleSeen, DrillFailed, GateSeen, OrderSeen, RunSeen, Tale

START = datetime(2020, 6, 4, 13, 45, tzinfo=UTC)


@pytest.mark.parametrize("cycles", [*range(SHORTEST, FULL + 1), 60])
def test_a_script_has_every_act_and_a_gate_that_opens_in_shadow(cycles: int) -> None:
    script = script_of(cycles)
    assert script.cycles == min(cycles, FULL)
    assert min(script.cutover, script.back, script.again) >= 1
    assert script.other_data != script.other_code
    assert max(script.other_data, script.other_code) <= script.shadow
    assert script.opens <= script.shadow
    assert script.back < script.days_alike, "the gate is closed after the way back"


def test_the_full_drill_is_the_one_that_is_promised() -> None:
    script = script_of(FULL)
    assert (script.shadow, script.cutover, script.back, script.days_alike) == (15, 5, 3, 10)
    with pytest.raises(ValueError, match="the story takes 6 at least"):
        script_of(SHORTEST - 1)


def test_an_assertion_that_fails_names_act_cycle_and_what_was_found() -> None:
    tale = Tale()
    tale.begin("shadow")
    tale.equal(1, 1, "one is one")
    with pytest.raises(DrillFailed, match=r"^act 1, shadow: the gate is open \(found: 'closed' instead of 'open'\)$"):
        tale.equal("closed", "open", "the gate is open")
    assert (tale.checks, bool(tale.failed)) == (2, True)


def seen(number: int, **changes: object) -> CycleSeen:
    runs = [RunSeen("monolith", "completed", 1, ""), RunSeen("modular", "shadowed", 0, "planned, nothing sent")]
    orders = [OrderSeen("SPY", "buy", Decimal(3), Decimal("310.5"))]
    own = {
        "number": number, "act": 1, "phase": "shadow", "due": START + timedelta(days=number), "authority": "monolith",
        "runs": runs, "verdict": "identical", "cause": "", "detail": "", "equity": Decimal(100_000 + number),
        "orders": orders, "alarms": [], "seeded": "",
    }  # fmt: skip
    return CycleSeen(**{**own, **changes})  # type: ignore[arg-type]


def test_the_page_tells_the_story_and_a_failure() -> None:
    tale = Tale()
    tale.begin("shadow")
    tale.say("two cycles")
    tale.end()
    broken = {"verdict": "different", "cause": "code", "detail": "<78.5>", "alarms": ["ParityBroken"]}
    tale.cycles += [seen(1), seen(2, seeded="another threshold", **broken)]
    tale.gate += [GateSeen(2, "shadow to cutover", "deploy", False, ["0 of 10 trading days"])]
    tale.phases.append((0, "monolith", "monolith"))
    told = render(tale, script_of(FULL), 61.0)
    for text in (
        "two cycles",
        "&lt;78.5&gt;",
        "ParityBroken",
        "another threshold",
        "0 of 10 trading days",
        "Who traded",
    ):
        assert text in told, text
    assert "<78.5>" not in told
    tale.failed = "act 1, shadow: the gate"
    assert "The drill failed: act 1, shadow: the gate" in render(tale, script_of(FULL), 61.0)
    assert "The drill failed: nothing began" in render(Tale(failed="nothing began"), script_of(FULL), 1.0)
