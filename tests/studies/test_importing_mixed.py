"""Made-up exports in the formats of H-Mix: sliders, choices, constructions and soft labels of mixed images.

One long file, since all four formats are written and read by the same few helpers.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from crowdloom.analysis.frame import check_frame
from crowdloom.studies.cli.importing import command, jspsych
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import ImportFileError, OptionError, StudyError
from crowdloom.studies.importing import Report, import_jspsych
from crowdloom.studies.importing.answers import SHIPPED, load_mapping
from crowdloom.studies.importing.mapping import Mapping
from crowdloom.studies.importing.values import fraction
from crowdloom.studies.participation import read_options
from crowdloom.studies.reading import read_frame
from crowdloom.studies.tables import Batch, Condition, Design, Event, Item, Participant, Response, Submission
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Trial
from crowdloom.tasks.soft_label import CIFAR10

MIXING = "mixing-coefficient"
MAPPINGS = Path(__file__).parents[2] / "studies" / "mappings"
SCREEN = ["", "index", "trial_type", "trial_index", "time_elapsed", "subject", "study_id", "condition", "rt", "url",
          "view_history", "response", "question_order", "success", "timeout", "failed_images", "failed_audio",
          "failed_video"]  # fmt: skip
INFER = [*SCREEN, "responses", "filename", "task", "subj_id", "label1", "label2", "mixtureCoeff", "id1", "id2",
         "class_pair"]  # fmt: skip
CHOOSE = [*SCREEN, "task", "class_pair"]
CONSTRUCT = [*SCREEN, "final_value", "start_value", "task", "class_pair", "starting_value", "filename"]
SOFT = [name for name in INFER if name not in ("index", "responses", "class_pair")]

Row = dict[str, str]


def base(subject: str, index: int, kind: str, condition: int, study: str = "round2") -> Row:
    """What every screen has, as pandas wrote it."""
    return {"index": str(100 + index), "trial_type": kind, "trial_index": str(index), "subject": subject,
            "time_elapsed": str(9000 * index), "study_id": study, "condition": str(condition),
            "rt": f"{1000 + index}.300000011921"}  # fmt: skip


def mixed(name: str) -> Row:
    """The columns of a mixed image, such as 0.25_Dog_12_Frog_34."""
    share, first, one, second, two = name.split("_")
    return {"filename": f"mixed_{name}.png", "label1": first, "label2": second, "mixtureCoeff": share,
            "id1": f"{one}.0", "id2": f"{two}.0", "class_pair": f"{first}_{one}_{second}_{two}.png"}  # fmt: skip


def infer(
    subject: str, answers: list[tuple[str, Any, Any]], condition: int = 7, again: int = 1, first: int = 6
) -> list[Row]:
    """A session: each image with slider and confidence, and the first `again` of them once more."""
    rows = []
    for number, (name, slider, confidence) in enumerate([*answers, *answers[:again]]):
        row = base(subject, first + number, "multiple-slider", condition) | mixed(name)
        row |= {"question_order": "[0,1]", "task": "rate_mixture" if number < len(answers) else "rerun_rate_mixture"}
        rows.append(row | {"responses": json.dumps({"mixingcoeff": slider, "confidence": confidence})})
    return rows


def choose(subject: str, answers: list[tuple[str, str]], condition: int = 5) -> list[Row]:
    """A session of choices, the first pair twice."""
    return [
        base(subject, 6 + number, "survey-html-form", condition)
        | {"response": json.dumps({"select": f"select{chosen}"}), "class_pair": pair,
           "task": "select_shuffled" if number < len(answers) else "rerun_select_shuffled"}
        for number, (pair, chosen) in enumerate([*answers, answers[0]])
    ]  # fmt: skip


def construct(subject: str, answers: list[tuple[str, str]], start: str, condition: int = 2) -> list[Row]:
    """A session of constructions, the first pair twice."""
    return [
        base(subject, 6 + number, "reconstruction", condition)
        | {"final_value": final, "start_value": start, "starting_value": start, "class_pair": pair,
           "task": "select_create" if number < len(answers) else "rerun_select_create"}
        for number, (pair, final) in enumerate([*answers, answers[0]])
    ]  # fmt: skip


def text(rows: list[Row], header: list[str]) -> str:
    """The rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"": str(number)} for number, row in enumerate(rows))
    return out.getvalue()


