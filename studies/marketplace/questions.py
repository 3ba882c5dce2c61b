"""What a HIT shows: an ExternalQuestion or an HTMLQuestion, parsed without trusting it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from crowdloom.studies.marketplace.errors import RequestError

SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/"
_EXTERNAL = f"{{{SCHEMAS}2006-07-14/ExternalQuestion.xsd}}"
_HTML = f"{{{SCHEMAS}2011-11-11/HTMLQuestion.xsd}}"
_FORM = "{http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/"
_LARGEST = 65_535


@dataclass(frozen=True)
class Question:
    """A page elsewhere (`url`) or a page of its own (`html`), and how high its frame is; 0 is automatic."""

    height: int
    url: str | None = None
    html: str | None = None


def read_question(xml: str) -> Question:
    """Parse a Question. Raises RequestError for one that is too large, not well formed, or of no kind that we show."""
    if len(xml.encode()) > _LARGEST:
        raise RequestError(f"Question is larger than {_LARGEST} bytes.", "ParameterValidationError")
    try:
        # Entities stay as they are and nothing is fetched: a question is somebody else's text.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _malformed(str(error)) from error
    if root.getroottree().docinfo.doctype:
        raise _malformed("a document type is not allowed")
    if root.tag == f"{_EXTERNAL}ExternalQuestion":
        values = _children(root, _EXTERNAL, ("ExternalURL", "FrameHeight"))
        return Question(_height(values["FrameHeight"]), url=_address(values["ExternalURL"].strip()))
    if root.tag == f"{_HTML}HTMLQuestion":
        values = _children(root, _HTML, ("HTMLContent", "FrameHeight"))
        if not values["HTMLContent"].strip():
            raise _malformed("HTMLContent is empty")
        return Question(_height(values["FrameHeight"]), html=values["HTMLContent"])
    if root.tag.startswith(_FORM) and root.tag.endswith("}QuestionForm"):
        raise RequestError(
            "This marketplace does not show QuestionForm; use an ExternalQuestion or an HTMLQuestion.",
            "ParameterValidationError",
        )
    raise _malformed(f"the root element {root.tag} is neither ExternalQuestion nor HTMLQuestion with its namespace")


def _children(root: etree._Element, namespace: str, names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for child in root.iterchildren(tag=etree.Element):
        name = child.tag.removeprefix(namespace)
        if name not in names or name in found or len(child):
            raise _malformed(f"element {child.tag} is not expected here")
        found[name] = "".join(child.itertext())
    for name in names:
        if name not in found:
            raise _malformed(f"element {name} is missing")
    return found


def _height(text: str) -> int:
    try:
        height = int(text)
    except ValueError as error:
        raise _malformed(f"FrameHeight {text!r} is not a number") from error
    if not 0 <= height <= 100_000:
        raise _malformed(f"FrameHeight {height} is not between 0 and 100000")
    return height


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good = False
    if not is_good or any(sign.isspace() for sign in url):
        raise _malformed(f"ExternalURL {url!r} is not an address")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise _malformed(f"ExternalURL {url!r} must begin with https:// (http:// is for this machine only)")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's own."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _malformed(reason: str) -> RequestError:
    return RequestError(
        "There was an error parsing the XML question or answer data in your request. Please make sure the data is "
        f"well-formed and validates against the appropriate schema. Details: {reason}",
        "XMLParseError",
    )
