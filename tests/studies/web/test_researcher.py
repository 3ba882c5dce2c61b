"""The researcher's pages: a one-time link opens them, and they show how studies stand."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

from sqlalchemy import update

from crowdloom.studies.access import new_access, use_access
from crowdloom.studies.database import Store, now
from crowdloom.studies.tables import Access
from crowdloom.studies.training_runs import record_training_runs
from crowdloom.studies.web import create_app
from crowdloom.studies.welcome import welcome
from tests.studies.studies_for_tests import complete, load_small, open_small
from tests.studies.trained import sweep
from tests.studies.web.researching import Researcher


def test_the_link_works_once(sqlite_store: Store, tmp_path: Path) -> None:
    """The first browser gets in and stays in; a second one with the same link does not."""
    posting = open_small(sqlite_store, tmp_path)
    app = create_app(sqlite_store)
    lines = welcome(sqlite_store, "http://x")
    assert f"take part in small: http://x/join/{posting}" in lines
    link = re.search(r"http://x(/researcher/enter/\S+)", lines)
    assert link
    mine, other = app.test_client(), app.test_client()
    assert mine.get("/researcher/").status_code == 403
    assert mine.head(link[1]).status_code == 200  # as a mail program does that wants to know what a link is
    assert mine.get("/researcher/").status_code == 403
    assert mine.get(link[1]).status_code == 303
    assert mine.get("/researcher/").status_code == 200
    assert mine.get(link[1]).status_code == 303
    assert other.get(link[1]).status_code == 403
    assert other.get("/researcher/study/anything").status_code == 403


def test_an_unused_link_ends(store: Store) -> None:
    """A link is good for an hour, once."""
    with store.write() as connection:
        old, new = new_access(connection), new_access(connection)
        for token, minutes in ((old, 61), (new, 59)):
            mine = Access.sha256 == sha256(token.encode()).hexdigest()
            connection.execute(update(Access).where(mine).values(created_at=now() - timedelta(minutes=minutes)))
    with store.write() as connection:
        assert [use_access(connection, token) for token in (old, new, new)] == [False, True, False]


def test_pages_show_how_a_study_stands(sqlite_store: Store, tmp_path: Path) -> None:
    """Places, submissions and the participants' link stand on the study's page."""
    posting = open_small(sqlite_store, tmp_path)
    app = create_app(sqlite_store)
    complete(app.test_client(), posting, "ann")
    client = app.test_client()
    link = re.search(r"(/researcher/enter/\S+)", welcome(sqlite_store, ""))
    assert link
    client.get(link[1])
    index = client.get("/researcher/").text
    assert "1 of 4 places filled, 0 held, 4 answers" in index
    study = re.search(r'href="(/researcher/study/[^"]+)"', index)
    assert study
    page = client.get(study[1]).text
    assert f"/join/{posting}" in page
    assert "0 to 1" in page
    assert "Models" not in page
    assert client.get("/researcher/study/nothing").status_code == 404


def test_a_study_that_was_trained_on_says_so(sqlite_store: Store, tmp_path: Path) -> None:
    """How many networks, how many runs failed, and where the numbers stand; also where nothing came of it yet."""
    study = load_small(sqlite_store, tmp_path).study
    researcher = Researcher(create_app(sqlite_store), sqlite_store, study)
    results = sweep()
    for recorded, said in (
        (results[-1:], "0 networks have been trained on the study’s labels; 1 run failed."),
        (results[:1], "1 network has been trained on the study’s labels; 1 run failed."),
        (results, "5 networks have been trained on the study’s labels; 1 run failed."),
    ):
        with sqlite_store.write() as connection:
            record_training_runs(connection, recorded, study)
        assert said in re.sub(r"</?strong>", "", researcher.page())
    assert "crowdloom analyse small --out small.html" in researcher.page()


def test_a_database_that_fails_is_no_secret_to_participants(sqlite_store: Store, tmp_path: Path) -> None:
    """Without its database the server says to try again (503) and does not say what broke."""
    posting = open_small(sqlite_store, tmp_path)
    client = create_app(sqlite_store).test_client()
    sqlite_store.close()
    (tmp_path / "store.db").rename(tmp_path / "gone.db")
    (tmp_path / "store.db").mkdir()
    page = client.get(f"/join/{posting}?participant=x")
    assert (page.status_code, "store.db" in page.text, "please try again" in page.text) == (503, False, True)
    assert client.get("/take/x", headers={"Accept": "application/json"}).status_code == 503
