"""The one filter between a loaded secret and what leaves the process: error texts, log lines, the terminal.

A secret is registered where it is loaded (`ports.secrets.checked_key`). From then on every error of this project reads
masked, which covers reports and records, and the log's formatter and the command line mask what they print, which
covers texts of libraries and servers that echo what they were sent.
"""

from urllib.parse import quote

MASK = "…masked…"
SHORTEST = 8
"""A shorter one is no key of a broker, and would mask parts of ordinary words."""
_known: list[str] = []
"""Of this process, every spelling of each, the longest first: one may be the beginning of another."""


def mask_from_now_on(secret: str) -> None:
    """Register a secret that this process has loaded."""
    if len(secret) >= SHORTEST:
        _known[:] = sorted({*_known, secret, quote(secret, safe="")}, key=lambda text: (-len(text), text))


def masked(text: str) -> str:
    """The text without any registered secret."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, MASK)
    return text
