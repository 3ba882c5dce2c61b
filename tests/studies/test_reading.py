"""Reading answers back, as chunks and as the long frame, and building label sets from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from crowdloom.analysis.frame import check_frame
from crowdloom.studies import reading
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set, record_label_set
from crowdloom.studies.posting import publish
from crowdloom.studies.reading import find_answers, read_frame, read_submissions, stream
from crowdloom.studies.records import read_debrief, read_events
from crowdloom.studies.review import exclude, review
from crowdloom.studies.status import study_status
from crowdloom.studies.tables import LabelSet, Submission
from crowdloom.studies.web import create_app
from crowdloom.tasks import TASKS
from tests.studies.studies_for_tests import DESIGN, answer, begin, complete, load_small, open_small


@pytest.fixture
def answered(store: Store, tmp_path: Path) -> Store:
    """A store in which two people completed the small study and a third stopped after one answer."""
    client = create_app(store).test_client()
    posting = open_small(store, tmp_path)
    complete(client, posting, "ann")
    complete(client, posting, "ben")
    answer(client, begin(client, posting, "cem"), top1="7", top2="1", top2_probability="20", impossible=["0", "9"])
    return store


def test_accepted_answers_are_those_of_filled_places(answered: Store) -> None:
    """Drop-outs count only where all answers are asked for."""
    with answered.read() as connection:
        assert len(read_frame(connection, "small")) == 8
        assert len(read_frame(connection, "small", "all")) == 9


def test_the_frame_keeps_the_contract(answered: Store) -> None:
    """The long frame passes the check at the door, and says what was answered."""
    with answered.read() as connection:
        frame = read_frame(connection, "small", "all")
        answers = find_answers(connection, "small")
    check_frame(frame, TASKS["soft-label"].columns, answers.classes)
    last = frame.iloc[-1]
    assert (last["top1"], last["top2"], last["top2_probability"], last["impossible"]) == ("7", "1", 20, ("0", "9"))
    assert set(frame["rt_ms"]) == {2500}
    assert frame.groupby("submission", sort=False)["is_repeat"].sum().tolist() == [1, 1, 0]
    repeats = frame[frame["is_repeat"]]
    assert (repeats["position"] == 3).all()


def test_a_study_without_answers_has_an_empty_frame(sqlite_store: Store, tmp_path: Path) -> None:
    """Nobody has answered: the frame has its columns and no rows."""
    open_small(sqlite_store, tmp_path)
    with sqlite_store.read() as connection:
        frame = read_frame(connection, "small")
    check_frame(frame, TASKS["soft-label"].columns, list("0123456789"))
    assert len(frame) == 0


def test_excluded_and_rejected_submissions_do_not_count(answered: Store) -> None:
    """An exclusion and a rejection each take one submission out of the accepted answers."""
    with answered.write() as connection:
        codes = [row[0] for row in read_submissions(connection, find_answers(connection, "small"))]
        assert exclude(connection, "small", codes[0], "pressed the same key throughout")
        assert not exclude(connection, "small", codes[0], "again")
        review(connection, "small", codes[1], "rejected", "no answer to the attention check")
        assert len(read_frame(connection, "small")) == 0
        assert len(read_frame(connection, "small", "all")) == 9


def test_chunks_are_small_and_leave_out_what_lies_between(answered: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks span few submissions; those of other studies or states between them are passed over."""
    monkeypatch.setattr(reading, "SUBMISSIONS_AT_A_TIME", 2)
    with answered.write() as connection:
        codes = [row[0] for row in read_submissions(connection, find_answers(connection, "small"))]
        exclude(connection, "small", codes[0], "test")
        answers = find_answers(connection, "small", "all")
        assert [len(chunk.item) for chunk in stream(connection, answers)] == [8, 1]
        accepted = find_answers(connection, "small")
        assert [len(chunk.item) for chunk in stream(connection, accepted)] == [4]


def test_aggregated_labels_are_the_means_of_single_ones(answered: Store) -> None:
    """Streamed sums give what averaging all first labels of an item gives."""
    with answered.read() as connection:
        each = build_label_set(connection, "small", Recipe(responses="all")).table
        mean = build_label_set(connection, "small", Recipe(responses="all", aggregate="mean")).table
        with_repeats = build_label_set(connection, "small", Recipe(responses="all", aggregate="mean", repeats=True))
    first = np.array(each.repeat_index) == 0
    for item, label in zip(mean.item, mean.labels, strict=True):
        of_item = np.array([name == item for name in each.item])
        np.testing.assert_allclose(label, each.labels[first & of_item].mean(axis=0), atol=1e-12)
    assert with_repeats.responses == 9


