"""One gain, as text and as JSON: the same wherever it is shown."""

from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from alchemiser_readmodel.performance import Gain


def gain_text(gain: "Gain", *, since: bool = True) -> Text:
    """Profit with its return, transfers named; the sign is in the text, too."""
    style = "green" if gain.profit > 0 else "red" if gain.profit < 0 else ""
    fraction = "" if gain.fraction is None else f" ({float(gain.fraction):+.2%})"
    moved = f", {gain.transferred:+,.2f} transferred" if gain.transferred else ""
    return Text.assemble((f"{gain.profit:+,.2f} USD{fraction}", style), f" since {gain.since}" if since else "", moved)


def gain_json(gain: "Gain") -> dict[str, object]:
    """One gain for `--json`."""
    return {
        "since": gain.since.isoformat(),
        "until": gain.until.isoformat(),
        "profit": str(gain.profit),
        "return": None if gain.fraction is None else float(gain.fraction),
        "transferred": str(gain.transferred),
    }
