"""A browser without JavaScript, as far as a simulated person needs one: pages, links, forms, images."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import lxml.html

from crowdloom.studies.errors import RehearsalError

Fields = dict[str, list[str]]
_TRIES = 5


class StoppedError(Exception):
    """The rehearsal was interrupted; whoever is under way goes no further."""


class Page:
    """A page as it came: its address, status and elements."""

    def __init__(self, response: httpx.Response) -> None:
        self.url = str(response.url)
        self.status = response.status_code
        self._root = lxml.html.document_fromstring(response.content)

    @property
    def path(self) -> str:
        """The address without host and query."""
        return urlsplit(self.url).path

    @property
    def heading(self) -> str:
        """What the page calls itself."""
        return " ".join("".join(self._root.xpath("//h1[1]//text()")).split())

    @property
    def says(self) -> str:
        """The text of the page."""
        return " ".join("".join(self._root.xpath("//main//text()")).split())

    def form(self, action: str) -> Form | None:
        """The form whose address ends with `action`, if the page has one."""
        for element in self._root.xpath("//form"):
            if urlsplit(element.get("action", "")).path.endswith(action):
                return Form(element, self)
        return None

    def follow(self) -> str | None:
        """Where the page's main link leads, if it has one."""
        links = self._root.xpath("//main//a[contains(concat(' ', @class, ' '), ' primary ')]/@href")
        return urljoin(self.url, links[0]) if links else None

    def image(self) -> str | None:
        """The address of the image to judge, as the page writes it."""
        images = self._root.xpath("//img[@data-stimulus]/@src")
        return str(images[0]) if images else None

    def pictures(self) -> list[str]:
        """The addresses of all pictures that the page shows, each once, as it writes them."""
        return list(dict.fromkeys(str(address) for address in self._root.xpath("//main//img/@src")))

    def receipt(self) -> str | None:
        """The completion code, if the page shows one."""
        codes = self._root.xpath("//*[@data-code]/text()")
        return str(codes[0]) if codes else None


class Form:
    """A form of a page."""

    def __init__(self, element: Any, page: Page) -> None:
        self.url = urljoin(page.url, element.get("action"))
        self._page = page
        self._controls = element.xpath(".//input | .//textarea | .//button")

    def offers(self, name: str) -> list[str]:
        """The values of the radio buttons or checkboxes of a field, in the page's order."""
        return [c.get("value", "on") for c in self._controls if c.get("name") == name and _is_choice(c)]

    def names(self) -> list[str]:
        """The fields, each once, in the page's order."""
        return list(dict.fromkeys(c.get("name") for c in self._controls if c.get("name")))

    def value(self, name: str) -> str:
        """What stands in a text or hidden field."""
        return next((_text(c) for c in self._controls if c.get("name") == name), "")

    def filled(self, values: Mapping[str, Sequence[str]], button: str | None = None) -> Fields:
        """What a browser posts once these values are chosen and typed; other fields stay as they came.

        `button` is the value of the button that is pressed, where it has a name. Raises
        RehearsalError for a field or a choice that the page does not offer.
        """
        posted: Fields = {}
        missing = {(name, value) for name, wanted in values.items() for value in wanted}
        for control in self._controls:
            name = control.get("name")
            if name is None:
                continue
            if control.tag == "button":
                chosen = [control.get("value")] if control.get("value") == button else []
            elif _is_choice(control):
                value = control.get("value", "on")
                on = value in values[name] if name in values else control.get("checked") is not None
                chosen = [value] if on else []
            else:
                chosen = list(values.get(name, [_text(control)]))
            missing -= {(name, value) for value in chosen}
            if chosen:
                posted.setdefault(name, []).extend(chosen)
        if missing:
            name, value = sorted(missing)[0]
            raise RehearsalError(f"the page “{self._page.heading}” has no way to answer {value!r} to {name!r}")
        return posted


def _is_choice(control: Any) -> bool:
    return control.tag == "input" and control.get("type") in ("radio", "checkbox")


def _text(control: Any) -> str:
    if control.tag == "textarea":
        return str(control.text or "").removeprefix("\n")
    return str(control.get("value", ""))


class Browser:
    """Asks one server for pages; shared by all people of a rehearsal, who have no cookies to tell them apart."""

    def __init__(self, address: str, connections: int) -> None:
        self.address = address
        self.requests = 0
        self.stopping = threading.Event()
        self._images: set[str] = set()
        self._client = httpx.Client(
            base_url=address,
            follow_redirects=True,
            timeout=60,
            trust_env=False,
            verify=False,  # noqa: S501 - plain HTTP to our own server; reading certificates takes a while
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=2),
        )

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def get(self, url: str) -> Page:
        """A page."""
        return Page(self._ask("GET", url))

    def post(self, url: str, fields: Fields) -> Page:
        """The page that comes after posting a form."""
        return Page(self._ask("POST", url, data=fields))

    def post_twice(self, url: str, fields: Fields) -> Page:
        """Post the same form twice at the same time, as a double click does."""
        pages: list[Page] = []

        def send_too() -> None:
            with suppress(RehearsalError, StoppedError):
                pages.append(self.post(url, fields))

        second = threading.Thread(target=send_too)
        second.start()
        page = self.post(url, fields)
        second.join()
        if [other.status for other in pages] != [page.status]:
            raise RehearsalError(f"sending the form of {url} twice at once was not answered in the same way twice")
        return page

    def ask_json(self, method: str, url: str, values: Any = None) -> tuple[int, dict[str, Any]]:
        """What an address that speaks JSON answers: the status and the values. `values` are posted, unless None."""
        options = {} if values is None else {"json": values}
        response = self._try(method, url, **options)
        try:
            said: dict[str, Any] = response.json()
        except ValueError as error:
            raise RehearsalError(f"{method} {url} was answered with {response.status_code} and no JSON") from error
        return response.status_code, said

    def look_at(self, url: str) -> None:
        """Fetch an image; once in a rehearsal, since its address stands for its content."""
        if url in self._images:
            return
        content = self._ask("GET", url).content
        if hashlib.sha256(content).hexdigest() != url.rsplit("/", 1)[-1]:
            raise RehearsalError(f"the image at {url} is not the one that its address names")
        self._images.add(url)

    def _ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        """One request for a page or what is on it. Raises RehearsalError where the server says that it is at fault."""
        response = self._try(method, url, **options)
        if response.status_code not in (200, 409, 422):
            page = Page(response)
            raise RehearsalError(f"{method} {url} was answered with {response.status_code}: {page.says}")
        return response

    def _try(self, method: str, url: str, **options: Any) -> httpx.Response:
        """One request; tried again where the server says so, or where a kept connection was just closed."""
        for attempt in range(1, _TRIES + 1):
            if self.stopping.is_set():
                raise StoppedError
            self.requests += 1
            try:
                response = self._client.request(method, url, **options)
            except httpx.TransportError as error:
                if attempt == _TRIES or self.stopping.is_set():
                    raise RehearsalError(f"{method} {url} got no answer: {error}") from error
                time.sleep(0.05 * attempt)
                continue
            if response.status_code != 503:
                break
            time.sleep(0.2 * attempt)
        return response
