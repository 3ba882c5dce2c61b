"""Origins of web pages (scheme, host, port), and which of them are the same.

An address that a browser is sent to is compared as a whole with those that are allowed: no path, no user
name, no sign beyond plain ASCII, in which `https://good.example@evil.example` and its kin hide.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ORIGIN = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::([0-9]{1,5}))?",
    re.ASCII | re.IGNORECASE,
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """An origin, in lower case; its port is always given."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As browsers write it, without the port that the scheme has anyway."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


def read_origin(written: str) -> Origin | None:
    """The origin that is written, or None for anything that is more or less than one.

    >>> str(read_origin("HTTPS://Www.MTurk.com:443"))
    'https://www.mturk.com'
    >>> read_origin("https://www.mturk.com@evil.example")
    """
    match = _ORIGIN.fullmatch(written)
    if match is None:
        return None
    scheme, host = match[1].lower(), match[2].lower()
    port = int(match[3]) if match[3] else _PORTS[scheme]
    return Origin(scheme, host, port) if 0 < port < 65_536 else None


def is_same_origin(one: Origin, other: Origin) -> bool:
    """Whether they are the same; the names of this very machine count as one.

    >>> is_same_origin(read_origin("http://localhost:8001"), read_origin("http://127.0.0.1:8001"))
    True
    """
    hosts_agree = one.host == other.host or {one.host, other.host} <= set(_LOOPBACK)
    return one.scheme == other.scheme and one.port == other.port and hosts_agree


def spellings(written: str) -> list[str]:
    """The names under which a browser may know an origin; a policy's source list takes no IPv6 address."""
    origin = read_origin(written)
    if origin is None:
        return []
    hosts = [host for host in _LOOPBACK if ":" not in host] if origin.host in _LOOPBACK else [origin.host]
    return [str(origin._replace(host=host)) for host in hosts]
