"""How finely shares are counted. Quantities in shares."""

from decimal import Decimal

ORDER_STEP = Decimal("0.000001")
"""The smallest difference of quantities that the broker takes in an order of a fractionable asset."""
WHOLE_SHARE = Decimal(1)
"""The same of any other asset."""
REPORTED_STEP = Decimal("0.000000001")
"""The finest quantity that the broker reports, of fills and positions."""