def bring(
    store: Store, folder: Path, rows: list[Row], header: list[str], mapping: str | Path, **options: Any
) -> Report:
    """Write a file and import it; the report's numbers must add up to the rows read."""
    (folder / "raw.csv").write_text(text(rows, header))
    task = "soft-label" if header is SOFT else MIXING
    given = {"task": task, "study": "s", "mapping": mapping, **options}
    report = import_jspsych(store, folder / "raw.csv", **given)
    assert report.rows == report.stored + report.doubled + report.known
    return report


def frame_of(store: Store, scope: Any = "accepted") -> pd.DataFrame:
    """The long frame, which must keep the contract of all frames."""
    with store.read() as connection:
        frame = read_frame(connection, "s", scope)
        design = DesignModel.model_validate(connection.execute(select(Design.values)).scalar_one())
    check_frame(frame, TASKS[design.task].columns, design.classes)
    return frame


def attributes_of(store: Store) -> dict[str, dict[str, Any]]:
    """What the store says of each item."""
    with store.read() as connection:
        return {row.key: row.attributes for row in connection.execute(select(Item.key, Item.attributes))}


def items_of_batches(store: Store) -> list[set[str]]:
    """The items that the submissions of each batch were shown, batch after batch."""
    frame = frame_of(store, "all")
    return [set(part["item"]) for _, part in frame.groupby("batch")]


A, B, C, D = "0.1_Airplane_4126_Frog_5936", "0.75_Bird_8095_Deer_9701", "0.5_Dog_2205_Frog_6908", "0.9_Cat_1_Ship_2"


def test_sliders_become_shares_of_the_first_endpoint(sqlite_store: Store, tmp_path: Path) -> None:
    """0 on the slider is all of label1 and 100 all of label2, so an airplane at 0.1 that reads 100 is lambda_h = 0."""
    rows = infer("ann", [(A, 100, 100), (B, 0, 95), (C, 26, 50)]) + infer("ben", [(C, 74, 0), (A, 91, 20), (B, 33, 7)])
    report = bring(sqlite_store, tmp_path, rows, INFER, "hmix-infer")
    assert (report.rows, report.first, report.repeats, report.events, report.refused) == (8, 6, 2, 0, [])
    assert (report.submissions, report.participants, report.incomplete) == (2, 2, [])
    frame = frame_of(sqlite_store)
    read = [tuple(row) for row in frame[["item", "inferred", "confidence", "flipped", "is_repeat"]].to_numpy().tolist()]
    a, b, c = (f"mixed_{name}.png" for name in (A, B, C))
    assert read == [
        (a, 0.0, 100, 0, False), (b, 1.0, 95, 0, False), (c, 0.74, 50, 0, False), (a, 0.0, 100, 0, True),
        (c, 0.26, 0, 0, False), (a, 0.09, 20, 0, False), (b, 0.67, 7, 0, False), (c, 0.26, 0, 0, True),
    ]  # fmt: skip
    assert frame[["midpoint", "start", "reference"]].isna().all(axis=None)
    assert set(frame["rt_ms"]) == {1006, 1007, 1008, 1009}
    assert attributes_of(sqlite_store)[a] == {
        "endpoint1": "Airplane", "endpoint2": "Frog", "coefficient": 0.1, "source1": "4126", "source2": "5936"
    }  # fmt: skip
    with sqlite_store.read() as connection:
        answer = connection.execute(select(Response.answer).order_by(Response.id).limit(1)).scalar_one()
    given = {"mixingcoeff": 100, "confidence": 100}
    assert answer == {"first": "Airplane", "second": "Frog", "flipped": 0, "inferred": 0.0, "confidence": 100,
                      "given": given}  # fmt: skip


