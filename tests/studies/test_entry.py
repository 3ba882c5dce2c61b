"""Who may come in: retakes, refusals, exclusions, closed studies, new versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from crowdloom.studies.database import Store
from crowdloom.studies.entry import check_room, find_entry, refuse
from crowdloom.studies.errors import PlaceError, StudyError
from crowdloom.studies.participation import finish_instructions, read_progress
from crowdloom.studies.posting import publish
from crowdloom.studies.rehearsal import Habits, rehearse
from crowdloom.studies.tables import Participant, Posting, Submission
from tests.studies.designs import load, make_design, make_images
from tests.studies.takers import Study

TWICE = {"minutes": 2, "hold_minutes": 10, "submissions_per_participant": 2}


def test_who_is_under_way_gets_their_submission_back(store: Store, tmp_path: Path) -> None:
    """The same link leads to the same pages, also after completing."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    assert study.arrive("p") == token
    study.answer(token)
    assert study.arrive("p") == token


def test_a_retake_has_other_items_and_its_own_place(store: Store, tmp_path: Path) -> None:
    """Where the design allows two submissions, the third visit shows the second one's receipt."""
    study = Study(store, tmp_path, people=TWICE)
    first = study.arrive("p")
    study.answer(first)
    second = study.arrive("p")
    assert second != first
    assert not study.items(first) & study.items(second)
    study.answer(second)
    assert study.arrive("p") == second
    assert (study.submission(first).attempt, study.submission(second).attempt) == (1, 2)


def test_who_can_get_no_other_submission_gets_back_the_one_they_have(store: Store, tmp_path: Path) -> None:
    """All places are taken, the open ones are of items they had, or the study is closed: their receipt is shown."""
    for people, batches in ((2, {"size": 4, "responses_per_item": 2}), (1, {"size": 2, "responses_per_item": 1})):
        study = Study(store, tmp_path, name=f"for-{people}", people=TWICE, batches=batches)
        token = study.arrive("p")
        study.answer(token)
        if people == 1:
            study.answer(study.arrive("other"))
        assert study.arrive("p") == token
    closed = Study(store, tmp_path, name="closed", people=TWICE)
    token = closed.arrive("p")
    closed.answer(token)
    closed.close()
    assert closed.arrive("p") == token


def test_who_refused_may_think_better_of_it(store: Store, tmp_path: Path) -> None:
    """A refusal is recorded once, holds no place, and does not count as taking part."""
    study = Study(store, tmp_path)
    for _ in range(2):
        with store.write() as connection:
            refuse(connection, find_entry(connection, study.posting), "p")
    with store.read() as connection:
        refused = connection.execute(select(Submission.token, Submission.state)).one()
    assert refused.state == "refused"
    assert study.place(refused.token) is None
    token = study.arrive("p")
    assert token == refused.token
    assert (study.submission(token).state, study.place(token)) == ("started", "held")
    assert [kind for kind, _ in study.events(token)] == ["consent_refused", "consent_given", "instructions_read"]


def test_refusing_after_having_begun_is_leaving(store: Store, tmp_path: Path) -> None:
    """Who consented, went back and refused holds no place; that is recorded once, also where the study is closed."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    study.close()
    for _ in range(2):
        with store.write() as connection:
            assert refuse(connection, find_entry(connection, study.posting), "p") is None
    assert (study.submission(token).state, study.place(token)) == ("left", None)
    kinds = [kind for kind, _ in study.events(token)]
    assert kinds[kinds.index("consent_refused") :] == ["consent_refused", "place_freed", "left"]


def test_what_is_complete_stays_so(store: Store, tmp_path: Path) -> None:
    """An old consent page in another tab cannot take back a completed submission."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    study.answer(token)
    with store.write() as connection:
        assert refuse(connection, find_entry(connection, study.posting), "p") == token
    assert (study.submission(token).state, study.place(token)) == ("completed", "filled")
    assert "consent_refused" not in [kind for kind, _ in study.events(token)]


def test_people_of_an_excluded_study_are_turned_away(store: Store, tmp_path: Path) -> None:
    """Those who began it, even without finishing; those who refused it are welcome."""
    pilot = Study(store, tmp_path, name="pilot")
    pilot.arrive("began")
    with store.write() as connection:
        refuse(connection, find_entry(connection, pilot.posting), "refused")
    study = Study(store, tmp_path, eligibility={"exclude_studies": ["pilot"]})
    with pytest.raises(PlaceError, match="related study"):
        study.arrive("began")
    assert study.place(study.arrive("refused")) == "held"


