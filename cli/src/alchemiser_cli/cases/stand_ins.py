"""What stands in for ids, names and secrets: the same text gets the same one, wherever in the case it is met.

A stand-in is a number in the order of appearance, never a digest: an alias or a person's name has so few possibilities
that whoever has its digest has it.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from alchemiser_cli.report.redaction import without_secrets
from alchemiser_common.json_value import Json
from alchemiser_common.masking import masked

_PROSE = frozenset({"reason", "detail", "notes", "why", "monolith", "modular"})
"""Fields that are written for a person, in whose text anything may be named."""
_NUMBERED = {"account_id": "account", "order_id": "order"}
"""Fields that hold an id of the broker's, whatever it looks like."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PATTERNS = (
    ("arn", re.compile(r"arn:aws[\w-]*:[\w:/.*-]+")),
    ("mail", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")),
    ("aws-account", re.compile(r"(?<![\d.])\d{12}(?!\d|\.\d)")),
    ("order", re.compile(r"alc-[A-Z0-9]*-[bs]\d+-\d+-[0-9a-f]{20}")),
    ("id", _UUID),
)


@dataclass
class StandIns:
    """Originals with what stands for them. `ids` stand wherever they are met, `names` only as words of a sentence.

    A typed field (a symbol, a pipeline, a strategy) may be spelt like a name and is not one.
    """

    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def put(self, original: str, stand_in: str) -> None:
        """From now on `stand_in` stands for an id."""
        self.ids[original] = stand_in

    def number(self, kind: str, original: str) -> str:
        """The stand-in of an id, numbered within its kind if it is new. A UUID gets one of its own form."""
        if original not in self.ids:
            self._counts[kind] += 1
            count = self._counts[kind]
            plain = f"{kind}-{count}"
            self.ids[original] = _numbered_uuid(kind, count) if _UUID.fullmatch(original) else plain
        return self.ids[original]

    def put_names(self, kind: str, originals: Collection[str]) -> None:
        """Each a name that may be met in a sentence."""
        for original in originals:
            self.names.setdefault(original, f"{kind}-{len(self.names) + 1}")

    def replaced(self, value: Json, name: str = "") -> Json:
        """A JSON value without any original; `name` is the field that it is in."""
        match value:
            case dict():
                return {key: self.replaced(item, key) for key, item in value.items()}
            case list():
                return [self.replaced(item, name) for item in value]
            case str():
                return self._text(value, name)
        return value

    def _text(self, text: str, name: str) -> str:
        if not text or text in self.ids:
            return self.ids.get(text, text)
        if name in _NUMBERED:
            return self.number(_NUMBERED[name], text)
        return self.prose(text) if name in _PROSE else text

    # In one pass: what was put in must not be taken for an original again. Longer originals first, one may be the
    # beginning of another.
    def prose(self, text: str) -> str:
        """A sentence without originals, secrets and folders."""
        known = [re.escape(original) for original in sorted(self.ids, key=lambda text: (-len(text), text))]
        words = [rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in sorted(self.names, key=lambda text: -len(text))]
        patterns = [pattern.pattern for _, pattern in _PATTERNS]
        whole = re.compile("|".join((*known, *words, *patterns)))
        return whole.sub(lambda found: self._of(found[0]), without_secrets(masked(text)))

    def _of(self, original: str) -> str:
        if original in self.ids:
            return self.ids[original]
        if original in self.names:
            return self.names[original]
        kind = next(kind for kind, pattern in _PATTERNS if pattern.fullmatch(original))
        return self.number(kind, original)


def _numbered_uuid(kind: str, count: int) -> str:
    kinds = ("account", "order", "id")
    return f"00000000-0000-4000-8{kinds.index(kind):03d}-{count:012d}"
