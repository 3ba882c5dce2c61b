"""Made-up exports: what is refused, what is reported, and that a failed import leaves the store as it was."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import event, func, select, update

from crowdloom.studies.cli.importing import command
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import CrowdloomError, ImportFileError, OptionError, StoreError, StudyError
from crowdloom.studies.importing import Report, import_jspsych
from crowdloom.studies.importing.answers import load_mapping
from crowdloom.studies.loading import add_design, take_study
from crowdloom.studies.tables import Event, Participant, Place, Response, Study, Submission, Table

HEADER = ["", "trial_type", "trial_index", "time_elapsed", "subject", "condition", "rt", "response", "filename",
          "task", "label", "img_id"]  # fmt: skip
GOOD = {"classSelect": "mostProbCat", "prob": "70", "classSelect2": "secondProbDog", "prob2": "20",
        "improbClassSelectShip": "1"}  # fmt: skip


def screen(subject: str, index: int, item: str = "", kind: str = "spec_conf", **other: Any) -> dict[str, str]:
    """One row; with an item it is an answer."""
    row = {"trial_type": "form" if item else "instructions", "trial_index": str(index), "subject": subject,
           "time_elapsed": str(1000 * index + len(subject)), "condition": "0", "rt": "", "filename": ""}  # fmt: skip
    if item:
        row |= {"task": kind, "label": "Cat", "img_id": f"{item}.0", "rt": "900.4", "response": json.dumps(GOOD)}
    return row | other


def session(subject: str, items: str = "123", **other: Any) -> list[dict[str, str]]:
    """Instructions, one answer to each item, and the first item again."""
    rows = [screen(subject, 0, **other)]
    rows += [screen(subject, 1 + i, item, **other) for i, item in enumerate(items)]
    return [*rows, screen(subject, 1 + len(items), items[0], "rerun_spec_conf", **other)]


def text(rows: list[dict[str, str]], header: list[str] = HEADER) -> str:
    """The rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"": str(number)} for number, row in enumerate(rows))
    return out.getvalue()


def bring(store: Store, folder: Path, content: str | bytes, **options: Any) -> Report:
    """Write a file and import it; the report's numbers must add up to the rows read."""
    path = folder / "raw.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    report = import_jspsych(store, path, **{"task": "soft-label", "study": "s", **options})
    assert report.rows == report.stored + report.doubled + report.known
    return report


def everything(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.read() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Table.metadata.tables.items()
        }


def all_of(store: Store, column: Any) -> list[Any]:
    """One column, in the order of ids."""
    with store.read() as connection:
        return list(connection.execute(select(column).order_by(column.class_.id)).scalars())


