"""Places: who gets which batch, and what becomes of a place that is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from crowdloom.studies.allocation import free_expired
from crowdloom.studies.database import Store
from crowdloom.studies.errors import CrowdloomError, PlaceError
from crowdloom.studies.participation import come_back, go_on, leave, read_progress
from crowdloom.studies.review import review
from crowdloom.studies.status import study_status
from crowdloom.studies.tables import Batch, Condition, Design, Place, Submission
from tests.studies.takers import Study


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """What steps return, or raise, that begin at the same moment."""
    barrier = threading.Barrier(len(steps))
    results: list[Any] = [None] * len(steps)

    def run(number: int, step: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[number] = step()
        except Exception as error:  # noqa: BLE001 - raised below, in the test's own thread
            results[number] = error

    threads = [threading.Thread(target=run, args=(number, step)) for number, step in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, CrowdloomError):
            raise result
    return results


def design_id(study: Study) -> int:
    with study.store.read() as connection:
        return int(connection.execute(select(Design.id)).scalar_one())


def test_the_batch_that_most_needs_responses_comes_first(store: Store, tmp_path: Path) -> None:
    """Of three batches, none is ever two people ahead of another."""
    study = Study(store, tmp_path, items=6, batches={"size": 2, "responses_per_item": 3})
    for number in range(9):
        study.arrive(f"p{number}")
        with store.read() as connection:
            held = [batch.held for batch in study_status(connection, "pets").batches]
        assert max(held) - min(held) <= 1


def test_a_place_whose_time_is_over_is_freed_once(store: Store, tmp_path: Path) -> None:
    """Two that look at the same moment free it once, and it goes to one person."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    token = study.arrive("slow")
    study.let_time_pass(token)

    def look() -> int:
        with store.write() as connection:
            return free_expired(connection, design_id(study))

    assert sorted(at_once(look, look, look)) == [0, 0, 1]
    assert study.freed(token) == ["time_over"]
    assert study.place(study.arrive("next")) == "held"
    assert study.place(token) is None


def test_a_place_is_kept_until_its_time_is_over(store: Store, tmp_path: Path) -> None:
    """Nobody else gets it before."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    study.arrive("first")
    with pytest.raises(PlaceError, match="try again a little later"):
        study.arrive("second")


def test_the_last_place_goes_to_one_of_those_who_arrive_at_once(store: Store, tmp_path: Path) -> None:
    """Two places, eight people at the same moment: two get in, six are told why not."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 2})
    results = at_once(*(lambda number=number: study.arrive(f"p{number}") for number in range(8)))
    tokens = [result for result in results if isinstance(result, str)]
    assert len(tokens) == 2
    assert [study.place(token) for token in tokens] == ["held", "held"]
    assert sum(isinstance(result, PlaceError) for result in results) == 6


def test_a_person_who_arrives_twice_at_once_has_one_submission(store: Store, tmp_path: Path) -> None:
    """A double click on the consent page leads to the same pages."""
    study = Study(store, tmp_path)
    one, other = at_once(lambda: study.arrive("p"), lambda: study.arrive("p"))
    assert one == other
    with store.read() as connection:
        assert study_status(connection, "pets").places("held") == 1


def test_leaving_frees_the_place_at_once_and_once(store: Store, tmp_path: Path) -> None:
    """Whoever leaves twice has left once; their answers stay."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    token = study.arrive("p")
    study.answer(token, 1)
    with store.write() as connection:
        progress = read_progress(connection, token)
        leave(connection, progress)
        leave(connection, progress)
    assert study.freed(token) == ["left"]
    assert study.submission(token).state == "left"
    study.answer(study.arrive("next"))


def test_leaving_after_the_end_changes_nothing(store: Store, tmp_path: Path) -> None:
    """A leave page that was opened before the last answer cannot undo it."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    with store.read() as connection:
        before = read_progress(connection, token)
    study.answer(token)
    with store.write() as connection:
        leave(connection, before)
    assert (study.submission(token).state, study.place(token)) == ("completed", "filled")


def test_who_returns_to_a_lost_place_holds_one_again_if_there_is_one(store: Store, tmp_path: Path) -> None:
    """Two tabs that are opened at the same moment hold one place together."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 3})
    token = study.arrive("slow")
    study.let_time_pass(token)
    study.arrive("next")
    assert study.place(token) is None
    with store.read() as connection:
        progress = read_progress(connection, token)

    def open_page() -> None:
        with store.write() as connection:
            go_on(connection, progress, study.design)

    at_once(open_page, open_page, open_page)
    assert study.place(token) == "held"
    with store.read() as connection:
        assert study_status(connection, "pets").places("held") == 2


def test_who_returns_takes_a_place_whose_time_is_over(store: Store, tmp_path: Path) -> None:
    """It need not wait until somebody new arrives."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    first = study.arrive("first")
    study.let_time_pass(first)
    second = study.arrive("second")
    study.let_time_pass(second)
    with store.write() as connection:
        go_on(connection, read_progress(connection, first), study.design)
    assert (study.place(first), study.place(second)) == ("held", None)


