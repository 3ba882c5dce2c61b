"""Prolific's API over HTTP: one request, its errors as ours, waiting where it is asked too often, pages of a list.

What may be sent twice is said by each call (`repeat`); all else is sent once, on a connection of its own, since
one that the service has just closed would leave nobody knowing whether the request was read. The token stands in
a header only: no redirect is followed, no link to another host is taken, and it is cut out of what errors repeat.
"""

from __future__ import annotations

import email.utils
import json
import ssl
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx

from crowdloom.studies.errors import CredentialsError, PlatformError, PlatformRefusedError, PlatformUnsureError

BASE = "/api/v1/"
PAGE = 100
"""Rows that are asked for at once."""
ATTEMPTS = 5
"""How often a call that may be repeated, or that was refused as one too many, is sent in all."""
LONGEST_WAIT = 60.0
"""Seconds: longer than this between two attempts nobody waits, whatever the service says."""

T = TypeVar("T")

_LONGEST = 500  # characters of the vendor's words that ours repeat
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class NotFoundError(PlatformRefusedError):
    """What was asked for does not exist there."""


@lru_cache(maxsize=1)
def certificates() -> ssl.SSLContext:
    """Whom we trust: read once, as that takes longer than a call."""
    return httpx.create_ssl_context()


@dataclass(frozen=True)
class Answer:
    """What came back: `status` is 0 where nothing did, and `lost` then says why."""

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: str | None = None
    sent: bool = True


class Api:
    """Prolific's API at `origin`, for the owner of `token`.

    Every call raises PlatformRefusedError (nothing changed), PlatformUnsureError (nobody can know; also a question
    that was not answered) or CredentialsError, with Prolific's own error code as `code`.
    """

    def __init__(
        self, origin: str, token: str, *, pause: Callable[[float], None] = time.sleep, timeout: float = 30.0
    ) -> None:
        self.origin = origin
        self._token = token
        self._pause = pause
        self._timeout = timeout  # seconds
        self._client = self._open()
        weakref.finalize(self, self._client.close)

    def get(self, path: str, doing: str, **query: str | int) -> Any:
        """Ask for something; `doing` ends the sentence "Prolific refused to …"."""
        return self.call("GET", path, doing, query=query, repeat=True).data

    def pages(self, path: str, doing: str, **query: str | int) -> Iterator[dict[str, Any]]:
        """The rows of a list, page by page; a page past the end is the end."""
        asked: set[str] = set()
        values: Mapping[str, str | int] = query
        while True:
            try:
                page = self.call("GET", path, doing, query=values, repeat=True).data
            except NotFoundError:
                if not asked:
                    raise
                return
            yield from rows(page, doing)
            href = _next(page)
            if href is None or href in asked:
                return
            asked.add(href)
            path, values = self._follow(href, doing)

    def call(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        repeat: bool = False,
        once: bool = False,
    ) -> Answer:
        """Send a request. `repeat`: doing it twice is doing it once. `once`: not even a refusal is tried again."""
        lost: str | None = None
        for attempt in range(1 if once else ATTEMPTS):
            answer = self._attempt(method, path, query, body, fresh=not repeat)
            last = once or attempt == ATTEMPTS - 1
            if answer.status == httpx.codes.TOO_MANY_REQUESTS:
                if not last:
                    self._pause(_wait(answer.headers, attempt))
                    continue
            elif answer.lost is not None or answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
                if answer.sent or method == "GET":
                    lost = answer.lost or f"status {answer.status}"
                if repeat and not last:
                    self._pause(_wait(answer.headers, attempt))
                    continue
            elif answer.status < httpx.codes.MULTIPLE_CHOICES:
                return answer
            break
        raise self._error(answer, doing, lost)

    def _attempt(
        self, method: str, path: str, query: Mapping[str, str | int] | None, body: Any, *, fresh: bool
    ) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        client = self._open() if fresh else self._client
        try:
            response = client.request(method, BASE + path, params=query or None, content=content)
        except httpx.HTTPError as error:
            # Only its kind: the error itself carries the request, and with it the token.
            return Answer(0, lost=type(error).__name__, sent=not isinstance(error, _UNSENT))
        finally:
            if fresh:
                client.close()
        try:
            data = response.json()
        except ValueError:
            data = None  # the status says what was done; who needs more asks for it by `part`
        return Answer(response.status_code, data, response.headers)

    def _open(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.origin,
            headers={"Authorization": f"Token {self._token}", "Content-Type": "application/json"},
            timeout=self._timeout,
            verify=certificates(),
            follow_redirects=False,
        )

    def _follow(self, href: str, doing: str) -> tuple[str, dict[str, str | int]]:
        parts, own = urlsplit(href), urlsplit(self.origin)
        if (parts.netloc and parts.netloc.lower() != own.netloc.lower()) or not parts.path.startswith(BASE):
            raise PlatformUnsureError(f"Prolific's answer to {doing} leads to another service, which is not followed")
        return parts.path.removeprefix(BASE), dict(parse_qsl(parts.query))

    def _error(self, answer: Answer, doing: str, lost: str | None) -> PlatformError:
        code, words = _words(answer.data)
        said = f": {words.replace(self._token, '…')[:_LONGEST]}" if words else ""
        if lost is not None:
            return PlatformUnsureError(
                f"Prolific failed to {doing} ({lost}){said}; nobody can know whether it was done", code=code
            )
        if not answer.sent:
            return PlatformRefusedError(
                f"Prolific could not be reached to {doing} ({answer.lost}); nothing was sent to {self.origin}"
            )
        if answer.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return CredentialsError(
                f"Prolific does not accept the token in PROLIFIC_TOKEN to {doing}{said}",
                code=code or str(answer.status),
            )
        if answer.status == httpx.codes.TOO_MANY_REQUESTS:
            return PlatformRefusedError(
                f"Prolific is asked too often and did not {doing}; try again in a minute", code=code or "429"
            )
        kind = NotFoundError if answer.status == httpx.codes.NOT_FOUND else PlatformRefusedError
        return kind(f"Prolific refused to {doing}{said or f': status {answer.status}'}", code=code)