TWO = text([*session("a"), *session("b")])
BROKEN: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "header only": (text([]), "no rows"),
    "not text": (b"PK\x03\x04\0\0\0", "not a CSV text file"),
    "another encoding": (TWO.replace("form", "fórm").encode("latin-1"), r"raw.csv:3: is not UTF-8"),
    "another table": ("name,age\nx,3\n", r"lacks the column subject, condition, .* mappings/cifar10s.toml"),
    "a missing column": (text(session("a"), HEADER[:-1]), "lacks the column img_id"),
    "a column twice": (text(session("a"), [*HEADER, "rt"]), "has the column rt twice"),
    "torn in a row": (TWO[:-7], r"raw.csv:11: has 11 fields where the header has 12"),
    "torn in quotes": (TWO[:-35], r"raw.csv:11: is torn"),
    "torn in the last field": (TWO[:-2], r"raw.csv:11: the last line does not end"),
    "torn after the last comma": (TWO[: TWO.rindex(",") + 1], r"raw.csv:11: the last line does not end"),
    "torn in a doubled quote": (TWO + '10,form,9,1,a,0,9,,,,,"1"', r"raw.csv:12: the last line does not end"),
    "a field too many": (TWO.replace("instructions", "instr,uctions", 1), "raw.csv:2: has 13 fields"),
    "nobody": (text([screen("", 0)]), "raw.csv:2: subject is empty"),
    "no index": (text([screen("a", 0), screen("a", 1, trial_index="x")]), "raw.csv:3: trial_index must be a whole"),
    "no batch": (text([screen("a", 1, "7", condition="")]), "raw.csv:2: condition must be a whole"),
    "two batches": (text([screen("a", 0), screen("a", 1, condition="4")]), "raw.csv:3: condition is 4 but 0 before"),
    "no answers": (text([screen("a", 0)]), "no row has 'spec_conf' in the column task"),
    "no readable answer": (text([screen("a", 0, "7", response="{}")]), "raw.csv:2: no answer .* classSelect is miss"),
    "no real batch": (text([*session("a"), *session("b", "45")]), "raw.csv:7: condition is 0 here and in line 2"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_refused_whole(sqlite_store: Store, tmp_path: Path, what: str) -> None:
    """Each kind of broken file gives one sentence with its line, and nothing is stored."""
    content, message = BROKEN[what]
    with pytest.raises(ImportFileError, match=message):
        bring(sqlite_store, tmp_path, content)
    assert set(everything(sqlite_store).values()) == {0}


REFUSED = {
    "not JSON": ({"response": '{"classSelect": '}, "response is no valid JSON"),
    "not an object": ({"response": "[1]"}, "response is no JSON object"),
    "not a number": ({"response": json.dumps(GOOD | {"prob": "many"})}, "prob says 'many'"),
    "too large": ({"response": json.dumps(GOOD | {"prob": "101"})}, "prob says '101'"),
    "infinite": ({"response": '{"x": Infinity}'}, "response is no valid JSON"),
    "no probability": ({"response": json.dumps(GOOD | {"prob": ""})}, "prob is empty"),
    "second no number": ({"response": json.dumps(GOOD | {"prob2": "?"})}, "prob2 says"),
    "no class": ({"response": json.dumps(GOOD | {"classSelect": "mostProbCow"})}, "classSelect says 'mostProbCow'"),
    "no prefix": ({"response": json.dumps(GOOD | {"classSelect": "Cat"})}, "classSelect says 'Cat'"),
    "unknown tick": ({"response": json.dumps(GOOD | {"improbClassSelectCow": "1"})}, "improbClassSelectCow names"),
    "no item": ({"img_id": ""}, "img_id must name the item"),
    "item no number": ({"img_id": "x"}, "img_id says 'x'"),
    "twice": ({"img_id": "1.0"}, "shown for a first answer before"),
    "other label": ({"label": "Dog"}, "described otherwise in line 4"),
    "unknown label": ({"label": "Cow"}, "label says 'Cow'"),
    "no time": ({"rt": "soon"}, "rt says 'soon'"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_answer_that_cannot_be_read_is_reported_and_kept(sqlite_store: Store, tmp_path: Path, what: str) -> None:
    """The row is refused with line and reason and becomes an event; the rest of the session is stored."""
    change, reason = REFUSED[what]
    rows = [*session("a"), *session("b")]
    rows[7] |= change  # the second answer of b, line 9
    report = bring(sqlite_store, tmp_path, text(rows))
    assert [line for line, _ in report.refused] == [9]
    assert reason in report.refused[0][1]
    assert f"Refused, line 9: {report.refused[0][1]}" in report.text()
    assert (report.first, report.repeats, report.events) == (5, 2, 2)
    refused = [values for values in all_of(sqlite_store, Event.values) if "reason" in values]
    assert [(values["line"], "subject" in values["screen"]) for values in refused] == [(9, False)]
    assert all_of(sqlite_store, Submission.state) == ["completed", "completed"]


def test_sessions_of_the_same_person_are_told_apart(sqlite_store: Store, tmp_path: Path) -> None:
    """Another session of a person is a second submission; one that ends early is kept without a place."""
    later = [row | {"time_elapsed": "5" + row["time_elapsed"]} for row in session("a")]
    report = bring(sqlite_store, tmp_path, text([*session("a"), *session("b")[:3], *later]))
    assert (len(report.again), report.again[0], report.incomplete) == (1, (10, 14), [(7, 9)])
    assert all_of(sqlite_store, Submission.attempt) == [1, 1, 2]
    assert all_of(sqlite_store, Submission.state) == ["completed", "started", "completed"]
    assert len(all_of(sqlite_store, Place.state)) == 2
    assert len(all_of(sqlite_store, Participant.id)) == 2


def test_a_copy_that_goes_on_adds_its_rows_to_the_original(sqlite_store: Store, tmp_path: Path) -> None:
    """A session saved twice, the second time with one screen more, is stored once with that screen."""
    report = bring(sqlite_store, tmp_path, text([*session("a"), *session("a"), screen("a", 9)]))
    assert (report.first, report.repeats, report.events, report.doubled) == (3, 1, 2, 5)
    kept = bring(sqlite_store, tmp_path, text([*session("a"), *session("a"), screen("a", 9)]), keep_doubles=True)
    assert (kept.stored, kept.known) == (5, 6)


def test_rows_may_stand_in_another_order_and_the_index_may_change(sqlite_store: Store, tmp_path: Path) -> None:
    """Sessions are recognised one by one, whatever the file around them."""
    bring(sqlite_store, tmp_path, text([*session("a"), *session("b")]))
    assert bring(sqlite_store, tmp_path, text([*session("b"), *session("a")])).known == 10


def test_a_further_file_may_add_people_and_nothing_else(sqlite_store: Store, tmp_path: Path) -> None:
    """New participants of the same batches join; a changed session, batch, item or mapping is refused."""
    bring(sqlite_store, tmp_path, text([*session("a"), *session("b")]))
    report = bring(sqlite_store, tmp_path, text([*session("a"), *session("c")]))
    assert (report.stored, report.known, report.participants) == (5, 5, 1)
    left_early = bring(sqlite_store, tmp_path, text(session("e")[:3]))
    assert (left_early.stored, left_early.incomplete) == (3, [(2, 4)])
    before = everything(sqlite_store)
    mapping = tmp_path / "other.toml"
    source = load_mapping(None, "soft-label")[1]
    mapping.write_text(source.replace('value = "0"', 'value = "00"'))
    changed = [row | {"rt": "1"} for row in session("a")]
    refused: list[tuple[list[dict[str, str]], dict[str, Any], str]] = [
        (changed, {}, "line 2 of raw.csv: .* another session"),
        (session("d", condition="8"), {}, "batch 8 is not as in raw.csv"),
        (session("d", "1234"), {}, "batch 0 is not as in raw.csv"),
        (session("d", label="Dog"), {}, "batch 0 is not as in raw.csv"),
        (session("a"), {"mapping": mapping}, "another mapping"),
    ]
    for rows, options, message in refused:
        with pytest.raises(StudyError, match=message):
            bring(sqlite_store, tmp_path, text(rows), **options)
    assert everything(sqlite_store) == before
    assert bring(sqlite_store, tmp_path, text(changed), study="other").participants == 1


def test_sessions_of_erased_identities_are_recognised(sqlite_store: Store, tmp_path: Path) -> None:
    """Where the participants' own ids have been erased, a second import still adds nothing."""
    bring(sqlite_store, tmp_path, TWO)
    with sqlite_store.write() as connection:
        connection.execute(update(Participant).values(platform_id=None))
    assert bring(sqlite_store, tmp_path, TWO).known == 10


def test_a_study_that_was_designed_here_takes_no_import(sqlite_store: Store, tmp_path: Path) -> None:
    """The name of a study with a design of its own is refused."""
    design = DesignModel.model_validate(
        {"name": "s", "title": "t", "task": "soft-label", "classes": ["x", "y"], "consent": "c", "instructions": ["i"],
         "items": {"source": "digits"}, "batches": {"size": 2, "responses_per_item": 1},
         "people": {"minutes": 1, "hold_minutes": 1}}
    )  # fmt: skip
    with sqlite_store.write() as connection:
        add_design(connection, take_study(connection, "s"), design, "", "0" * 64)
    with pytest.raises(StudyError, match="was not imported"):
        bring(sqlite_store, tmp_path, TWO)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"study": "My study"}, "--study 'My study' cannot be a name"),
        ({"task": "no-such"}, "--task no-such: .* soft-label"),
    ],
)
def test_wrong_options_are_named(sqlite_store: Store, tmp_path: Path, options: dict[str, str], message: str) -> None:
    """A task that cannot be imported and a name that is none are the options' fault."""
    with pytest.raises(OptionError, match=message):
        bring(sqlite_store, tmp_path, TWO, **options)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[columns]", "[columns", r"other.toml:\d+: not valid TOML"),
        ('participant = "subject"', "", r"other.toml:\d+: columns.participant: is missing"),
        ('participant = "subject"', "participant = 3", r"other.toml:\d+: columns.participant: expected a text"),
        ('top1_probability = "prob"', 'top = "prob"', r"answer.top1_probability: is missing"),
        ('"Bird", ', '"Cat", ', "a class stands there twice"),
        ('"Bird", ', '"item", ', r"other.toml:\d+: classes.3: 'item' is a column of exported labels"),
        ('key = "prob"', 'kee = "prob"', r"corrections.1.kee: is not a field here"),
        ('"subject"', '"worker"', "lacks the column worker that .*other.toml names"),
    ],
)
def test_a_wrong_mapping_is_named(sqlite_store: Store, tmp_path: Path, old: str, new: str, message: str) -> None:
    """A mapping's mistakes are told with file, line and field."""
    path = tmp_path / "other.toml"
    path.write_text(re.sub(re.escape(old), new, load_mapping(None, "soft-label")[1], count=1))
    with pytest.raises(ImportFileError, match=message):
        bring(sqlite_store, tmp_path, TWO, mapping=path)