def test_choices_and_constructions_become_midpoints(sqlite_store: Store, tmp_path: Path) -> None:
    """The mix's own share of the first image; what adding tenths left behind is taken off; second was named first."""
    pairs = ["Airplane_2589_Cat_6202", "Frog_2865_Horse_7935"]
    bring(sqlite_store, tmp_path, choose("ann", [(pairs[0], "0.3"), (pairs[1], "1.0")]), CHOOSE, "hmix-choose")
    frame = frame_of(sqlite_store)
    assert frame["midpoint"].tolist() == [0.3, 1.0, 0.3]
    assert (frame["flipped"] == 1).all()
    assert frame[["inferred", "confidence", "start"]].isna().all(axis=None)
    assert attributes_of(sqlite_store)[pairs[1]] == {
        "endpoint1": "Frog", "endpoint2": "Horse", "source1": "2865", "source2": "7935"
    }  # fmt: skip

    rows = construct("cyd", [(pairs[0], "0.6000000000000001"), (pairs[1], "0.7999999999999999")], "0.1")
    rows += construct("dee", [(pairs[0], "0.4"), (pairs[1], "1.1102230246251565e-16")], "0.9")
    bring(sqlite_store, tmp_path, rows, CONSTRUCT, "hmix-construct", study="c")
    with sqlite_store.read() as connection:
        frame = read_frame(connection, "c")
        answer = connection.execute(select(Response.answer).order_by(Response.id.desc()).limit(1)).scalar_one()
    assert frame["midpoint"].tolist() == [0.6, 0.8, 0.6, 0.4, 0.0, 0.4]
    assert frame["start"].tolist() == [0.1] * 3 + [0.9] * 3
    assert answer["given"] == {"final_value": "0.4", "start_value": "0.9"}
    assert (answer["first"], answer["second"], answer["flipped"]) == ("Cat", "Airplane", 1)


def test_soft_labels_of_mixed_images_keep_their_endpoints(sqlite_store: Store, tmp_path: Path) -> None:
    """Screens without an item are events; answers are read as CIFAR-10S's, items say what they are mixed of."""
    given = {"classSelect": "mostProbCat", "prob": "60", "classSelect2": "secondProbShip", "prob2": "20",
             "improbClassSelectTruck": "1"}  # fmt: skip
    rows = [base("ann", 0, "pavlovia", 2), base("ann", 1, "external-html", 2), base("ann", 2, "instructions", 2)]
    rows[0]["rt"] = ""
    for number, (name, task) in enumerate([(D, "spec_conf"), (B, "spec_conf"), (D, "rerun_spec_conf")]):
        rows.append(base("ann", 3 + number, "survey-html-form", 2) | mixed(name) | {"task": task})
        rows[-1]["response"] = json.dumps(given)
    report = bring(sqlite_store, tmp_path, rows, SOFT, "hmix-soft-labels")
    assert (report.first, report.repeats, report.events, report.incomplete) == (2, 1, 3, [])
    frame = frame_of(sqlite_store)
    first = frame.iloc[0]
    names = ["top1", "top1_probability", "top2", "top2_probability", "impossible"]
    assert first[names].tolist() == ["Cat", 60, "Ship", 20, ("Truck",)]
    assert attributes_of(sqlite_store)[f"mixed_{D}.png"] == {
        "endpoint1": "Cat", "endpoint2": "Ship", "coefficient": 0.9, "source1": "1", "source2": "2"
    }  # fmt: skip
    with sqlite_store.read() as connection:
        design = DesignModel.model_validate(connection.execute(select(Design.values)).scalar_one())
    assert design.options == {"combined": True}


