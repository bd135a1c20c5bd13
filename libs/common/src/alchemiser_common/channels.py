"""Where messages to people go: any service that the library apprise knows, or a file; each a URL that is a secret.

A channel that fails is named by its kind and place in the list, never by its URL, and is reported through the others.
Nothing here raises for a channel: who trades must not notice.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from alchemiser_common.masking import mask_from_now_on, masked
from alchemiser_common.messages.notice import Notice, Urgency
from alchemiser_common.private_files import make_private_file

URLS = "APPRISE_URLS"
"""As apprise's own command reads it: separated by spaces."""
HEARTBEAT = "HEARTBEAT_URL"
"""Called after each cycle that was due, so that an outside monitor speaks when everything here is silent."""
FILE = "file"
"""file:///path: appended there. No service of apprise's."""
_SECONDS = 10.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message."""

    channels: int
    failed: tuple[str, ...]
    """A sentence for each channel that did not take it."""


class Channels:
    """The channels of one person or team."""

    def __init__(self, urls: Sequence[SecretStr], heartbeat: SecretStr | None = None) -> None:
        self._urls = tuple(urls)
        self._heartbeat = heartbeat

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Channels":
        """Those that the environment or .env names; their URLs are masked in all output from now on."""
        urls = variables.get(URLS, "").split()
        heartbeat = variables.get(HEARTBEAT, "").strip()
        for secret in (*urls, heartbeat):
            mask_from_now_on(secret)
        return cls([SecretStr(url) for url in urls], SecretStr(heartbeat) if heartbeat else None)

    @property
    def names(self) -> tuple[str, ...]:
        """Each channel's kind and place, for a person."""
        return tuple(_named(number, url) for number, url in enumerate(self._urls, 1))

    @property
    def has_heartbeat(self) -> bool:
        """Whether an outside monitor is told of each cycle."""
        return self._heartbeat is not None

    def send(self, notice: Notice) -> Sent:
        """Send to every channel. A failing one is told of through the others, once."""
        failed = self._sent(notice)
        if failed and len(failed) < len(self._urls):
            said = Notice("a channel does not take messages", "\n".join(failed.values()), Urgency.WARNING)
            self._sent(said, without=failed)
        return Sent(len(self._urls), tuple(failed.values()))

    def _sent(self, notice: Notice, without: Collection[int] = ()) -> dict[int, str]:
        """Why not, by place, for each that did not take it."""
        failed: dict[int, str] = {}
        for number, url in enumerate(self._urls, 1):
            if number in without:
                continue
            if (why := _delivered(url.get_secret_value(), notice)) is not None:
                failed[number] = f"channel {_named(number, url)} {why}"
                _log.warning("a message was not taken", extra={"reason": failed[number]})
        return failed

    def beat(self) -> str | None:
        """Tell the outside monitor that a due cycle has been; why not, if it did not take it."""
        if self._heartbeat is None:
            return None
        import requests

        try:
            answer = requests.get(self._heartbeat.get_secret_value(), timeout=_SECONDS)
        except requests.RequestException as error:
            return f"the heartbeat was not taken: {type(error).__name__}"
        return None if answer.ok else f"the heartbeat was not taken: it was answered {answer.status_code}"


def _named(number: int, url: SecretStr) -> str:
    scheme, found, _ = url.get_secret_value().partition("://")
    return f"{number} ({scheme if found and scheme.isalnum() else 'no URL'})"


def _delivered(url: str, notice: Notice) -> str | None:
    """None if the channel took it, or why it did not. The library's own log would show the URL's parts: it is off."""
    scheme, _, rest = url.partition("://")
    if scheme == FILE:
        return _appended(Path(rest), notice)
    import apprise

    logging.getLogger("apprise").disabled = True
    try:
        channel = apprise.Apprise()
        if not channel.add(url):
            return "has a URL that is none of apprise's"
        taken = channel.notify(
            title=masked(notice.title),
            body=masked(notice.body),
            notify_type=apprise.NotifyType(notice.urgency.value),
        )
    except Exception as error:  # noqa: BLE001  (a hundred services' code: none of it may reach who trades)
        return f"failed: {type(error).__name__}"
    return None if taken else "did not take the message"


def _appended(file: Path, notice: Notice) -> str | None:
    try:
        make_private_file(file)
        with file.open("a", encoding="utf-8") as log:
            log.write(masked(f"{notice.title}\n{notice.body}\n\n"))
    except OSError as error:
        return f"cannot be written: {error.strerror}"
    return None