def test_an_excluded_study_must_be_in_the_store(store: Store, tmp_path: Path) -> None:
    """A name that no study has would let in those who are meant to stay out, so nothing is published."""
    Study(store, tmp_path, name="pilot")
    make_images(tmp_path)
    load(store, tmp_path, make_design(eligibility={"exclude_studies": ["pilot", "pilto", "Pilot"]}))
    message = "eligibility.exclude_studies of 'pets': no study is called 'pilto' or 'Pilot'; there are: pets, pilot"
    with store.write() as connection, pytest.raises(StudyError, match=message):
        publish(connection, "pets", "link")
    with store.read() as connection:
        assert len(connection.scalars(select(Posting.id)).all()) == 1


def test_simulated_people_need_no_excluded_study(sqlite_store: Store, tmp_path: Path) -> None:
    """A rehearsal has a database of its own, in which earlier studies are not."""
    make_images(tmp_path)
    load(sqlite_store, tmp_path, make_design(eligibility={"exclude_studies": ["pilot"]}))
    assert rehearse(sqlite_store, "pets", participants=1, habits=Habits(careless=0)).people["arrived"] == 1


def test_a_new_version_is_the_same_study(store: Store, tmp_path: Path) -> None:
    """Who took the first version cannot take the second, or, where they can, gets other items."""
    study = Study(store, tmp_path)
    study.answer(study.arrive("once"))
    load(store, tmp_path, make_design(title="Which animal is this?", people=TWICE))
    first = study.arrive("both")
    study.answer(first)
    with store.write() as connection:
        study.posting = publish(connection, "pets", "link").token
    second = study.arrive("both")
    assert not study.items(first) & study.items(second)

    load(store, tmp_path, make_design(title="Which pet is this?"))
    with store.write() as connection:
        study.posting = publish(connection, "pets", "link").token
    with pytest.raises(PlaceError, match="only once"):
        study.arrive("once")


def test_a_closed_study_takes_nobody_new(store: Store, tmp_path: Path) -> None:
    """Who has begun may finish."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    study.close()
    with pytest.raises(PlaceError, match="closed"):
        study.arrive("late")
    study.answer(token)
    assert study.place(token) == "filled"


@pytest.mark.parametrize("name", ["", "a b", "a\n", "\x7f", "x" * 201])
def test_a_strange_participant_id_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    """Nothing is stored of it."""
    study = Study(store, tmp_path)
    with pytest.raises(PlaceError, match="not valid"):
        study.arrive(name)
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Participant)).scalar() == 0


def test_an_unknown_link_leads_nowhere(store: Store, tmp_path: Path) -> None:
    """With a sentence for the person who has it."""
    with store.read() as connection, pytest.raises(StudyError, match="copied completely"):
        find_entry(connection, "nothing")


def test_the_consent_page_says_beforehand_that_there_is_no_room(store: Store, tmp_path: Path) -> None:
    """But not where a place is free by now because somebody's time is over."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    token = study.arrive("p")
    with store.read() as connection, pytest.raises(PlaceError, match="a little later"):
        check_room(connection, find_entry(connection, study.posting))
    study.let_time_pass(token)
    with store.read() as connection:
        check_room(connection, find_entry(connection, study.posting))
    study.answer(token)
    with store.read() as connection, pytest.raises(PlaceError, match="all the answers it needs"):
        check_room(connection, find_entry(connection, study.posting))


def test_each_person_has_their_own_order(store: Store, tmp_path: Path) -> None:
    """Items and classes are shuffled per person; repeats follow in the asked positions."""
    batches = {"size": 6, "responses_per_item": 12, "repeats": [2, 5]}
    study = Study(store, tmp_path, items=6, batches=batches)
    rows = [study.submission(study.arrive(f"p{number}")) for number in range(12)]
    for row in rows:
        first, repeats = row.item_order[:6], row.item_order[6:]
        assert repeats == [[first[1][0], 1], [first[4][0], 1]]
        assert len({item for item, _ in first}) == 6
        assert sorted(row.class_order) == ["cat", "dog", "frog"]
    assert len({str(row.item_order) for row in rows}) > 6
    assert len({str(row.class_order) for row in rows}) > 1


def test_reading_the_instructions_twice_counts_once(store: Store, tmp_path: Path) -> None:
    """A form that is sent twice moves on once."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    with store.write() as connection:
        progress = read_progress(connection, token)
        finish_instructions(connection, progress, study.design)
        finish_instructions(connection, progress, study.design)
    assert [kind for kind, _ in study.events(token)].count("instructions_read") == 1
