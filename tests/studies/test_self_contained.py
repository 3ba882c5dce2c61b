"""The self-contained question and the reading of its answers, without a browser."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from xml.sax.saxutils import escape

import numpy as np
import pytest
from lxml import html as lxml_html
from moto.server import ThreadedMotoServer
from PIL import Image
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.errors import PlatformRefusedError, StoreError
from crowdloom.studies.images import array_to_png
from crowdloom.studies.media import s3_client
from crowdloom.studies.participation import ItemView
from crowdloom.studies.platforms.mturk_questions import html_question
from crowdloom.studies.self_contained import batch_items, build_question, parse_assignment, question_for_batch
from crowdloom.studies.self_contained.images import address_of, inline, unsigned_client
from crowdloom.studies.self_contained.question import question_digest
from crowdloom.studies.tables import Batch
from crowdloom.tasks import TASKS
from tests.studies.designs import CLASSES, load, make_design, make_images

ITEMS = [ItemView(10 + n, f"token{n}", f"/media/{n:064}", (160, 160), {}) for n in range(4)]
DESIGN = make_design(
    batches={"size": 4, "responses_per_item": 2, "repeats": [2]},
    people={"minutes": 2, "hold_minutes": 10, "reward": "0.60 USD"},
    eligibility={"statements": ["I am 18 or older.", "I see well."]},
    comprehension={
        "attempts": 2,
        "questions": [{"question": "Whose?", "options": ["Mine", "Others'"], "correct": "Mine"}],
    },
    debrief=[{"question": "Hard?", "options": ["Yes", "No"], "required": True}, {"question": "Anything else?"}],
)
ANSWER = {"top1": "cat", "top1_probability": 80, "top2": None, "top2_probability": None, "impossible": ["frog"]}
TO = ["https://market.example"]


def build(design: Design = DESIGN, items: list[ItemView] = ITEMS, **options: Any) -> str:
    """The document, its images hosted elsewhere."""
    images: Callable[[str], str] = lambda path: f"https://bucket.example{path}"  # noqa: E731
    return build_question(design, items, **({"images": images, "submit_to": TO} | options))


def handed_in(**changes: Any) -> dict[str, Any]:
    """What a browser posts for the design; a change to None leaves a field out."""
    order = [[2, 0], [0, 0], [3, 0], [1, 0], [0, 1]]
    fields: dict[str, Any] = {
        "question": question_digest(DESIGN, ITEMS),
        "order": order,
        "classes": [2, 0, 1],
        "checks_failed": 1,
        "consent": {"fields": {"statement": ["0", "1"]}},
        "check": {"fields": {"question-0": ["Mine"]}},
        "debrief": {"fields": {"question-0": ["Yes"], "question-1": [" All <good> "]}},
    }
    for item, repeat in order:
        timing = {"opened": 1, "submitted": 1500, "rt_ms": 1499.6, "first_input_ms": 3, "focus": []}
        fields[f"trial.{item}.{repeat}"] = {"fields": TASKS["soft-label"].form(ANSWER), "timing": timing}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def to_xml(fields: dict[str, Any]) -> str:
    """As the marketplace gives it back."""
    answers = "".join(
        f"<Answer><QuestionIdentifier>{name}</QuestionIdentifier>"
        f"<FreeText>{escape(value if isinstance(value, str) else json.dumps(value))}</FreeText></Answer>"
        for name, value in fields.items()
    )
    return f"<QuestionFormAnswers>{answers}</QuestionFormAnswers>"


def parse(**changes: Any) -> Any:
    """What is read of the answers with these changes."""
    return parse_assignment(DESIGN, ITEMS, to_xml(handed_in(**changes)))


def test_everything_stands_in_one_document() -> None:
    """Consent, statements, instructions, check, questions and debrief; nothing is fetched but the images."""
    document = build()
    page = lxml_html.document_fromstring(document)
    text = page.text_content()
    for said in ("It is voluntary.", "I am 18 or older.", "Look at each image.", "Whose?", "Hard?", "0.60 USD"):
        assert said in text
    assert "which category it truly belongs to" in text
    assert not page.xpath("//script[@src] | //link | //img[@src]")
    assert set(re.findall(r"https?://[^\s\"'/]+", document)) == {"https://bucket.example", "https://market.example"}


def test_alike_trials_stand_there_once() -> None:
    """A batch of 28 trials of ten classes fits, with its images elsewhere."""
    classes = ["Airplane", "Automobile", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck"]
    items = [ItemView(n, f"token{n}", f"/media/{n:064}", (160, 160), {}) for n in range(25)]
    changes = {"classes": classes, "batches": {"size": 25, "responses_per_item": 2, "repeats": [3, 8, 21]}}
    document = build(DESIGN.model_copy(update=make_design(**changes).__dict__ | {"mturk": DESIGN.mturk}), items)
    page = lxml_html.document_fromstring(document)
    assert len(page.xpath("//template[starts-with(@id, 'trial-')]")) == 1
    assert len(html_question(document, 0).encode()) < 45_000
    assert len(json.loads(page.get_element_by_id("study").text)["trials"]) == 25


def test_trials_that_differ_in_words_alone_stand_there_once() -> None:
    """Sixty mixes of all pairs of ten classes fit, and their words are kept beside them."""
    classes = ["Airplane", "Automobile", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck"]
    pairs = [{"endpoint1": one, "endpoint2": two, "coefficient": 0.5} for one, two in combinations(classes, 2)]
    items = [ItemView(n, f"token{n}", f"/media/{n:064}", (160, 160), pairs[n % 45]) for n in range(60)]
    design = make_design(
        task="mixing-coefficient", classes=classes, batches={"size": 60, "responses_per_item": 2}, people=DESIGN.people
    )
    document = build(design, items)
    page = lxml_html.document_fromstring(document)
    assert len(page.xpath("//template[starts-with(@id, 'trial-')]")) == 1
    assert len(html_question(document, 0).encode()) < 45_000
    trials = json.loads(page.get_element_by_id("study").text)["trials"]
    assert [trial["words"] for trial in trials[:2]] == [["Airplane", "Automobile"], ["Airplane", "Bird"]]


def test_too_large_a_question_is_refused() -> None:
    """With its size, the limit, and what to do."""
    with pytest.raises(PlatformRefusedError, match=r"has \d\d,\d{3} bytes.*65,535.*s3://BUCKET.*batches smaller"):
        build(images=lambda path: "data:image/png;base64," + "x" * 12_000)


def test_texts_of_a_design_cannot_break_out() -> None:
    """Neither of the document nor of its script."""
    evil = "</script></template><script>alert(1)</script><img src=x onerror=alert(1)> ]]> & {{ 7 * 7 }} @CSS@"
    design = make_design(
        title=evil, consent=evil, instructions=[evil], classes=["cat", evil], people=DESIGN.people, contact=evil
    )
    document = build(design)
    page = lxml_html.document_fromstring(document)
    assert len(page.xpath("//script")) == 2
    assert not page.xpath("//img[@onerror]")
    assert page.xpath("//title")[0].text == evil
    assert json.loads(page.get_element_by_id("study").text)["classes"][1] == evil


def test_a_conditions_own_instructions() -> None:
    """They stand in the place of the design's."""
    document = build(instructions=["Only this.", "And that."])
    assert "Only this." in document
    assert "And that." in document
    assert "Look at each image." not in document


