"""How each execution style works a leg: one row a style. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from alchemiser_common.settings import ExecutionSettings, ExecutionStyle
from alchemiser_trading.orders.pricing import BidAsk


@dataclass(frozen=True, slots=True)
class Style:
    """What a style's orders are, and what follows one that does not fill."""

    at_market: bool
    """Market orders as long as there is a quote that may be traded on."""
    walk: Callable[[ExecutionSettings], tuple[Decimal, ...]]
    """Where the limits lie, from the passive side (0) to the far side (1); the last step goes through it."""
    rest_seconds: Callable[[ExecutionSettings], float | None]
    """How long an order rests before the next step; None: until it fills."""


STYLES: Mapping[ExecutionStyle, Style] = {
    ExecutionStyle.MARKET: Style(at_market=True, walk=lambda _: (), rest_seconds=lambda _: None),
    ExecutionStyle.LIMIT_WALK: Style(
        at_market=False, walk=lambda rules: rules.walk, rest_seconds=lambda rules: rules.rest_seconds
    ),
    ExecutionStyle.PATIENT: Style(
        at_market=False, walk=lambda rules: rules.patient_walk, rest_seconds=lambda rules: rules.patient_rest_seconds
    ),
}


def style_of(chosen: ExecutionStyle | None) -> Style:
    """The row of a leg's style; a leg that never saw a quote to choose by walks."""
    return STYLES[chosen or ExecutionStyle.LIMIT_WALK]


def style_for(market: BidAsk, settings: ExecutionSettings) -> ExecutionStyle:
    """The style of a symbol by its liquidity, for which the spread stands."""
    if market.relative_spread <= settings.tight_spread:
        return settings.tight_style
    return settings.wide_style if market.relative_spread >= settings.wide_spread else settings.normal_style
