"""Further pictures in the self-contained question: their addresses, and what fits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import html as lxml_html
from PIL import Image
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.participation import ItemView
from crowdloom.studies.platforms.mturk_questions import html_question
from crowdloom.studies.self_contained import batch_items, build_question, parse_assignment, question_for_batch
from crowdloom.studies.self_contained.question import question_digest
from crowdloom.studies.tables import Batch
from crowdloom.tasks.protocol import View
from crowdloom.tasks.wrong_label import VIEWS, WrongLabelOptions
from tests.studies.designs import load
from tests.studies.interpreted import make_interpreted, make_wrong_label
from tests.studies.test_self_contained import to_xml

TO = ["https://market.example"]
DESIGN = make_wrong_label(people={"minutes": 1, "hold_minutes": 10, "reward": "0.05 USD"})
SHOWN = WrongLabelOptions(interpretations=True)
ATTRIBUTES = {"prediction": "3", "option1": "4", "option2": "3", "option3": "0", "option4": "6", "option5": "9"}
S3: Callable[[str], str] = lambda path: f"https://stimuli-of-a-laboratory.s3.eu-central-1.amazonaws.com/wrong{path}"  # noqa: E731


def items(count: int) -> list[ItemView]:
    """Items with five views each."""
    views = {name: View(f"/media/{name:0>64}", (280, 240)) for name in VIEWS}
    return [
        ItemView(n, f"token{n}", f"/media/{n:064}", (240, 240), ATTRIBUTES, views, reference="8") for n in range(count)
    ]


def build(shown: list[ItemView], **changes: Any) -> str:
    """The document, its pictures in a bucket."""
    return build_question(DESIGN, shown, **({"images": S3, "submit_to": TO, "options": SHOWN} | changes))


def words(document: str) -> list[str]:
    """What the script puts into the first trial: its texts, in the order in which the page shows them."""
    study = json.loads(lxml_html.document_fromstring(document).get_element_by_id("study").text)
    return list(study["trials"][0]["words"])


def test_the_document_does_not_tell_the_prediction() -> None:
    """Items that differ in prediction and category alone, or in the order of their attributes, have the same one."""
    (item,) = items(1)
    same = {
        build([replace(item, attributes=attributes)])
        for prediction in ("4", "3", "0", "6", "9")
        for changed in [ATTRIBUTES | {"prediction": prediction, "category": f"C{prediction}"}]
        for attributes in (changed, dict(reversed(changed.items())))
    }
    assert len(same) == 1


def test_classes_that_are_called_like_html() -> None:
    """Such as the letters of an alphabet: the page keeps its tags."""
    design = make_wrong_label(classes=["p", "b", "button", "amp", "39", "it's"], people=DESIGN.people)
    options = dict(zip(("option1", "option2", "option3", "option4", "option5"), design.classes, strict=False))
    item = replace(items(1)[0], attributes=options | {"prediction": "b"}, reference="it's")
    document = build_question(design, [item], images=S3, submit_to=TO, options=SHOWN)
    page = lxml_html.document_fromstring(document)
    assert len(page.xpath("//template[@id='trial-0']//button[@class='zoom']")) == 6
    assert len(page.xpath("//template[@id='trial-0']//p[@class='statement']")) == 1
    assert {"p", "b", "button", "amp", "39", "it&#39;s"} <= set(words(document))


def test_views_have_their_public_addresses() -> None:
    """Each once, in the item's order; nothing in the document leads to our server or names a view."""
    document = build(items(1))
    page = lxml_html.document_fromstring(document)
    assert page.xpath("//figure//img/@src") == [S3(f"/media/{name:0>64}") for name in VIEWS]
    assert not re.search(r"\"/media/|predict", document)
    assert words(document)[0] == "8"
    assert len(html_question(document, 0).encode()) < 40_000
    alone = build(items(1), options=WrongLabelOptions())
    assert not lxml_html.document_fromstring(alone).xpath("//figure")


def test_a_small_batch_fits() -> None:
    """With addresses in a bucket the marketplace's 65,535 bytes hold four images with five views each."""
    assert len(html_question(build(items(4)), 0).encode()) < 65_535
    with pytest.raises(PlatformRefusedError, match="or make the batches smaller"):
        build(items(12))


def test_answers_to_it_are_read() -> None:
    """By the options of the trial, whatever order the page showed."""
    shown = items(1)
    fields = {
        "question": question_digest(DESIGN, shown),
        "consent": {"fields": {}},
        "trial.0.0": {"fields": {"choice": ["6"]}},
    }
    parsed = parse_assignment(DESIGN, shown, to_xml(fields), SHOWN)
    assert [answer.answer for answer in parsed.answers] == [{"choice": "6"}]
    refused = parse_assignment(DESIGN, shown, to_xml(fields | {"trial.0.0": {"fields": {"choice": ["8"]}}}), SHOWN)
    assert refused.refused == {"token0.0": "Choose one of the options shown."}


def test_pictures_in_the_document_are_too_large_for_it(sqlite_store: Store, tmp_path: Path) -> None:
    """Six photographs do not fit without a bucket: a refusal with what to do, in the condition that shows them."""
    make_interpreted(tmp_path, 1)
    rng = np.random.default_rng(1)
    for path in tmp_path.glob("*.png"):
        Image.fromarray(rng.integers(0, 256, (70, 70, 3), dtype=np.uint8)).save(path)
    load(sqlite_store, tmp_path, DESIGN)
    with sqlite_store.read() as connection:
        with_views, without = connection.scalars(select(Batch.id).order_by(Batch.id)).all()
    with pytest.raises(PlatformRefusedError, match=r"65,535.*s3://BUCKET"):
        question_for_batch(sqlite_store, DESIGN, with_views, {"submit_to": TO})
    document = question_for_batch(sqlite_store, DESIGN, without, {"submit_to": TO})
    assert words(document)[0] == "0"
    assert [item.reference for item in batch_items(sqlite_store, without)] == ["0"]