def look(ask: Callable[[], T]) -> T | None:
    """What can be found out after an error; None where that fails too, so that the first error is the one to tell."""
    try:
        return ask()
    except PlatformError:
        return None


def part(data: Any, name: str, doing: str) -> Any:
    """A field of an answer. Raises PlatformUnsureError where it is missing."""
    if not isinstance(data, dict) or name not in data:
        raise PlatformUnsureError(f"Prolific answered without {name} when asked to {doing}; look there what was done")
    return data[name]


def rows(data: Any, doing: str) -> list[dict[str, Any]]:
    """The rows of a list's answer. Raises PlatformUnsureError where there are none to be found."""
    found = part(data, "results", doing)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise PlatformUnsureError(f"Prolific answered with something that is no list when asked to {doing}")
    return found


def _next(page: Any) -> str | None:
    links = page.get("_links") if isinstance(page, dict) else None
    following = links.get("next") if isinstance(links, dict) else None
    href = following.get("href") if isinstance(following, dict) else None
    return href if isinstance(href, str) and href else None


def _wait(headers: Mapping[str, str], attempt: int) -> float:
    """Seconds until the next attempt: as the service says, else twice as long each time."""
    given = headers.get("Retry-After", "")
    seconds = 0.5 * float(2**attempt)
    if given.isdecimal():
        seconds = float(given)
    elif given:
        parsed = email.utils.parsedate_tz(given)
        if parsed is not None:
            seconds = email.utils.mktime_tz(parsed) - datetime.now(UTC).timestamp()
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _words(data: Any) -> tuple[str | None, str]:
    """The vendor's error code and words; the error comes wrapped in `error`, or bare."""
    inner = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(inner, dict):
        return None, inner if isinstance(inner, str) else ""
    code = inner.get("error_code")
    said = [inner.get("title"), _flat(inner.get("detail")), inner.get("additional_information")]
    return None if code is None else str(code), " — ".join(" ".join(str(text).split()) for text in said if text)


def _flat(detail: Any) -> str:
    """A detail as one line: a text, several, or several for each field.

    >>> _flat({"reward": ["too low", "no number"], "name": "missing"})
    'reward: too low; no number; name: missing'
    """
    if isinstance(detail, dict):
        return "; ".join(f"{name}: {_flat(value)}" for name, value in detail.items())
    if isinstance(detail, list):
        return "; ".join(_flat(value) for value in detail)
    return "" if detail is None else str(detail)
