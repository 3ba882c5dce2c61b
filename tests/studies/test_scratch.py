"""Scratch folders: made when they are needed, apart by store, gone when they are done with."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, select, update

from crowdloom.studies import jobs
from crowdloom.studies.database import Store, make_engine, now, open_store
from crowdloom.studies.errors import StoreError
from crowdloom.studies.live import InlineSteps, find_asker
from crowdloom.studies.scratch import scratch_folder, tidy_scratch
from crowdloom.studies.tables import Submission

sys.path.insert(0, str(Path(__file__).parent))
import tiny_live
from live_processes import new_submission, worker


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of all folders; the tiny task is known."""
    monkeypatch.setenv("CROWDLOOM_SCRATCH", str(tmp_path / "scratch"))
    tiny_live.register()
    yield tmp_path / "scratch"
    tiny_live.unregister()


def new_folder(store: Store, **values: Any) -> tuple[Path, int]:
    """The folder, with something in it, of a submission with these values, and the submission's id."""
    _, id_ = new_submission(store)
    with store.write() as connection:
        connection.execute(update(Submission).where(Submission.id == id_).values(values))
        name = connection.execute(select(Submission.pseudonym).where(Submission.id == id_)).scalar_one()
    folder = scratch_folder(store, name)
    (folder / "networks").mkdir(parents=True)
    (folder / "networks" / "epoch-3").write_text("0.5")
    return folder, id_


def put(store: Store, submission: int | None = None) -> str:
    """A job in the queue."""
    return jobs.enqueue(
        store, task="tiny-live", step="count", values={"to": 2}, time_limit_s=9, submission_id=submission
    )


def test_an_inline_step_that_needs_no_folder_makes_none(sqlite_store: Store, root: Path) -> None:
    """A sum leaves nothing on the disk."""
    asker = find_asker(sqlite_store, new_submission(sqlite_store)[0])
    step = tiny_live.TinyLive.live_steps["add"]
    assert InlineSteps(sqlite_store).call(asker, "add", step, {"left": 1, "right": 2}) == {"total": 3}
    assert not root.exists()


def test_stores_are_apart(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name is another folder in another store, and the same one however the store is addressed."""
    monkeypatch.chdir(tmp_path)
    others = [open_store("other.db"), open_store("store.db")]
    for store in others:
        store.close()
    assert scratch_folder(others[0], "x") != scratch_folder(sqlite_store, "x") == scratch_folder(others[1], "x")


def test_a_database_server_is_the_same_for_every_user(postgres_url: str) -> None:
    """Workers may sign in by names of their own, and another database is another folder."""
    url = make_url(postgres_url)
    one, same, other = (
        scratch_folder(Store(make_engine(address.render_as_string(hide_password=False))), "x")
        for address in (url, url.set(username="ann", password="secret"), url.set(database="other"))
    )
    assert one == same != other


@pytest.mark.parametrize(
    ("state", "days", "kept"),
    [
        ("completed", 0, False),
        ("failed_check", 0, False),
        ("refused", 0, False),
        ("left", 29, True),
        ("left", 31, False),
        ("started", 29, True),
        ("started", 31, False),
    ],
)
def test_the_folder_of_a_submission_that_is_over_goes(store: Store, state: str, days: int, kept: bool) -> None:
    """Not while it may go on, nor while a job of it is in the queue or at work; strangers' folders stay."""
    folder, id_ = new_folder(store, state=state, started_at=now() - timedelta(days=days))
    stranger = folder.parent / "notes"
    stranger.mkdir()
    put(store, id_)
    tidy_scratch(store)
    assert folder.exists()
    claim = jobs.claim(store, "a")
    assert claim is not None
    tidy_scratch(store)
    assert folder.exists()
    jobs.finish(store, claim, "done", output={})
    tidy_scratch(store)
    assert folder.exists() == kept
    assert stranger.exists()


def test_a_worker_tidies(sqlite_store: Store, root: Path) -> None:
    """When it starts it removes what is done with, and what a job of nobody leaves goes next time."""
    over, _ = new_folder(sqlite_store, state="completed")
    under_way, id_ = new_folder(sqlite_store, state="started")
    put(sqlite_store, id_)
    nobodys = scratch_folder(sqlite_store, put(sqlite_store))
    with worker(sqlite_store, root, once=True) as process:
        assert process.wait(60) == 0
    assert not over.exists()
    assert under_way.exists()
    assert nobodys.exists()
    tidy_scratch(sqlite_store)
    assert not nobodys.exists()


def test_a_folder_that_is_none_is_named(sqlite_store: Store, root: Path) -> None:
    """The sentence says which folder it is."""
    folder = scratch_folder(sqlite_store, "x").parent
    root.mkdir()
    folder.write_text("a file")
    with pytest.raises(StoreError, match=f"the scratch folder {folder} cannot be read"):
        tidy_scratch(sqlite_store)