def test_answers_are_read() -> None:
    """Each with its item, repeat, position and time; the orders as this person saw them."""
    parsed = parse()
    assert parsed.is_complete
    assert parsed.item_order == [[12, 0], [10, 0], [13, 0], [11, 0], [10, 1]]
    assert parsed.class_order == ["frog", "cat", "dog"]
    assert [(a.item_id, a.repeat_index) for a in parsed.answers] == [(12, 0), (10, 0), (13, 0), (11, 0), (10, 1)]
    assert [a.position for a in parsed.answers] == [0, 1, 2, 3, 4]
    assert {a.rt_ms for a in parsed.answers} == {1500}
    assert parsed.answers[0].answer == ANSWER
    assert parsed.answers[0].timing["opened"] == 1
    assert (parsed.agreed, parsed.check_passed, parsed.checks_failed) == (True, True, 1)
    assert parsed.debrief == {"Hard?": "Yes", "Anything else?": "All <good>"}


def test_answers_that_cannot_be_used_are_reported() -> None:
    """By trial, with the sentence that our own page would have shown; the others are read."""
    wrong = {"fields": TASKS["soft-label"].form(ANSWER | {"impossible": ["cat"]})}
    parsed = parse(**{"trial.2.0": wrong, "trial.0.1": None})
    assert parsed.refused["token2.0"].startswith("cat cannot be both probable and definitely not")
    assert parsed.refused["token0.1"] == "It was not answered."
    assert [a.position for a in parsed.answers] == [1, 2, 3]
    assert not parsed.is_complete


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"consent": None}, "agreed"),
        ({"consent": {"fields": {"statement": ["0"]}}}, "agreed"),
        ({"check": {"fields": {"question-0": ["Others'"]}}}, "check_passed"),
        ({"check": None}, "check_passed"),
    ],
)
def test_who_did_not_take_part_by_the_rules(changes: dict[str, Any], what: str) -> None:
    """The page would not have let them on, but a browser can post what it likes."""
    parsed = parse(**changes)
    assert getattr(parsed, what) is False
    assert not parsed.is_complete
    assert len(parsed.answers) == 5


