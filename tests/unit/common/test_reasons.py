"""The one list of reasons, as images of other versions read it."""

from decimal import Decimal

from alchemiser_common.ids import Side
from alchemiser_common.messages.reasons import LegReason
from alchemiser_common.records.plan import SkippedLeg


def test_a_reason_of_a_later_minor_is_read_as_another_one() -> None:
    leg = SkippedLeg(symbol="AAA", side=Side.BUY, value=Decimal(1), reason="so", cause=LegReason.DUST)
    assert SkippedLeg.model_validate_json(leg.model_dump_json(), strict=True) == leg
    later = leg.model_dump_json().replace('"dust"', '"of_a_later_minor"')
    assert SkippedLeg.model_validate_json(later, strict=True).cause is LegReason.OTHER


def test_limits_and_the_broker_are_told_apart() -> None:
    assert {reason for reason in LegReason if reason.by_limit} == {
        reason for reason in LegReason if reason.value.startswith("limit_")
    }
    assert not any(reason.by_limit and reason.by_broker for reason in LegReason)
