"""A message to a person: plain text, and how urgent it is."""

from dataclasses import dataclass
from enum import StrEnum


class Urgency(StrEnum):
    """How a message is marked, where the channel can."""

    INFO = "info"
    WARNING = "warning"
    """Something needs a hand; the run itself went well, or came to less."""
    FAILURE = "failure"
    """The run failed or was stopped."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to a person."""

    title: str
    body: str
    urgency: Urgency = Urgency.INFO
