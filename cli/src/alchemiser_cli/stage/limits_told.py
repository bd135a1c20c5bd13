"""Which limits a stage's account and strategies would meet, by the settings of its functions and its last snapshot."""

import json
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from alchemiser_common.errors import InvalidSettings
from alchemiser_common.messages.snapshot import MarketSnapshot, StrategyTargets
from alchemiser_common.messages.wire import describe
from alchemiser_common.probes import CompositionAnswer
from alchemiser_common.settings import TradingSettings
from alchemiser_trading.plan.forecast import Outlook, limits_met

_PREFIX = "trading."


def trading_settings(answers: Mapping[str, CompositionAnswer]) -> TradingSettings | None:
    """The limits by which orders are sent, of the trading function or the monolith; None if neither has answered.

    A setting that this version does not know is left out.
    """
    for service in ("trading", "monolith"):
        if service in answers:
            said = {item.name.removeprefix(_PREFIX): item for item in answers[service].settings}
            known = {
                name: json.loads(item.value) for name, item in said.items() if name in TradingSettings.model_fields
            }
            try:
                return TradingSettings.model_validate(known)
            except ValidationError as error:
                raise InvalidSettings(
                    f"limits of the {service} function, which is of another version: {describe(error)}"
                ) from None
    return None


def limits_told(
    answers: Mapping[str, CompositionAnswer], snapshot: MarketSnapshot, targets: Sequence[StrategyTargets]
) -> list[str]:
    """A sentence for each limit that these targets would meet on the account of the snapshot."""
    settings = trading_settings(answers)
    if settings is None:
        return []
    held = [position.symbol for position in snapshot.positions]
    return limits_met(Outlook(snapshot.account.equity, held, targets), settings)
