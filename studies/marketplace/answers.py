"""A worker's answers as the QuestionFormAnswers document that requesters get."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

NAMESPACE = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2005-10-01/QuestionFormAnswers.xsd"

# What XML 1.0 cannot hold, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_xml(fields: Iterable[tuple[str, str]]) -> str:
    """The document for form fields in the order sent; those of one name are one Answer, joined by `|` as MTurk does."""
    joined: dict[str, list[str]] = {}
    for name, value in fields:
        joined.setdefault(_clean(name), []).append(_clean(value))
    root = etree.Element("QuestionFormAnswers", nsmap={None: NAMESPACE})
    for name, values in joined.items():
        answer = etree.SubElement(root, "Answer")
        etree.SubElement(answer, "QuestionIdentifier").text = name
        etree.SubElement(answer, "FreeText").text = "|".join(values)
    written: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written.decode()


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