def test_an_import_is_a_design_that_fits_its_task(sqlite_store: Store, tmp_path: Path) -> None:
    """The question stands in the options, and every item has what the question needs."""
    bring(sqlite_store, tmp_path, infer("ann", [(A, 1, 2), (D, 3, 4)]), INFER, "hmix-infer")
    with sqlite_store.read() as connection:
        design = DesignModel.model_validate(connection.execute(select(Design.values)).scalar_one())
        number = connection.execute(select(Condition.id)).scalar_one()
        options = read_options(connection, number)
    assert (design.task, design.classes, design.items.source, design.batches.size) == (MIXING, CIFAR10, "import", 2)
    assert options.question == "infer"
    for attributes in attributes_of(sqlite_store).values():
        trial = Trial(classes=design.classes, class_order=design.classes, attributes=attributes, options=options)
        assert TASKS[MIXING].check_item(trial) is None


def test_batches_are_what_sessions_show_where_no_column_numbers_them(sqlite_store: Store, tmp_path: Path) -> None:
    """The same number for other images, as in a second round, makes another batch; whoever left fits the whole one."""
    rows = infer("ann", [(A, 1, 1), (B, 1, 1)], condition=2)
    rows += infer("ben", [(C, 1, 1), (D, 1, 1), (A, 1, 1)], condition=2)
    rows += infer("cyd", [(B, 1, 1), (A, 1, 1)], condition=3)
    rows += infer("dee", [(D, 1, 1)], again=0)  # left early
    rows += infer("eve", [(A, 1, 1)], again=0)  # the same, and both batches have this image
    report = bring(sqlite_store, tmp_path, rows, INFER, "hmix-infer")
    a, b, c, d = (f"mixed_{name}.png" for name in (A, B, C, D))
    assert items_of_batches(sqlite_store) == [{a, b}, {a, c, d}]
    assert report.incomplete == [(12, 12), (13, 13)]
    frame = frame_of(sqlite_store, "all")
    per_batch = frame[frame["standing"] == "accepted"].groupby("batch")["submission"].nunique()
    assert per_batch.to_dict() == {0: 2, 1: 1}
    assert set(frame[frame["standing"] == "started"]["batch"]) == {0, 1}

    again = bring(sqlite_store, tmp_path, rows, INFER, "hmix-infer")
    assert (again.stored, again.known) == (0, len(rows))
    # in another order, with others, the batches that are there are found by their items
    more = infer("fay", [(D, 5, 5), (A, 5, 5), (C, 5, 5)]) + infer("gus", [(B, 5, 5)], again=0)
    report = bring(sqlite_store, tmp_path, [*more, *rows], INFER, "hmix-infer")
    assert (report.participants, report.first, report.repeats, report.known) == (2, 4, 1, len(rows))
    assert report.incomplete == [(6, 6)]
    assert items_of_batches(sqlite_store) == [{a, b}, {a, c, d}]
    frame = frame_of(sqlite_store)
    assert frame.groupby("batch")["submission"].nunique().to_dict() == {0: 2, 1: 2}
    for items in ([(A, 1, 1), (B, 1, 1), (C, 1, 1)], [("0.5_Cat_8_Dog_9", 1, 1)]):
        with pytest.raises(StudyError, match=r"no batch has all the items that the session in line 2 of raw.csv"):
            bring(sqlite_store, tmp_path, infer("hal", items), INFER, "hmix-infer")


def test_with_a_column_for_batches_other_items_are_refused_still(sqlite_store: Store, tmp_path: Path) -> None:
    """Where the mapping names a column, sessions of one number must show the same items."""
    path = tmp_path / "batch.toml"
    path.write_text(load_mapping("hmix-infer", MIXING)[1].replace("[columns]", '[columns]\nbatch = "condition"'))
    rows = infer("ann", [(A, 1, 1), (B, 1, 1)]) + infer("ben", [(C, 1, 1), (D, 1, 1)])
    with pytest.raises(ImportFileError, match=r"raw.csv:\d: condition is 7 here .* or be left out"):
        bring(sqlite_store, tmp_path, rows, INFER, path)
    assert bring(sqlite_store, tmp_path, rows[:3], INFER, path).first == 2