def test_another_experiment_needs_a_mapping_only(sqlite_store: Store, tmp_path: Path) -> None:
    """Other columns, other classes, keys that are no numbers, no repeats and no reference."""
    mapping = tmp_path / "fruit.toml"
    mapping.write_text(
        'classes = ["apple", "pear"]\n[columns]\nparticipant = "who"\nbatch = "set"\nitem = "stimulus"\n'
        '[screens]\nfirst = { column = "trial_type", value = "rate" }\n[answer]\ntop1 = { key = "a" }\n'
        'top1_probability = "pa"\ntop2 = { key = "b" }\nno_alternative = "none"\ntop2_probability = "pb"\n'
        'impossible_prefix = "not-"\n'
    )
    header = "who,set,stimulus,trial_type,trial_index,time_elapsed,rt,response\n"
    answer = '"{""a"": ""pear"", ""pa"": 62.5, ""b"": ""none""}"'
    report = bring(sqlite_store, tmp_path, f"{header}x,4,fruit/1.png,rate,0,10,null,{answer}\n", mapping=mapping)
    assert (report.first, report.refused) == (1, [])
    given = {"a": "pear", "pa": 62.5, "b": "none"}
    read = {"top1": "pear", "top1_probability": 62.5, "top2": None, "top2_probability": None, "impossible": []}
    assert all_of(sqlite_store, Response.answer) == [read | {"given": given}]
    assert all_of(sqlite_store, Response.rt_ms) == [None]


