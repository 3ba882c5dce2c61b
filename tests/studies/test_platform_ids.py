"""What a platform calls a person stands in one table only; everything else knows a random pseudonym."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, String, cast, select, update

from crowdloom.studies.database import Store
from crowdloom.studies.design_types import Money
from crowdloom.studies.entry import find_entry, refuse
from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.exporting import export_frame
from crowdloom.studies.identities import VARIABLE, Forgotten, forget_identities, new_key
from crowdloom.studies.ledger import owe
from crowdloom.studies.paying import owe_rewards, pay
from crowdloom.studies.platforms.protocol import Arrival
from crowdloom.studies.reading import read_frame
from crowdloom.studies.steering import close
from crowdloom.studies.tables import Participant, Submission, Table
from crowdloom.studies.web import create_app
from tests.studies.conftest import Publish
from tests.studies.published import Faulty, OnProlific, Published
from tests.studies.studies_for_tests import answer, begin, complete, open_small, trial_id

WHO = "worker-A1B2C3"


def columns_with(store: Store, needle: str) -> set[str]:
    """Every column of any table whose value, as text or as bytes, holds `needle` somewhere."""
    found = set()
    with store.read() as connection:
        for table in Table.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, LargeBinary):
                    values = [bytes(value) for value in connection.scalars(select(column)) if value]
                    hit = any(needle.encode() in value for value in values)
                else:
                    hit = any(needle in value for value in connection.scalars(select(cast(column, String))) if value)
                if hit:
                    found.add(f"{table.name}.{column.name}")
    return found


def test_a_platform_id_stands_in_one_column(store: Store, tmp_path: Path) -> None:
    """After taking part, refusing, leaving, second answers and broken forms the id is in `participant` alone."""
    posting = open_small(store, tmp_path)
    client = create_app(store).test_client()
    taken = complete(client, posting, WHO)
    client.get(f"/join/{posting}?participant={WHO}")
    client.post(f"/join/{posting}", data={"participant": f"{WHO}-no", "decision": "refuse"})
    base = begin(client, posting, f"{WHO}-left")
    first = trial_id(client, base)
    answer(client, base)
    answer(client, base, trial=first, top1_probability="20")
    answer(client, base, top1_probability=WHO)
    client.post(f"{base}/leave")
    assert columns_with(store, WHO) == {"participant.platform_id"}

    with store.read() as connection:
        people = connection.execute(select(Participant.platform_id, Participant.pseudonym)).all()
        tokens = connection.scalars(select(Submission.token)).all()
        frame = read_frame(connection, "small", "all")
    assert {row.platform_id for row in people} == {WHO, f"{WHO}-no", f"{WHO}-left"}
    out = tmp_path / "answers.csv"
    export_frame(frame, out)
    exported = out.read_text()
    assert any(row.pseudonym in exported for row in people)
    assert WHO not in exported
    # a token opens somebody's pages, so it is never handed out either
    assert not any(token in exported for token in tokens)
    assert WHO not in taken


def test_the_scan_finds_what_is_there(sqlite_store: Store, tmp_path: Path) -> None:
    """The scan sees text, JSON and bytes: the design's title, its values and its pictures."""
    open_small(sqlite_store, tmp_path)
    assert columns_with(sqlite_store, "What digit is this?") == {"design.source", "design.values"}
    assert columns_with(sqlite_store, "IHDR") == {"media.content"}


def test_with_a_key_it_stands_nowhere_in_plain_text(
    store: Store, on_paying: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From arriving to the bonus, what the platform calls a person is in no column of any table."""
    monkeypatch.setenv(VARIABLE, new_key())
    study = on_paying(store)
    person = study.take()
    other = study.accept()
    with store.write() as connection:
        entry = find_entry(connection, study.posting)
        refuse(connection, entry, other.person, Arrival(other.person, other.remote))
    paid_out(study)
    for needle in (person.person, other.person):
        assert columns_with(store, needle) == set()
    assert columns_with(store, person.remote) == {"remote_submission.remote_id"}


def test_after_forgetting_nothing_of_it_is_left(store: Store, on_paying: Publish, tmp_path: Path) -> None:
    """Neither the person's id nor their submission's, in any column, and on SQLite in no byte of any file."""
    study = on_paying(store, batches={"size": 1, "responses_per_item": 40})
    people = [study.take() for _ in range(2)]
    before = {person.person: columns_with(store, person.person) for person in people}
    assert set(map(frozenset, before.values())) == {frozenset({"participant.platform_id"})}
    paid_out(study)
    close(store, study.posted)
    with store.write() as connection:
        assert forget_identities(connection, "pets") == Forgotten(2, 0)
    store.wipe()
    for needle in [one for person in people for one in (person.person, person.remote)]:
        assert columns_with(store, needle) == set()
        if store.engine.dialect.name == "sqlite":
            files = [path for path in tmp_path.rglob("store.db*") if path.is_file()]
            assert files
            assert not [path.name for path in files if needle.encode() in path.read_bytes()]
    with store.read() as connection:
        assert len(read_frame(connection, "pets", "all")) == 2


def test_what_was_erased_stays_in_the_file_until_it_is_wiped(sqlite_store: Store, tmp_path: Path) -> None:
    """The scan of the file's bytes sees what SQL does not: so that the test above can fail."""
    complete(create_app(sqlite_store).test_client(), open_small(sqlite_store, tmp_path), WHO)

    def in_files() -> bool:
        return any(WHO.encode() in path.read_bytes() for path in tmp_path.rglob("store.db*"))

    with sqlite_store.write() as connection:
        connection.execute(update(Participant).values(platform_id=None))
    assert columns_with(sqlite_store, WHO) == set()
    assert in_files()
    sqlite_store.wipe()
    assert not in_files()


def test_a_platforms_words_about_somebody_are_kept_without_their_ids(
    sqlite_store: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error's message goes into the ledger and into events, which nothing can erase."""
    study = on_mturk(sqlite_store)
    person = study.take()
    study.poll()
    study.approve_all()
    with sqlite_store.write() as connection:
        owe_rewards(connection, study.posted)
    error = PlatformRefusedError(f"worker {person.person} may not have {person.remote}", code="NO")
    done = pay(sqlite_store, study.posted, Faulty(study.account, "approve", error))
    assert done.refused == [(study.code_of(person.token), f"worker {person.person} may not have {person.remote} (NO)")]
    assert columns_with(sqlite_store, person.person) == {"participant.platform_id"}
    assert columns_with(sqlite_store, person.remote) == {"remote_submission.remote_id"}
    assert [due.message for due in study.ledger()] == ["worker … may not have … (NO)"]


def paid_out(study: Published) -> None:
    """Approve and pay everybody who handed in, with a bonus each, and hear that it came."""
    study.poll()
    study.approve_all()
    with study.store.write() as connection:
        owe_rewards(connection, study.posted)
        for submission in connection.scalars(select(Submission.id).where(Submission.state == "completed")).all():
            owe(connection, submission, "bonus", Money(amount=41, currency="USD"))
    for _ in range(2):
        pay(study.store, study.posted, study.account)
        if isinstance(study, OnProlific):
            study.prolific.settle()
        study.poll()
    assert {due.state for due in study.ledger()} == {"confirmed"}