def test_a_pair_shown_twice_in_a_session_counts_once(sqlite_store: Store, tmp_path: Path) -> None:
    """A batch that has a pair twice: the second first answer is refused with its line, the session is complete."""
    pairs = ["Automobile_887_Bird_8384", "Airplane_1_Dog_2"]
    rows = construct("ann", [(pairs[0], "0.5"), (pairs[1], "0.4"), (pairs[0], "0.6")], "0.1")
    report = bring(sqlite_store, tmp_path, rows, CONSTRUCT, "hmix-construct")
    assert (report.first, report.repeats, report.incomplete) == (2, 1, [])
    assert [line for line, _ in report.refused] == [4]
    assert "shown for a first answer before" in report.refused[0][1]
    with sqlite_store.read() as connection:
        kept = [values for values in connection.execute(select(Event.values)).scalars() if "reason" in values]
    assert kept[0]["screen"]["final_value"] == "0.6"


REFUSED: dict[str, tuple[str, Row, str]] = {
    "slider too large": ("infer", {"responses": '{"mixingcoeff": 101, "confidence": 3}'}, "mixingcoeff says '101'"),
    "slider negative": ("infer", {"responses": '{"mixingcoeff": -1, "confidence": 3}'}, "mixingcoeff says '-1'"),
    "slider no number": ("infer", {"responses": '{"mixingcoeff": "much", "confidence": 3}'}, "mixingcoeff says 'much'"),
    "slider true": ("infer", {"responses": '{"mixingcoeff": true, "confidence": 3}'}, "mixingcoeff says 'True'"),
    "slider a list": ("infer", {"responses": '{"mixingcoeff": [1], "confidence": 3}'}, "mixingcoeff says"),
    "slider missing": ("infer", {"responses": '{"confidence": 3}'}, "mixingcoeff is missing"),
    "slider null": ("infer", {"responses": '{"mixingcoeff": null, "confidence": 3}'}, "mixingcoeff is empty"),
    "no confidence": ("infer", {"responses": '{"mixingcoeff": 1}'}, "confidence is missing"),
    "confidence too large": ("infer", {"responses": '{"mixingcoeff": 1, "confidence": 101}'}, "confidence says '101'"),
    "empty": ("infer", {"responses": ""}, "responses is no valid JSON"),
    "unknown class": ("infer", {"label1": "Cow"}, "label1 says 'Cow'"),
    "one class": ("infer", {"label2": "Bird"}, "both images are of the class 'Bird'"),
    "no coefficient": ("infer", {"mixtureCoeff": ""}, "mixtureCoeff says ''"),
    "coefficient too large": ("infer", {"mixtureCoeff": "1.5"}, "mixtureCoeff says '1.5'"),
    "no item": ("infer", {"filename": ""}, "filename must name the item"),
    "other description": ("infer", {"filename": f"mixed_{A}.png"}, "described otherwise in line 2"),
    "no prefix": ("choose", {"response": '{"select": "0.4"}'}, "select says '0.4', which does not begin with 'select'"),
    "no choice": ("choose", {"response": '{"select": "select"}'}, "select says ''"),
    "choice too large": ("choose", {"response": '{"select": "select1.1"}'}, "select says '1.1'"),
    "no pair": ("choose", {"class_pair": "Cat_Dog"}, "class_pair says 'Cat_Dog', which does not fit the pattern"),
    "strange pair": ("choose", {"class_pair": "Cat_1_Cow_2"}, "class_pair says 'Cow'"),
    "nothing constructed": ("construct", {"final_value": ""}, "final_value is empty"),
    "no start": ("construct", {"start_value": "nan"}, "start_value says 'nan'"),
    "constructed too much": ("construct", {"final_value": "1.1"}, "final_value says '1.1'"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_an_answer_that_cannot_be_read_is_refused_with_its_line(sqlite_store: Store, tmp_path: Path, what: str) -> None:
    """The row becomes an event with its reason; the rest of the session is stored."""
    question, change, reason = REFUSED[what]
    pairs = [("Airplane_1_Cat_2", "0.5"), ("Bird_3_Dog_4", "0.5")]
    header, rows = {
        "infer": (INFER, infer("ann", [(A, 1, 1), (B, 1, 1)])),
        "choose": (CHOOSE, choose("ann", pairs)),
        "construct": (CONSTRUCT, construct("ann", pairs, "0.1")),
    }[question]
    rows[1] |= change
    report = bring(sqlite_store, tmp_path, rows, header, f"hmix-{question}")
    assert [line for line, _ in report.refused] == [3]
    assert reason in report.refused[0][1]
    assert (report.first, report.repeats) == (1, 1)


def test_a_doubled_session_is_stored_once_and_a_further_one_again(sqlite_store: Store, tmp_path: Path) -> None:
    """A session that stands there twice, a second import, and another session of the same person."""
    rows = infer("ann", [(A, 1, 1), (B, 2, 2)])
    other = infer("ann", [(A, 9, 9), (B, 8, 8)])
    report = bring(sqlite_store, tmp_path, [*rows, *rows, *other], INFER, "hmix-infer")
    assert (report.first, report.repeats, report.doubled, report.again) == (4, 2, 3, [(8, 10)])
    again = bring(sqlite_store, tmp_path, [*rows, *rows, *other], INFER, "hmix-infer")
    assert (again.stored, again.known, again.doubled) == (0, 6, 3)
    kept = bring(sqlite_store, tmp_path, [*rows, *rows, *other], INFER, "hmix-infer", keep_doubles=True)
    assert (kept.stored, kept.known) == (3, 6)
    with sqlite_store.write() as connection:
        copies = connection.execute(select(Submission.batch_id).where(Submission.copy_of.is_not(None))).scalars().all()
        assert copies == connection.execute(select(Batch.id)).scalars().all()
        connection.execute(update(Participant).values(platform_id=None))
    assert bring(sqlite_store, tmp_path, rows, INFER, "hmix-infer").known == 3


OTHER = """
classes = ["cat", "dog"]
[columns]
participant = "who"
item = "stimulus"
[columns.mixed]
first = "one"
second = "two"
coefficient = "share"
[screens]
first = { column = "trial_type", value = "rate" }
[answer]
question = "infer"
"""
OTHER_HEADER = "who,stimulus,one,two,share,trial_type,trial_index,time_elapsed,rt,slider,shown\n"


def other(tmp_path: Path, answer: str) -> Path:
    """A mapping for another experiment."""
    path = tmp_path / "other.toml"
    path.write_text(OTHER + answer)
    return path


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # in the file "dog" is the first image and stands second among the classes; it stays endpoint1
        ('inferred = { column = "slider", first = 10, second = 0 }', [(0.8, None), (0.8, None)]),
        ('named_first = "second"\ninferred = { column = "slider", left = 0, right = 10 }', [(0.8, 1), (0.8, 1)]),
        ('named_first = "first"\ninferred = { column = "slider", left = 0, right = 10 }', [(0.2, 0), (0.2, 0)]),
        (
            'named_first_in = { column = "shown", prefix = "L:" }\n'
            'inferred = { column = "slider", left = 10, right = 0 }',
            [(0.8, 0), (0.2, 1)],
        ),
        (
            'named_first_in = { column = "shown", prefix = "L:" }\n'
            'inferred = { column = "slider", first = 0, second = 10 }',
            [(0.2, 0), (0.2, 1)],
        ),
    ],
)
def test_the_order_of_names_turns_the_scale_only_where_the_mapping_says_so(
    sqlite_store: Store, tmp_path: Path, answer: str, expected: list[tuple[float, int | None]]
) -> None:
    """Sliders may run between the endpoints, or between the names as they were shown; numbers stand in any column."""
    path = tmp_path / "raw.csv"
    path.write_text(f"{OTHER_HEADER}ann,i1,dog,cat,0.3,rate,0,10,5,8,L:dog\nann,i2,dog,cat,0.3,rate,1,20,5,8,L:cat\n")
    import_jspsych(sqlite_store, path, task=MIXING, study="s", mapping=other(tmp_path, answer))
    frame = frame_of(sqlite_store)
    flipped = [None if np.isnan(value) else int(value) for value in frame["flipped"]]
    assert list(zip(frame["inferred"], flipped, strict=True)) == expected
    assert frame["confidence"].isna().all()
    assert attributes_of(sqlite_store)["i1"] == {"endpoint1": "dog", "endpoint2": "cat", "coefficient": 0.3}


