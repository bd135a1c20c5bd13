"""LegReason: why a leg came to less than was wanted, one word for each cause, the same in plan, report and status."""

from enum import StrEnum


class LegReason(StrEnum):
    """Why a wanted trade was cut, skipped or not finished; the text beside it in a record has the figures."""

    OTHER = "other"
    """One that this version does not know: a later minor wrote it."""

    # Of the plan.
    LESS_THAN_ONE_SHARE = "less_than_one_share"
    """The broker trades whole shares of it only, and one is more than is wanted."""
    PART_OF_A_SHARE_STAYS = "part_of_a_share_stays"
    """The broker trades whole shares of it only, and a part of one is held."""
    SMALL_TRADE = "small_trade"
    """Under `trading.min_trade_value` or `trading.min_trade_share`."""
    DUST = "dust"
    """Under the smallest order that the broker takes, a dollar, exits too."""
    CASH_SHORT = "cash_short"
    """Cash, proceeds of sells and buying power do not cover it."""
    UNTRADABLE = "untradable"
    """The broker does not trade it."""
    UNKNOWN_SYMBOL = "unknown_symbol"
    """The broker does not know it."""
    NOT_AVAILABLE = "not_available"
    """Held, but not available for sale: other orders hold it."""
    OTHER_HOLDING = "other_holding"
    """Held in a form that is not managed: short, without a price, unreadable, listed twice."""
    NO_PRICE = "no_price"
    """No fresh price, or none that a second source confirms."""
    PRICES_DISAGREE = "prices_disagree"
    """Two sources name prices too far apart."""
    LIMIT_ORDERS = "limit_orders"
    """`trading.max_orders`."""
    LIMIT_TURNOVER = "limit_turnover"
    """`trading.max_turnover`."""
    LIMIT_SYMBOL_WEIGHT = "limit_symbol_weight"
    """`trading.max_symbol_weight`."""
    LIMIT_DAILY_LOSS = "limit_daily_loss"
    """`trading.max_daily_loss`, or the day's result cannot be told."""

    # Of the orders.
    STOPPED = "stopped"
    """A person's switch, the deadline or a finding about the account stopped the run."""
    NOT_IN_TIME = "not_in_time"
    """Its order was not filled, or not to the end, before the deadline or the close."""
    NO_ANSWER = "no_answer"
    """Whether its order is at the broker is not known."""
    CONTRADICTION = "contradiction"
    """The broker's reports of its orders contradict each other: the symbol was left alone."""
    BROKER_REFUSED = "broker_refused"
    """The broker refused its order."""
    BROKER_ENDED = "broker_ended"
    """The broker ended its order."""

    @classmethod
    def _missing_(cls, value: object) -> "LegReason | None":
        """An older reader of a later minor's record knows that there was a reason."""
        return cls.OTHER if isinstance(value, str) else None

    @property
    def by_limit(self) -> bool:
        """Whether a limit of `trading` cut or dropped what would have added risk."""
        return self in _BY_LIMIT

    @property
    def by_broker(self) -> bool:
        """Whether the broker does not take what would be ordered."""
        return self in _BY_BROKER


_BY_LIMIT = frozenset(
    {
        LegReason.LIMIT_ORDERS,
        LegReason.LIMIT_TURNOVER,
        LegReason.LIMIT_SYMBOL_WEIGHT,
        LegReason.LIMIT_DAILY_LOSS,
    }
)
_BY_BROKER = frozenset(
    {LegReason.UNTRADABLE, LegReason.UNKNOWN_SYMBOL, LegReason.NOT_AVAILABLE, LegReason.BROKER_REFUSED}
)
