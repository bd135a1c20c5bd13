"""The prices of both pipelines' orders of one cycle, for a terminal and as JSON. Pure: values in, renderables out."""

from collections.abc import Iterator
from decimal import Decimal

from rich.console import RenderableType
from rich.text import Text

from alchemiser_cli import formats
from alchemiser_cli.console import plain_table
from alchemiser_common.ids import Pipeline
from alchemiser_readmodel.prices_beside import Execution, prices_beside


def prices_lines(monolith: Execution, modular: Execution) -> Iterator[RenderableType]:
    """A table, and under it which side's orders nobody sent; nothing if neither side has filled anything."""
    found = prices_beside(monolith, modular)
    sides = ((Pipeline.MONOLITH, monolith), (Pipeline.MODULAR, modular))
    if found:
        heads = [f"{pipeline.value}{' (simulated)' if side.simulated else ''}" for pipeline, side in sides]
        table = plain_table("prices", "side", *heads, "modular worse by", least=("side",))
        for item in found:
            prices = (formats.price(item.monolith), formats.price(item.modular))
            table.add_row(item.symbol, item.side.value, *prices, formats.slippage(item.modular_worse_bps))
        yield table
    for pipeline, side in sides:
        if side.began is not None:
            why = f"; {side.reason}" if side.reason else ""
            at = formats.moment(side.began)
            yield Text(f"{pipeline.value}: simulated on quotes from {at} on, nothing of it was sent{why}", style="dim")


def prices_json(monolith: Execution, modular: Execution) -> dict[str, object]:
    """The same: prices in USD, the difference in basis points, None where a side has none."""
    return {
        "simulated": [
            pipeline.value
            for pipeline, side in ((Pipeline.MONOLITH, monolith), (Pipeline.MODULAR, modular))
            if side.simulated
        ],
        "symbols": [
            {
                "symbol": item.symbol,
                "side": item.side.value,
                "monolith": _text(item.monolith),
                "modular": _text(item.modular),
                "modular_worse_bps": None if item.modular_worse_bps is None else float(item.modular_worse_bps),
            }
            for item in prices_beside(monolith, modular)
        ],
    }


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)