def test_a_name_that_is_no_endpoint_is_refused(sqlite_store: Store, tmp_path: Path) -> None:
    """Where the page's first name is neither of the two, nobody knows which way the slider ran."""
    path = tmp_path / "raw.csv"
    path.write_text(f"{OTHER_HEADER}ann,i1,dog,cat,0.3,rate,0,10,5,8,dog\nann,i2,dog,cat,0.3,rate,1,20,5,8,cow\n")
    mapping = other(
        tmp_path, 'named_first_in = { column = "shown" }\ninferred = { column = "slider", left = 10, right = 0 }'
    )
    report = import_jspsych(sqlite_store, path, task=MIXING, study="s", mapping=mapping)
    assert report.refused == [(3, "shown says 'cow', which is neither dog nor cat")]


SCALE = 'inferred = { key = "x", first = 0, second = 1 }'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (SCALE, "", "answer: inferred is missing; the question infer asks"),
        (SCALE, SCALE + '\nmidpoint = { key = "y", first = 0, second = 1 }',
         "midpoint: the question infer does not ask"),
        (SCALE, 'inferred = { key = "x", first = 0 }', "answer.inferred: give the two ends"),
        (SCALE, 'inferred = { key = "x", first = 0, second = 1, left = 0, right = 1 }', "give the two ends"),
        (SCALE, 'inferred = { key = "x", first = 1, second = 1 }', "both 1"),
        (SCALE, 'inferred = { key = "x", column = "y", first = 0, second = 1 }', "give either key .* or column"),
        (SCALE, 'inferred = { first = 0, second = 1 }', "give either key .* or column"),
        (SCALE, 'inferred = { key = "x", left = 0, right = 1 }', "left and right need named_first"),
        (SCALE, SCALE + '\nconfidence = { column = "x", lowest = 0, highest = 1 }', "'x' is both a key"),
        (SCALE, SCALE + '\nconfidence = { key = "y", lowest = 1, highest = 1 }', "confidence.lowest: is the same"),
        (SCALE, SCALE + '\nnamed_first = "dog"', "answer.named_first: expected 'first' or 'second', got 'dog'"),
        (SCALE, SCALE + '\nnamed_first = "first"\nnamed_first_in = { key = "z" }', "give either named_first or"),
        ('question = "infer"', 'question = "guess"', "answer.question: expected 'infer', 'choose' or 'construct'"),
        ('coefficient = "share"\n', "", "columns.mixed: the coefficient is missing"),
        ('first = "one"\n', "", "first and second must name columns"),
        ('first = "one"\n', 'first = "one"\nfrom = "a"\n', "from and pattern belong together"),
        ('first = "one"\n', "from = 'a'\npattern = '(?P<first>.)'\n", "columns.mixed.second: give either columns"),
        ('[screens]', "[options]\nquestion = \"choose\"\n[screens]", "options.question: is what answer.question says"),
        ('[screens]', "[options]\nquestoin = \"choose\"\n[screens]", "options.questoin: is not a field here"),
        ('item = "stimulus"', 'item = "stimulus"\nattributes = ["coefficient"]', "columns.attributes: coefficient is"),
        ('["cat", "dog"]', '["cat", "cat"]', "classes: a class stands there twice"),
        ('["cat", "dog"]', '["cat"]', "classes: at least two classes"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Each mistake in a mapping for mixed images is told with file, line and field."""
    source = OTHER + SCALE
    assert old in source
    (tmp_path / "other.toml").write_text(source.replace(old, new, 1))
    with pytest.raises(ImportFileError, match=rf"other.toml:\d+: .*{message}"):
        load_mapping(tmp_path / "other.toml", MIXING)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?P<first>.", "pattern: is no regular expression"),
        ("(?P<first>.)(?P<third>.)", "pattern: a group is called third"),
        ("(?P<first>.)", "pattern: lacks the group second"),
    ],
)
def test_a_wrong_pattern_is_named(tmp_path: Path, pattern: str, message: str) -> None:
    """A pattern must be a regular expression with the groups that there are."""
    source = re.sub(r"pattern = '.*'", f"pattern = '{pattern}'", load_mapping("hmix-choose", MIXING)[1])
    (tmp_path / "other.toml").write_text(source)
    with pytest.raises(ImportFileError, match=rf"other.toml:\d+: columns.mixed.{message}"):
        load_mapping(tmp_path / "other.toml", MIXING)


def test_the_mappings_that_come_along_are_valid(tmp_path: Path) -> None:
    """Every file in the folder has its name and its task, and the command's help says them all."""
    assert sorted(path.stem for path in MAPPINGS.glob("*.toml")) == sorted(SHIPPED)
    said = CliRunner().invoke(command, ["jspsych", "--help"]).output
    for name, task in SHIPPED.items():
        mapping, source, shown = load_mapping(name, task)
        assert (mapping.classes, shown) == (CIFAR10, f"mappings/{name}.toml")
        assert source == (MAPPINGS / f"{name}.toml").read_text()
        assert f" {name} " in said
    # Studies that were imported earlier keep the digest of their mapping, or nothing could be added to them.
    digest = load_mapping(None, "soft-label")[0].digest()
    assert digest == "4ec963024448a8429d1a6ebdc9a99d70098d61cc8df246da8b03c54fe6376a30"
    assert len({digest_of(name) for name in SHIPPED}) == len(SHIPPED)


def digest_of(name: str) -> str:
    """The digest of a mapping that comes along."""
    mapping: Mapping = load_mapping(name, SHIPPED[name])[0]
    return mapping.digest()


def test_a_file_goes_before_a_name_and_an_unknown_name_lists_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--mapping` takes a file that is there, else one of the names, of the right task."""
    monkeypatch.chdir(tmp_path)
    Path("hmix-infer").write_text(OTHER + SCALE)
    assert load_mapping("hmix-infer", MIXING)[0].classes == ("cat", "dog")
    for given, task, message in [
        ("hmix", MIXING, r"--mapping hmix: there is no such file, .*: hmix-choose, hmix-construct, hmix-infer$"),
        ("hmix-choose", "soft-label", "hmix-choose reads answers to the task mixing-coefficient, not to --task soft"),
        (None, MIXING, "--task mixing-coefficient needs --mapping: a file, or one of hmix-choose, "),
    ]:
        with pytest.raises(OptionError, match=message):
            load_mapping(given, task)


def test_the_command_takes_a_name(tmp_path: Path) -> None:
    """`crowdloom import jspsych … --mapping hmix-infer` needs no mapping file."""
    (tmp_path / "raw.csv").write_text(text(infer("ann", [(A, 1, 1)]), INFER))
    arguments = [str(tmp_path / "raw.csv"), "--task", MIXING, "--study", "s", "--mapping", "hmix-infer"]
    result = CliRunner().invoke(jspsych, [*arguments, "--database", str(tmp_path / "a.db")])
    assert result.exit_code == 0, result.output
    assert "1 stored as first" in result.output


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [(26, 100, 0, 0.74), ("0.7000000000000001", 0, 1, 0.7), (-1e-17, 0, 1, 0.0), (5, 0, 20, 0.25), ("1e0", 0, 1, 1)],
)
def test_a_value_becomes_its_place_between_the_ends(value: object, low: float, high: float, expected: float) -> None:
    """Either end may be the larger one; what is left of adding tenths is taken off."""
    assert fraction(value, low, high, "x") == expected
