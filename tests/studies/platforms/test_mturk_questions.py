"""The MTurk protocol's XML, both ways."""

from __future__ import annotations

import pytest
from lxml import etree

from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.platforms.mturk_questions import MOST_BYTES, external_question, html_question, read_answer

SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"


def test_a_page_elsewhere() -> None:
    """Its address survives XML, in the namespace that MTurk asks for."""
    root = etree.fromstring(external_question("https://lab.example/join/x?a=1&b=<2>", 700))
    assert root.tag == f"{{{SCHEMAS}/2006-07-14/ExternalQuestion.xsd}}ExternalQuestion"
    assert root.findtext("{*}ExternalURL") == "https://lab.example/join/x?a=1&b=<2>"
    assert root.findtext("{*}FrameHeight") == "700"


def test_a_page_of_its_own() -> None:
    """Every sign of it survives, even what would end the CDATA section."""
    page = "<!doctype html><p>a ]]> b &amp; ü 𝄞</p>"
    root = etree.fromstring(html_question(page, 0))
    assert root.tag == f"{{{SCHEMAS}/2011-11-11/HTMLQuestion.xsd}}HTMLQuestion"
    assert root.findtext("{*}HTMLContent") == page


def test_a_question_has_a_size() -> None:
    """Bytes count, not characters; the refusal says how many there are and what to do."""
    frame = len(html_question("", 0).encode())
    assert html_question("x" * (MOST_BYTES - frame), 0)
    with pytest.raises(PlatformRefusedError, match=r"65,536 bytes.*65,535.*--media s3://BUCKET"):
        html_question("x" * (MOST_BYTES - frame + 1), 0)
    with pytest.raises(PlatformRefusedError, match="bytes"):
        html_question("ü" * (MOST_BYTES // 2), 0)


def test_signs_that_xml_cannot_carry() -> None:
    """A control character is named before the marketplace stumbles over it."""
    with pytest.raises(PlatformRefusedError, match=r"'\\x0b'"):
        html_question("a\x0bb", 0)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_answers(count: int) -> None:
    """There may be none, one or many, each with its identifier, in MTurk's namespace."""
    body = "".join(
        f"<Answer><QuestionIdentifier>q{n}</QuestionIdentifier><FreeText>a &lt; {n}</FreeText></Answer>"
        for n in range(count)
    )
    namespace = f"{SCHEMAS}/2005-10-01/QuestionFormAnswers.xsd"
    xml = (
        f'<?xml version="1.0" encoding="ASCII"?>\n<QuestionFormAnswers xmlns="{namespace}">{body}</QuestionFormAnswers>'
    )
    assert read_answer(xml) == {f"q{n}": [f"a < {n}"] for n in range(count)}


def test_one_question_with_several_answers() -> None:
    """Their order is kept; an empty text is one; an uploaded file is none."""
    answer = "<Answer><QuestionIdentifier>q</QuestionIdentifier>{}</Answer>"
    parts = ("<FreeText>1</FreeText>", "<FreeText/>", "<UploadedFileKey>k</UploadedFileKey>")
    xml = f"<QuestionFormAnswers>{''.join(map(answer.format, parts))}</QuestionFormAnswers>"
    assert read_answer(xml) == {"q": ["1", ""]}


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "no xml",
        "<QuestionFormAnswers>",
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><QuestionFormAnswers><Answer><QuestionIdentifier>q'
        "</QuestionIdentifier><FreeText>&e;</FreeText></Answer></QuestionFormAnswers>",
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]><QuestionFormAnswers>&b;</QuestionFormAnswers>',
    ],
)
def test_what_is_no_answer(xml: str) -> None:
    """Broken documents and those with entities are refused in one sentence; no file is read."""
    with pytest.raises(PlatformRefusedError, match="the assignment's answer") as error:
        read_answer(xml)
    assert "root:" not in str(error.value)