def test_an_empty_assignment() -> None:
    """Without any Answer every trial is reported, in the document's order."""
    parsed = parse_assignment(DESIGN, ITEMS, "<QuestionFormAnswers/>")
    assert set(parsed.refused.values()) == {"It was not answered."}
    assert parsed.item_order == [[10, 0], [11, 0], [12, 0], [13, 0], [11, 1]]
    assert not parsed.agreed


def test_the_answer_to_another_question() -> None:
    """It is refused rather than read as an answer to these images."""
    with pytest.raises(PlatformRefusedError, match="another question"):
        parse_assignment(DESIGN, ITEMS[::-1], to_xml(handed_in()))


JUNK = ["", "null", "[", "[]", "{}", "1e999", "NaN", '"x"', "[[0,0],[0,0]]", "[[true,0]]", "[" * 20_000, "9" * 5_000]
JUNK += ['{"fields": []}', '{"fields": {"top1": "cat"}}', '{"fields": {"top1": [1, null, ["cat"]]}}', '{"timing": [1]}']


@pytest.mark.parametrize("field", ["order", "classes", "checks_failed", "consent", "check", "debrief", "trial.2.0"])
def test_nothing_that_is_posted_makes_reading_fail(field: str) -> None:
    """Whatever a field holds, the rest is read, and every trial is either answered or reported."""
    for junk in JUNK:
        parsed = parse(**{field: junk})
        assert len(parsed.answers) + len(parsed.refused) == 5
        assert sorted(parsed.class_order) == sorted(CLASSES)
        assert {item for item, _ in parsed.item_order} == {10, 11, 12, 13}
        if field == "trial.2.0":
            assert list(parsed.refused) == ["token2.0"]


