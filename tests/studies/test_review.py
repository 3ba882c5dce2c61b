"""What a researcher's decisions do to places."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import StudyError
from crowdloom.studies.review import completed, review
from crowdloom.studies.status import study_status
from crowdloom.studies.tables import Submission
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import DESIGN, begin, complete, open_small
from tests.studies.takers import close_all

THREE = DESIGN.replace("sample = 6", "sample = 3").replace("responses_per_item = 2", "responses_per_item = 1")


def filled(store: Store) -> int:
    """How many places are filled."""
    with store.read() as connection:
        return study_status(connection, "small").places("filled")


def test_a_rejection_can_be_taken_back(store: Store, tmp_path: Path) -> None:
    """Rejecting frees the place, approving after all takes it again; each twice changes nothing more."""
    complete(create_app(store).test_client(), open_small(store, tmp_path, THREE), "ann")
    with store.read() as connection:
        code = completed(connection, "small")[0].code
    for decision, places in (("rejected", 0), ("rejected", 0), ("approved", 1), ("approved", 1)):
        with store.write() as connection:
            review(connection, "small", code, decision, "tried")
        assert filled(store) == places


def test_approved_too_late_is_surplus(store: Store, tmp_path: Path) -> None:
    """Where somebody else has taken the place in between, the approved submission is surplus, not one too many."""
    client = create_app(store).test_client()
    posting = open_small(store, tmp_path, THREE)
    complete(client, posting, "ann")
    with store.write() as connection:
        code = completed(connection, "small")[0].code
        review(connection, "small", code, "rejected", "tried")
    complete(client, posting, "ben")
    with store.write() as connection:
        review(connection, "small", code, "approved")
        assert connection.scalars(select(Submission.surplus).order_by(Submission.id)).all() == [True, False]
    assert filled(store) == 1


def test_what_is_not_complete_cannot_be_reviewed(store: Store, tmp_path: Path) -> None:
    """Neither an unknown code nor a submission under way."""
    begin(create_app(store).test_client(), open_small(store, tmp_path), "ann")
    with store.write() as connection:
        code = connection.scalars(select(Submission.pseudonym)).one()
        with pytest.raises(StudyError, match="is not complete"):
            review(connection, "small", code, "approved")
        with pytest.raises(StudyError, match="has no submission 'x'"):
            review(connection, "small", "x", "approved")


def test_who_has_begun_finishes_a_closed_study(store: Store, tmp_path: Path) -> None:
    """Closing turns new people away; by the study's link the others find their page and their receipt again."""
    client = create_app(store).test_client()
    posting = open_small(store, tmp_path)
    base = begin(client, posting, "ann")
    close_all(store, "small")
    assert client.get(f"/join/{posting}?participant=ann").location == base
    assert client.post(f"/join/{posting}", data={"participant": "ann", "decision": "agree"}).location == base
    for page in (
        client.get(f"/join/{posting}?participant=ben"),
        client.post(f"/join/{posting}", data={"participant": "ben", "decision": "agree"}),
        client.post(f"/join/{posting}", data={"participant": "ben", "decision": "refuse"}),
    ):
        assert (page.status_code, "is closed" in page.text) == (409, True)
    assert complete(client, posting, "ann") == base
    assert filled(store) == 1
