"""Text from data as a page may show it: without keys, absolute paths or characters that change how it reads."""

import re
import unicodedata

LONGEST = 600
HIDDEN = "\N{BULLET}" * 3

_NAMED_SECRET = re.compile(
    r"(?i)\b([\w.-]*(?:secret|token|password|passwd|api[_-]?key|key[_-]?id|access[_-]?key)[\w.-]*)(\s*[=:]\s*)(\S+)"
)
_KEY_ID = re.compile(r"\b(?:PK|AK|CK|AKIA|ASIA)[A-Z0-9]{14,30}\b")
_LONG_SECRET = re.compile(
    r"(?<![A-Za-z0-9+/])(?=[A-Za-z0-9+/]*[a-z])(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z+/]*\d)[A-Za-z0-9+/]{36,}={0,2}"
)
_PATH = re.compile(
    r"(?:(?<![\w:/.<])|(?<=file:)|(?<=file://))(?:~|[A-Za-z]:(?=[\\/]))?[\\/]+(?:[^\\/\s\"'<>|]+[\\/]+)+([^\\/\s\"'<>|]*)"
)


def public_text(text: str) -> str:
    """`text` on one line, secrets dotted out, paths cut to their last part; beyond 600 characters cut between words.

    Control characters, lone surrogates and marks that turn the reading direction become a replacement character.
    """
    one_line = " ".join(text.split())
    plain = "".join("\N{REPLACEMENT CHARACTER}" if _misleading(character) else character for character in one_line)
    plain = without_secrets(plain)
    return plain if len(plain) <= LONGEST else _cut(plain)


def _cut(text: str) -> str:
    """As much as may be shown, without half a word unless one word is too long by itself."""
    room = text[:LONGEST]
    return (room[: room.rfind(" ") + 1] or room[:-1]).rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def without_secrets(text: str) -> str:
    """`text` with what looks like a secret dotted out, and paths cut to their last part."""
    plain = _NAMED_SECRET.sub(lambda found: f"{found[1]}{found[2]}{HIDDEN}", text)
    plain = _KEY_ID.sub(HIDDEN, plain)
    plain = _PATH.sub(lambda found: found[1] or HIDDEN, plain)
    return _LONG_SECRET.sub(HIDDEN, plain)


def _misleading(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Cs", "Co", "Cn"} or (
        category == "Cf" and unicodedata.bidirectional(character) not in {"BN", "ON", "L"}
    )