def test_a_page_that_was_asked_for_before_leaving_takes_no_place(store: Store, tmp_path: Path) -> None:
    """What was read before they left does not bring them back."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    with store.write() as connection:
        progress = read_progress(connection, token)
        leave(connection, progress)
        go_on(connection, progress, study.design)
    assert study.place(token) is None


def test_who_finishes_without_a_place_is_kept_and_marked_surplus(store: Store, tmp_path: Path) -> None:
    """Their place was given away and filled: they complete, and no item gets more than it wants."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    late = study.arrive("late")
    study.answer(late, 1)
    study.let_time_pass(late)
    study.answer(study.arrive("quick"))
    study.answer(late)
    row = study.submission(late)
    assert (row.state, row.surplus, study.place(late)) == ("completed", True, None)
    assert study.events(late)[-1] == ("completed", {"surplus": True})
    with store.read() as connection:
        status = study_status(connection, "pets")
    assert (status.accepted_min, status.accepted_max, status.submissions["surplus"]) == (1, 1, 1)


def test_who_finishes_without_a_place_fills_an_open_one(store: Store, tmp_path: Path) -> None:
    """Surplus are only those whose batch has no place left."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    late = study.arrive("late")
    study.let_time_pass(late)
    other = study.arrive("other")
    study.let_time_pass(other)
    study.answer(late)
    assert (study.submission(late).surplus, study.place(late), study.place(other)) == (False, "filled", None)


def test_an_overdue_place_that_nobody_took_is_filled_by_its_holder(store: Store, tmp_path: Path) -> None:
    """Being slow costs nothing where nobody else came."""
    study = Study(store, tmp_path)
    token = study.arrive("slow")
    study.let_time_pass(token)
    study.answer(token)
    assert (study.place(token), study.freed(token)) == ("filled", [])


def test_the_last_answer_and_leaving_at_the_same_moment(store: Store, tmp_path: Path) -> None:
    """Whichever comes first: once they are back and have answered, it is complete and fills its place."""
    for number in range(5):
        study = Study(store, tmp_path, name=f"pets{number}")
        token = study.arrive("p")
        study.answer(token, 1)

        def go_away(study: Study = study, token: str = token) -> None:
            with study.store.write() as connection:
                leave(connection, read_progress(connection, token))

        at_once(go_away, partial(study.answer, token, 1))
        with store.write() as connection:
            come_back(connection, read_progress(connection, token), study.design)
        study.answer(token)
        assert (study.submission(token).state, study.place(token)) == ("completed", "filled")


def test_a_submission_with_every_answer_is_completed_when_its_page_is_opened(store: Store, tmp_path: Path) -> None:
    """Should the last answer have been kept without completing it, opening the page does."""
    study = Study(store, tmp_path)
    token = study.arrive("p")
    study.answer(token)
    with store.write() as connection:
        connection.execute(update(Submission).where(Submission.token == token).values(state="started", stage="trials"))
        connection.execute(update(Place).values(state="held").where(Place.state == "filled"))
        go_on(connection, read_progress(connection, token), study.design)
    assert (study.submission(token).state, study.place(token)) == ("completed", "filled")


def test_a_rejected_submission_opens_its_place_once(store: Store, tmp_path: Path) -> None:
    """The next person gets it, and the item ends with the responses that it wants."""
    study = Study(store, tmp_path, items=2, batches={"size": 2, "responses_per_item": 1})
    first = study.arrive("first")
    study.answer(first)
    with pytest.raises(PlaceError, match="all the answers it needs"):
        study.arrive("second")
    code = study.submission(first).pseudonym
    for _ in range(2):
        with store.write() as connection:
            review(connection, "pets", code, "rejected", "clicked through")
    assert study.freed(first) == ["rejected"]
    study.answer(study.arrive("second"))
    with store.read() as connection:
        status = study_status(connection, "pets")
    assert (status.accepted_min, status.accepted_max) == (1, 1)
    assert study.submission(first).state == "completed"


def test_conditions_are_filled_evenly(store: Store, tmp_path: Path) -> None:
    """Two arms of the same items get people in turn."""
    arms = [{"name": "plain"}, {"name": "bonus"}]
    study = Study(store, tmp_path, batches={"size": 2, "responses_per_item": 3}, conditions=arms)
    tokens = [study.arrive(f"p{number}") for number in range(8)]
    with store.read() as connection:
        names = connection.scalars(
            select(Condition.name)
            .join(Batch, Batch.condition_id == Condition.id)
            .join(Submission, Submission.batch_id == Batch.id)
            .where(Submission.token.in_(tokens))
        ).all()
    assert Counter(names) == {"plain": 4, "bonus": 4}


def test_nobody_gets_an_item_twice_in_another_condition(store: Store, tmp_path: Path) -> None:
    """Two batches in two arms: a person who may come four times gets each item once."""
    study = Study(
        store,
        tmp_path,
        people={"minutes": 2, "hold_minutes": 10, "submissions_per_participant": 4},
        conditions=[{"name": "plain"}, {"name": "bonus"}],
    )
    first = study.arrive("p")
    study.answer(first)
    second = study.arrive("p")
    study.answer(second)
    assert not study.items(first) & study.items(second)
    # There is nothing left for them: they are led to their receipt, and hold no third place.
    assert study.arrive("p") == second
    assert study.place(second) == "filled"
