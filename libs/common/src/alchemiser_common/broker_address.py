"""Which addresses a broker's key may be sent to. A key travels in a header of every request."""

import ipaddress
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator


def _address(url: str) -> str:
    """The URL if it is a plain one. Raises ValueError, which never shows a user or password in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is no URL; give https://HOST[:PORT]") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("is no URL; give https://HOST[:PORT]")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("is more than an address; give https://HOST[:PORT] without user, password, ? and #")
    return url


BrokerAddress = Annotated[str, AfterValidator(_address)]
"""An http or https URL of a host, without anything in it that could be a secret."""


def check_secrecy(name: str, url: str, *, simulated: bool) -> None:
    """Refuse http where others could read the key on its way. Raises ValueError naming the setting.

    Allowed are this machine and, for the simulator, which takes any key, a private network: a container's name or
    private address.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or _loopback(parts) or (simulated and _private(parts)):
        return
    where = "this machine or, for the simulator, a private network" if simulated else "this machine"
    raise ValueError(
        f"{name} is http://{parts.hostname}: the key would travel readable by others; give https://, or {where}"
    )


def _loopback(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _private(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host
