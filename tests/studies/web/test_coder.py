"""A coder's pages without JavaScript: from the link to the end, blind to the others, each code saved once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from crowdloom.studies.coding import CoderLink
from crowdloom.studies.database import Store
from crowdloom.studies.tables import Coding
from tests.studies.coded import code_all, coder, items, load_coded

ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


@pytest.fixture
def ann(store: Store, tmp_path: Path) -> CoderLink:
    """A coder of six items."""
    load_coded(store, tmp_path)
    return coder(store, "Ann")


def number_of_codes(store: Store) -> int:
    """How many rows the codes have."""
    with store.read() as connection:
        return connection.execute(select(func.count(Coding.id))).scalar_one()


def form_of(page: str) -> str:
    """Where the page's form goes."""
    found = re.search(r'<form[^>]* action="([^"]+)"', page)
    assert found
    return found[1]


def test_from_the_link_to_the_end(client: FlaskClient, store: Store, ann: CoderLink) -> None:
    """Each item comes once, in the coder's own order; then the end, and a way to change what was said."""
    seen = []
    for number in range(1, 7):
        page = client.get(f"/code/{ann.token}").text
        assert f"Item {number} of 6" in page
        assert "checked" not in page
        seen.append(form_of(page).rsplit("/", 1)[1])
        answer = client.post(form_of(page), data={"category": "C2", "note": f"note {number}"})
        assert (answer.status_code, answer.location) == (303, f"/code/{ann.token}")
    assert sorted(seen) == sorted(item.token for item in items(store))
    assert seen != [item.token for item in items(store)]
    assert "All 6 items are coded" in client.get(f"/code/{ann.token}").text
    coded = client.get(f"/code/{ann.token}/coded").text
    assert all(f"note {number}" in coded for number in range(1, 7))
    page = client.get(f"/code/{ann.token}/{seen[0]}").text
    assert re.search(r'value="C2"[^>]* checked', page)
    assert page.count(" checked") == 1
    assert ">note 1</textarea>" in page
    answer = client.post(form_of(page), data={"category": "C3", "note": "", "back": "coded"})
    assert (answer.status_code, answer.location) == (303, f"/code/{ann.token}/coded")
    assert "note 1<" not in client.get(answer.location).text
    assert number_of_codes(store) == 7


def test_what_a_page_shows(client: FlaskClient, store: Store, ann: CoderLink) -> None:
    """Picture, views, correct label, prediction, categories with their meanings; no cookie, nothing to reveal."""
    answer = client.get(f"/code/{ann.token}/{items(store)[0].token}")
    item, page = items(store)[0], answer.text
    for part in (
        f'src="{item.image}"',
        "<figcaption>area20</figcaption>",
        f"<dd>{item.reference}</dd>",
        f"<dd>not-{item.reference}</dd>",
        "Why did the classifier err?",
        "Similar appearance",
        "The object looks like one of another class.",
        item.key,
    ):
        assert part in page
    for part in ("option", "C9", "0.75"):
        assert f">{part}" not in page
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_blind(client: FlaskClient, store: Store, ann: CoderLink) -> None:
    """Codes, notes, names and progress of others change no byte of a coder's pages, and none of their order."""
    paths = [f"/code/{ann.token}", f"/code/{ann.token}/coded", *(f"/code/{ann.token}/{i.token}" for i in items(store))]
    code_all(store, {"Ann": "1-----"})
    before = [client.get(path).text for path in paths]
    code_all(store, {"Ben": "222222", "Cem": "333333"})
    assert [client.get(path).text for path in paths] == before
    assert "Ben" not in "".join(before)


def test_a_double_click_is_one_code(client: FlaskClient, store: Store, ann: CoderLink) -> None:
    """The same form again is answered alike and writes nothing."""
    action = form_of(client.get(f"/code/{ann.token}").text)
    for _ in range(2):
        assert client.post(action, data={"category": "C1", "note": "x\r\ny"}).status_code == 303
    assert number_of_codes(store) == 1


@ON_SQLITE
def test_mistakes_are_said_beside_their_fields(client: FlaskClient, store: Store, ann: CoderLink) -> None:
    """Nothing chosen, a category that is not there, too long a note: a page with what was written, nothing saved."""
    action = form_of(client.get(f"/code/{ann.token}").text)
    for data in ({"note": "because"}, {"category": "C9", "note": "because"}):
        answer = client.post(action, data=data)
        assert answer.status_code == 422
        assert "Choose one category." in answer.text
        assert ">because</textarea>" in answer.text
        assert "<title>Error: " in answer.text
    answer = client.post(action, data={"category": "C2", "note": "x" * 2001})
    assert answer.status_code == 422
    assert "Write at most 2,000 characters." in answer.text
    assert re.search(r'value="C2"[^>]* checked', answer.text)
    assert number_of_codes(store) == 0


@ON_SQLITE
def test_strangers_find_nothing(client: FlaskClient, store: Store, ann: CoderLink, app: Flask) -> None:
    """A wrong link, a wrong item: 404; a coder's link opens nothing of the researcher's."""
    item = items(store)[0].token
    for path in ("/code/x", "/code/x/coded", f"/code/x/{item}", f"/code/{ann.token}/x", f"/code/{ann.name}"):
        assert client.get(path).status_code == 404
    assert client.post(f"/code/x/{item}", data={"category": "C1"}).status_code == 404
    assert client.post(f"/code/{ann.token}/x", data={"category": "C1"}).status_code == 404
    client.get(f"/code/{ann.token}")
    assert client.get("/researcher/").status_code == 403
    assert number_of_codes(store) == 0