def test_a_full_disk_leaves_the_store_as_it_was(sqlite_store: Store, tmp_path: Path) -> None:
    """SQLite's own "disk is full", half-way through, takes back everything."""
    with sqlite_store.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 30}")

    event.listen(sqlite_store.engine, "checkout", limit)
    rows = [row for number in range(200) for row in session(f"p{number}")]
    with pytest.raises(StoreError, match="full"):
        bring(sqlite_store, tmp_path, text(rows))
    event.remove(sqlite_store.engine, "checkout", limit)
    assert set(everything(sqlite_store).values()) == {0}


def test_two_imports_at_once_store_everything_once(store: Store, tmp_path: Path) -> None:
    """Of two that import the same file at the same time one finds everything there."""
    path = tmp_path / "raw.csv"
    path.write_text(TWO)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(import_jspsych, store, path, task="soft-label", study="s") for _ in range(2)]
        assert sorted(run.result().stored for run in runs) == [0, 10]
    assert len(all_of(store, Study.id)) == 1


def test_a_file_that_is_not_there_is_named(sqlite_store: Store, tmp_path: Path) -> None:
    """A path that cannot be read is told as it is."""
    for path in (tmp_path / "no.csv", tmp_path):
        with pytest.raises(CrowdloomError, match="cannot be read"):
            import_jspsych(sqlite_store, path, task="soft-label", study="s")


def test_the_command_prints_the_report(tmp_path: Path) -> None:
    """`crowdloom import jspsych` reads the file into the database that it is given."""
    (tmp_path / "raw.csv").write_text(text([*session("a"), *session("a")]))
    arguments = ["jspsych", str(tmp_path / "raw.csv"), "--task", "soft-label", "--study", "s"]
    result = CliRunner().invoke(command, [*arguments, "--database", str(tmp_path / "a.db")])
    assert result.exit_code == 0, result.output
    for line in ("10 rows read", "3 stored as first", "1 stored as repeat", "lines 7-11 repeat lines 2-6"):
        assert line in result.output