def test_a_label_set_says_how_it_was_built(answered: Store) -> None:
    """The recipe and the digest of the labels are kept; the same answers give the same digest."""
    recipe = Recipe(variety="none", aggregate="mean")
    with answered.write() as connection:
        for _ in range(2):
            record_label_set(connection, "small", recipe, build_label_set(connection, "small", recipe))
        rows = connection.execute(select(LabelSet.recipe, LabelSet.sha256, LabelSet.responses)).all()
    assert rows[0].recipe["variety"] == "T2-none"
    assert rows[0].sha256 == rows[1].sha256
    assert rows[0].responses == 6


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        (Recipe(variety="T3-clamp"), "no variety of labels"),
        (Recipe(gamma=1.0), "gamma is 1.0"),
        (
            Recipe(variety="T2-semantic", similarity=Path("x.csv"), vectors=Path("v.txt")),
            "--similarity and --vectors both say how alike",
        ),
        (Recipe(vectors=Path("v.txt")), "--vectors means something under semantic only"),
        (Recipe(aggregate="majority-vote", vectors=Path("v.txt")), "--vectors means nothing under --aggregate"),
        (Recipe(variety="T2-semantic", vectors=Path("nowhere.txt")), "nowhere.txt cannot be read"),
        (Recipe(variety="T2-uniform", gamma=0.1), "--gamma means something under clamp only"),
        (Recipe(similarity=Path("x.csv")), "--similarity means something under semantic only"),
        (Recipe(variety="T2-semantic", similarity=Path("nowhere.csv")), "nowhere.csv"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(answered: Store, recipe: Recipe, sentence: str) -> None:
    """The message names what does not fit."""
    with answered.read() as connection, pytest.raises(OptionError, match=sentence):
        build_label_set(connection, "small", recipe)


def test_versions_with_other_classes_are_not_mixed(answered: Store, tmp_path: Path) -> None:
    """Two versions whose classes differ must be read one at a time."""
    open_small(answered, tmp_path, DESIGN.replace('"8", "9"]', '"8", "9", "none"]'))
    with answered.read() as connection:
        with pytest.raises(StudyError, match="--version"):
            find_answers(connection, "small")
        with pytest.raises(StudyError, match="no version 3"):
            find_answers(connection, "small", version=3)
        assert len(read_frame(connection, "small", version=1)) == 8


def test_whose_answers_they_are_does_not_shift(answered: Store) -> None:
    """A submission that is accepted after the ids were read does not push the names of the others."""
    with answered.write() as connection:
        before = read_submissions(connection, find_answers(connection, "small"))
        code = before[0][0]
        review(connection, "small", code, "rejected", "tried")
        answers = find_answers(connection, "small")
        review(connection, "small", code, "approved")
        assert read_submissions(connection, answers) == before[1:]


def test_the_frame_says_how_each_submission_counts(answered: Store, tmp_path: Path) -> None:
    """Version and standing tell apart what was accepted, rejected, excluded, left and is unfinished."""
    client = create_app(answered).test_client()
    posting = open_small(answered, tmp_path)
    left = begin(client, posting, "dee")
    answer(client, left)
    client.post(f"{left}/leave")
    with answered.write() as connection:
        codes = [origin.submission for origin in read_submissions(connection, find_answers(connection, "small"))]
        review(connection, "small", codes[0], "rejected", "tried")
        exclude(connection, "small", codes[1], "tried")
        frame = read_frame(connection, "small", "all")
    standing = frame.groupby("submission", sort=False)["standing"].first().tolist()
    assert standing == ["rejected", "excluded", "started", "left"]
    assert set(frame["version"]) == {1}


def test_a_study_runs_by_the_version_that_is_open(answered: Store, tmp_path: Path) -> None:
    """Loading a changed design does not hide the places of the one that people are taking; publishing moves on."""
    load_small(answered, tmp_path, DESIGN.replace("What digit", "Which digit"))
    with answered.write() as connection:
        status = study_status(connection, "small")
        assert (status.version, status.places("filled")) == (1, 2)
        publish(connection, "small", "link")
        status = study_status(connection, "small")
        assert (status.version, status.places("filled")) == (2, 0)
        assert [posting.version for posting in status.postings if posting.state == "open"] == [2, 1]


def test_a_read_sees_one_state(answered: Store) -> None:
    """What others commit during a reading transaction is not seen in it, on either database."""
    with answered.read() as connection:
        codes = [row[0] for row in read_submissions(connection, find_answers(connection, "small"))]
        with answered.write() as other:
            exclude(other, "small", codes[0], "meanwhile")
        assert len(find_answers(connection, "small").submissions) == 2
    with answered.read() as connection:
        assert len(find_answers(connection, "small").submissions) == 1


def test_debrief_answers_and_events_can_be_read(sqlite_store: Store, tmp_path: Path) -> None:
    """One row for each debrief with a column for each question, and one for each event."""
    debrief = '[[debrief]]\nquestion = "How was it?"\n[[debrief]]\nquestion = "Why?"\n'
    client = create_app(sqlite_store).test_client()
    posting = open_small(sqlite_store, tmp_path, DESIGN + debrief)
    for name, said in (("ann", "fine"), ("ben", "dull")):
        base = complete(client, posting, name)
        client.post(f"{base}/debrief", data={"question-0": said, "question-1": ""})
    with sqlite_store.read() as connection:
        told = read_debrief(connection, "small")
        events = read_events(connection, "small")
    assert list(told.columns) == ["participant", "submission", "at", "How was it?", "Why?"]
    assert told["How was it?"].tolist() == ["fine", "dull"]
    assert events["kind"].tolist() == 2 * ["consent_given", "instructions_read", "completed", "debrief"]
    assert str(events["at"].dtype).endswith("UTC]")


def test_surplus_answers_are_kept_apart(sqlite_store: Store, tmp_path: Path) -> None:
    """A submission that lost its place is stored whole and counts only under `all`."""
    client = create_app(sqlite_store).test_client()
    posting = open_small(sqlite_store, tmp_path, DESIGN.replace("sample = 6", "sample = 3"))
    late = begin(client, posting, "late")
    client.post(f"{late}/leave")
    complete(client, posting, "ann")
    complete(client, posting, "ben")
    client.post(f"{late}/return")
    while answer(client, late) == 303 and "Every answer is saved" not in client.get(late).text:
        pass
    with sqlite_store.read() as connection:
        surplus = connection.scalars(select(Submission.surplus).order_by(Submission.id)).all()
        assert list(surplus) == [True, False, False]
        assert len(read_frame(connection, "small")) == 8
        assert len(read_frame(connection, "small", "all")) == 12