def test_texts_that_no_database_keeps() -> None:
    """JSON can write half of a surrogate pair, and a NUL; what is read can be stored."""
    written = '{"fields": {"question-0": ["Yes"], "question-1": ["a\\ud800\\u0000b"]}}'
    assert parse(debrief=written).debrief["Anything else?"] == "a?b"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_inlined_images_keep_their_pixels(mode: str) -> None:
    """They are the same to the last bit, and not larger than they were."""
    rng = np.random.default_rng(1)
    image = Image.fromarray(rng.integers(0, 256, (24, 24, 4), dtype=np.uint8), "RGBA").convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    address = inline(buffer.getvalue(), "image/png")
    content = base64.b64decode(address.partition(",")[2])
    assert len(content) <= len(buffer.getvalue())
    shown = Image.open(io.BytesIO(content)).convert("RGBA")
    assert np.array_equal(np.asarray(shown), np.asarray(image.convert("RGBA")))


def test_a_smooth_image_becomes_smaller() -> None:
    """The form that is smallest is taken; a photograph stays as it came."""
    ramp = np.add.outer(np.arange(160), np.arange(160)).astype(np.uint8)
    png = array_to_png(ramp)
    assert len(inline(png, "image/png")) < len(png)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "JPEG")
    assert inline(buffer.getvalue(), "image/jpeg").endswith(base64.b64encode(buffer.getvalue()).decode())


def test_the_question_of_a_batch_in_the_store(sqlite_store: Store, tmp_path: Path) -> None:
    """Its items in the design's order, each with its image, and its answers come back to these."""
    make_images(tmp_path, 4)
    design = make_design(people=DESIGN.people, items={"source": "folder", "path": "images", "image_size": 0})
    load(sqlite_store, tmp_path, design)
    with sqlite_store.read() as connection:
        batch = connection.scalars(select(Batch.id)).first()
    assert batch is not None
    items = batch_items(sqlite_store, batch)
    document = question_for_batch(sqlite_store, design, batch, {"submit_to": TO})
    study = json.loads(lxml_html.document_fromstring(document).get_element_by_id("study").text)
    assert [trial["image"] for trial in study["trials"]] == [address_of(sqlite_store, str(i.image)) for i in items]
    assert study["trials"][0]["image"].startswith("data:image/")
    assert (study["submit_to"], study["question"]) == (TO, question_digest(design, items))
    assert document == question_for_batch(sqlite_store, design, batch, {"submit_to": TO})


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The client of a server that speaks S3, with the bucket `stimuli`."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    values = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in (values | {"AWS_ENDPOINT_URL_S3": f"http://{host}:{port}"}).items():
        monkeypatch.setenv(name, value)
    for client in (s3_client, unsigned_client):
        client.cache_clear()
    s3_client().create_bucket(Bucket="stimuli")
    yield s3_client()
    for client in (s3_client, unsigned_client):
        client.cache_clear()
    server.stop()


def test_images_in_a_bucket_have_their_public_address(bucket: Any, sqlite_store: Store, tmp_path: Path) -> None:
    """Anybody gets them there, without a signature, which would expire; a closed bucket is told before publishing."""
    make_images(tmp_path, 4)
    design = make_design(people=DESIGN.people)
    load(sqlite_store, tmp_path, design, bucket="s3://stimuli/pets")
    with sqlite_store.read() as connection:
        batch = connection.scalars(select(Batch.id)).first()
    assert batch is not None
    with pytest.raises(StoreError, match="s3:GetObject to everybody"):
        question_for_batch(sqlite_store, design, batch, {"submit_to": TO})
    for stored in bucket.list_objects_v2(Bucket="stimuli")["Contents"]:
        bucket.put_object_acl(Bucket="stimuli", Key=stored["Key"], ACL="public-read")  # moto heeds no bucket policy
    document = question_for_batch(sqlite_store, design, batch, {"submit_to": TO})
    study = json.loads(lxml_html.document_fromstring(document).get_element_by_id("study").text)
    for trial in study["trials"]:
        with urlopen(trial["image"]) as answer:
            assert Image.open(io.BytesIO(answer.read())).size == tuple(trial["size"])


def test_media_that_are_nowhere(sqlite_store: Store) -> None:
    """They are an error with what to do."""
    with pytest.raises(StoreError, match="load the design again"):
        address_of(sqlite_store, "/media/" + "0" * 64)
