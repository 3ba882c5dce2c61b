"""The XML of the MTurk protocol: questions that we send, answers that come back."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from lxml import etree

from crowdloom.studies.errors import PlatformRefusedError

MOST_BYTES = 65_535
"""Of a question, its XML included."""

_SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
_IN_NO_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def external_question(url: str, frame_height: int) -> str:
    """An ExternalQuestion: the marketplace shows our page in its frame, `frame_height` pixels high (0: as it likes).

    >>> external_question("https://lab.example/?a=1&b=2", 0).split("<ExternalURL>")[1]
    'https://lab.example/?a=1&amp;b=2</ExternalURL><FrameHeight>0</FrameHeight></ExternalQuestion>'
    """
    return _checked(
        f'<ExternalQuestion xmlns="{_SCHEMAS}/2006-07-14/ExternalQuestion.xsd">'
        f"<ExternalURL>{escape(url)}</ExternalURL><FrameHeight>{frame_height}</FrameHeight></ExternalQuestion>"
    )


def html_question(html: str, frame_height: int) -> str:
    """An HTMLQuestion: the marketplace keeps the page itself.

    Raises PlatformRefusedError for one that is too large, or that has characters which XML cannot carry.
    """
    inside = html.replace("]]>", "]]]]><![CDATA[>")
    return _checked(
        f'<HTMLQuestion xmlns="{_SCHEMAS}/2011-11-11/HTMLQuestion.xsd">'
        f"<HTMLContent><![CDATA[{inside}]]></HTMLContent><FrameHeight>{frame_height}</FrameHeight></HTMLQuestion>"
    )


def _checked(question: str) -> str:
    if found := _IN_NO_XML.search(question):
        raise PlatformRefusedError(
            f"the question has the control character {found[0]!r}, which MTurk's XML cannot carry; "
            "take it out of the design's texts"
        )
    if (size := len(question.encode())) > MOST_BYTES:
        raise PlatformRefusedError(
            f"the question has {size:,} bytes, and MTurk takes at most {MOST_BYTES:,}; host its images on S3 "
            "(crowdloom load … --media s3://BUCKET), or make the batches smaller"
        )
    return question


def read_answer(xml: str) -> dict[str, list[str]]:
    """What a QuestionFormAnswers document holds: by question, the texts of its answers, in their order.

    There may be no Answer, one, or many, in any namespace; entities are not resolved and nothing is
    fetched. Raises PlatformRefusedError for what is no such document.

    >>> read_answer("<QuestionFormAnswers><Answer><QuestionIdentifier>a</QuestionIdentifier>"
    ...             "<FreeText>x</FreeText></Answer></QuestionFormAnswers>")
    {'a': ['x']}
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise PlatformRefusedError(
            f"the assignment's answer is not well-formed XML ({error}); look at it on the marketplace"
        ) from error
    if root.getroottree().docinfo.doctype:
        raise PlatformRefusedError("the assignment's answer has a document type, which MTurk's never has")
    answers: dict[str, list[str]] = {}
    for answer in root.iterfind("{*}Answer"):
        name = answer.findtext("{*}QuestionIdentifier")
        if name is None:
            continue
        values = answers.setdefault(name.strip(), [])
        for part in answer:
            # Selections of a QuestionForm; a file that was uploaded is a key, not an answer.
            if etree.QName(part).localname in ("FreeText", "SelectionIdentifier", "OtherSelectionText"):
                values.append(part.text or "")
    return answers
