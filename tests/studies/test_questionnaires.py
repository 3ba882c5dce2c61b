"""Questionnaires in a design and in the store: validation, frozen designs, reading, rehearsal, self-contained HITs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from crowdloom.analysis.questionnaires import scores
from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.loading import design_digest
from crowdloom.studies.reading_questionnaires import COLUMNS, read_questionnaires
from crowdloom.studies.rehearsal import Habits, rehearse, serving
from crowdloom.studies.review import exclude
from crowdloom.studies.self_contained import parse_assignment
from crowdloom.studies.tables import Event, Submission
from crowdloom.studies.web import create_app
from tests.studies.conftest import Publish
from tests.studies.designs import load, make_design, make_images
from tests.studies.studies_for_tests import DESIGN, complete, open_small
from tests.studies.test_design_file import LINES, said
from tests.studies.test_html_delivery import HTML, hand_in
from tests.studies.test_self_contained import DESIGN as PLAIN
from tests.studies.test_self_contained import ITEMS, build, handed_in, parse, to_xml

QUESTIONNAIRES: list[dict[str, Any]] = [
    {"instrument": "umux-lite", "system": "the tool"},
    {"instrument": "nasa-tlx"},
    {"instrument": "scales", "statements": ["It helped me.", "It biased me."], "left": "no", "right": "yes"},
]
IN_TOML = """
[[questionnaires]]
instrument = "umux-lite"
system = "the tool"
[[questionnaires]]
instrument = "scales"
statements = ["It helped me.", "It biased me."]
left = "no"
right = "yes"
"""
UMUX = {"capabilities": "6", "ease": "7"}
SCALES = {"q1": "80", "q2": "12,5"}


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (
            'instrument = "sus"',
            "30: questionnaires.1.instrument: no instrument is called 'sus'; there are: nasa-tlx, scales",
        ),
        ('system = "it"', "29: questionnaires.1.instrument: is missing; add it"),
        ('instrument = "nasa-tlx"\nlabel = "x"', "31: questionnaires.1.label: is not a field here"),
        (
            'instrument = "nasa-tlx"\nleft = "x"',
            "31: questionnaires.1.left: belongs to scales; nasa-tlx has items of its",
        ),
        (
            'instrument = "umux-lite"\nstatements = ["x"]',
            "31: questionnaires.1.statements: belongs to scales; umux-lite",
        ),
        (
            'instrument = "umux-lite"\nsystem = "a\\nb"',
            "31: questionnaires.1.system: expected one line without control",
        ),
        ('instrument = "scales"\nleft = "a"\nright = "b"', "30: questionnaires.1.instrument: scales need statements"),
        (
            'instrument = "scales"\nstatements = ["x"]\nright = "b"',
            "30: questionnaires.1.instrument: scales need statements",
        ),
        ('instrument = "scales"\nsystem = "it"', "31: questionnaires.1.system: the statements of scales say what they"),
        (
            'instrument = "scales"\nstatements = ["x", "x"]\nleft = "a"\nright = "b"',
            "31: questionnaires.1.statements: 'x' stands there twice",
        ),
        (
            'instrument = "nasa-tlx"\n[[questionnaires]]\ninstrument = "nasa-tlx"\nsystem = "the task"',
            "31: questionnaires.2: the same questionnaire stands there twice",
        ),
    ],
)
def test_wrong_questionnaires_are_named(added: str, message: str) -> None:
    """With line and field, counted from 1."""
    (found,) = said("", f"[[questionnaires]]\n{added}")
    assert found.startswith(f"study.toml:{message}")


def test_one_instrument_about_two_systems() -> None:
    """Both are asked."""
    design = make_design(questionnaires=[{"instrument": "umux-lite", "system": s} for s in ("the map", "the list")])
    assert [one.asked.about for one in design.questionnaires] == ["the map", "the list"]
    assert Design.model_validate(design.dump()) == design


def test_a_design_without_is_what_it_was() -> None:
    """Its JSON and its digest are those of releases that knew no questionnaires; with one, both change."""
    design = make_design()
    assert "questionnaires" not in design.dump()
    assert design_digest(design, [("a", "b")]) == PINNED
    asking = make_design(questionnaires=QUESTIONNAIRES)
    assert asking.dump()["questionnaires"][0] == {**QUESTIONNAIRES[0], "statements": []}
    assert design_digest(asking, [("a", "b")]) != PINNED
    assert len(LINES) == 28  # what the lines above are counted from


PINNED = hashlib.sha256(
    json.dumps(
        [
            {
                "batches": {"responses_per_item": 2, "size": 2},
                "classes": ["cat", "dog", "frog"],
                "consent": "It is voluntary.",
                "instructions": ["Look at each image."],
                "items": {"path": "images", "source": "folder"},
                "name": "pets",
                "people": {"hold_minutes": 10, "minutes": 2},
                "task": "soft-label",
                "title": "Which animal is it?",
            },
            [["a", "b"]],
        ],
        sort_keys=True,
    ).encode()
).hexdigest()


def test_loading_again_makes_no_new_version(sqlite_store: Store, tmp_path: Path) -> None:
    """With and without questionnaires; adding one does."""
    make_images(tmp_path)
    for version, design in ((1, make_design()), (2, make_design(questionnaires=QUESTIONNAIRES))):
        assert [load(sqlite_store, tmp_path, design).is_new for _ in range(2)] == [True, False]
        assert load(sqlite_store, tmp_path, design).version == version


@pytest.fixture
def answered(sqlite_store: Store, tmp_path: Path) -> Store:
    """Ann answered both questionnaires, Ben the first, Cem none; all three answered every trial."""
    posting = open_small(sqlite_store, tmp_path, DESIGN + IN_TOML)
    client = create_app(sqlite_store).test_client()
    for name, forms in (("ann", [UMUX, SCALES]), ("ben", [UMUX]), ("cem", [])):
        base = complete(client, posting, name)
        for number, form in enumerate(forms):
            assert client.post(f"{base}/questionnaire", data={"number": number, **form}).status_code == 303
    return sqlite_store


def test_a_row_for_each_item_and_score(answered: Store) -> None:
    """As they were asked; who stopped half-way is there with what they answered."""
    with answered.read() as connection:
        frame = read_questionnaires(connection, "small")
        (ann, ben, _) = connection.scalars(select(Submission.pseudonym).order_by(Submission.id))
    assert list(frame.columns) == list(COLUMNS)
    assert frame["submission"].tolist() == [ann] * 5 + [ben] * 3
    first = frame[frame["submission"] == ann]
    assert first["item"].tolist() == ["capabilities", "ease", "sus_parity", "q1", "q2"]
    assert first["value"].tolist() == pytest.approx([6, 7, 0.65 * 11 * 100 / 12 + 22.9, 80, 12.5])
    assert first["kind"].tolist() == ["item", "item", "score", "item", "item"]
    assert first["text"].isna().tolist() == [False, False, True, False, False]
    assert first["text"].tolist()[:2] == ["What the tool can do meets my requirements.", "The tool is easy to use."]
    assert set(frame["condition"]) == {"default"}
    assert set(frame["standing"]) == {"accepted"}
    assert str(frame["at"].dtype).endswith("UTC]")
    assert len(scores(frame)) == 2


def test_scopes_and_versions(answered: Store) -> None:
    """Those of the answers: who is excluded is in `all` alone, and a version can be chosen."""
    with answered.write() as connection:
        ann = connection.scalars(select(Submission.pseudonym).order_by(Submission.id)).first()
        exclude(connection, "small", str(ann), "spoke of it")
    with answered.read() as connection:
        assert len(read_questionnaires(connection, "small")) == 3
        everything = read_questionnaires(connection, "small", "all")
        assert everything["standing"].tolist() == ["excluded"] * 5 + ["accepted"] * 3
        assert len(read_questionnaires(connection, "small", "all", 1)) == 8


def test_a_study_without_has_an_empty_table(sqlite_store: Store, tmp_path: Path) -> None:
    """With all its columns, of their types."""
    complete(create_app(sqlite_store).test_client(), open_small(sqlite_store, tmp_path), "ann")
    with sqlite_store.read() as connection:
        frame = read_questionnaires(connection, "small")
    assert (len(frame), list(frame.columns)) == (0, list(COLUMNS))
    assert frame["value"].dtype == float


def test_export(answered: Store, tmp_path: Path) -> None:
    """As CSV and Parquet, with no name of a participant."""
    for name in ("q.csv", "q.parquet"):
        command = [
            "export",
            "small",
            "--table",
            "questionnaires",
            "--database",
            answered.url,
            "--out",
            str(tmp_path / name),
        ]
        done = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert done.output == f"Wrote 8 rows to {tmp_path / name}; times are UTC.\n"
    text = (tmp_path / "q.csv").read_text(encoding="utf-8")
    assert "ann" not in text
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "q.csv")[["item", "value"]], pd.read_parquet(tmp_path / "q.parquet")[["item", "value"]]
    )


def test_simulated_people_answer_them(sqlite_store: Store, tmp_path: Path) -> None:
    """Everybody who completed, each questionnaire once, whatever restless people do in between."""
    make_images(tmp_path)
    load(sqlite_store, tmp_path, make_design(questionnaires=QUESTIONNAIRES, debrief=[{"question": "Hard?"}]))
    with serving(sqlite_store.url) as address:
        rehearse(sqlite_store, "pets", participants=6, habits=Habits(drop_out=0.1), address=address)
    with sqlite_store.read() as connection:
        frame = read_questionnaires(connection, "pets", "all")
        finished = connection.execute(select(Submission.state, Submission.stage)).all()
        kinds = list(connection.scalars(select(Event.kind)))
    done = [state for state, stage in finished if stage == "done"]
    assert done
    assert [state for state, _ in finished if state == "completed"] == done
    assert frame["submission"].nunique() == len(done) == kinds.count("debrief")
    assert len(frame) == len(done) * (3 + 7 + 2)
    assert kinds.count("questionnaire") == 3 * len(done)


ASKING = PLAIN.model_copy(update={"questionnaires": make_design(questionnaires=QUESTIONNAIRES).questionnaires})
TLX = ("mental", "physical", "temporal", "performance", "effort", "frustration")
POSTED: dict[str, Any] = {
    "questionnaire-0": {"fields": {name: [value] for name, value in UMUX.items()}},
    "questionnaire-1": {"fields": {name: ["3"] for name in TLX}},
    "questionnaire-2": {"fields": {name: [value] for name, value in SCALES.items()}},
}
JUNK = ["", "null", "[", "{}", '"x"', '{"fields": []}', '{"fields": {"capabilities": [null, 7]}}', "[" * 20_000]


def test_a_self_contained_question_shows_them() -> None:
    """Each as a step of its own, with the rules for its numbers; without any, the document has none of it."""
    document = build(ASKING)
    for name in POSTED:
        assert f'<template id="{name}">' in document
    assert "The tool is easy to use." in document
    assert "customElements.define" in document
    plain = build()
    for part in ("checkScales(scales", "customElements.define", ".points", "questionnaire-"):
        assert part not in plain
        assert part in document


def test_answers_of_an_assignment_are_read() -> None:
    """By number; what cannot be used is said why, and nothing that is posted makes the reading fail."""

    def read(**changes: Any) -> Any:
        return parse_assignment(ASKING, ITEMS, to_xml(handed_in(**(POSTED | changes))))

    assert read().questionnaires == {
        0: {"capabilities": 6, "ease": 7},
        1: dict.fromkeys(TLX, 3),
        2: {"q1": 80, "q2": 12.5},
    }
    assert (read().questionnaires_refused, read().is_complete) == ({}, True)
    for junk in JUNK:
        found = read(**{"questionnaire-0": junk})
        assert found.questionnaires_refused[0].startswith("Statement 1: choose one of the answers from 1 to 7.")
        assert (list(found.questionnaires), found.is_complete) == ([1, 2], True)
    assert parse().questionnaires == {}


def test_they_come_with_an_assignment(store: Store, on_mturk: Publish) -> None:
    """Saved once each as events; one that cannot be used is kept as a reason, and the answers count."""
    asked = [{"instrument": "umux-lite", "system": system} for system in ("the map", "the list", "the tool")]
    study = on_mturk(store, **HTML, questionnaires=asked)
    umux = POSTED["questionnaire-0"]
    hand_in(study, **{"questionnaire-0": umux, "questionnaire-1": {"fields": {}}, "questionnaire-2": umux})
    for _ in range(2):
        study.poll()
    with store.read() as connection:
        events = connection.execute(select(Event.kind, Event.values).order_by(Event.id)).all()
        frame = read_questionnaires(connection, study.design.name)
    kept = {"instrument": "umux-lite", "ratings": {"capabilities": 6, "ease": 7}}
    assert [event[1] for event in events if event.kind == "questionnaire"] == [kept | {"number": n} for n in (1, 3)]
    (refused,) = [event[1] for event in events if event.kind == "questionnaire_refused"]
    assert refused["number"] == 2
    assert refused["reason"].startswith("Statement 1: choose one of the answers from 1 to 7.")
    assert frame["about"].tolist() == ["the map"] * 3 + ["the tool"] * 3
