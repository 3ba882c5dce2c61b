"""The researcher's page of coding: adding coders, agreement, deciding."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from crowdloom.studies.coding import final_categories
from crowdloom.studies.database import Store
from crowdloom.studies.tables import Adjudication, Coder
from tests.studies.coded import STUDY, code, code_all, items, load_coded
from tests.studies.studies_for_tests import load_small
from tests.studies.web.researching import Researcher

ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


@pytest.fixture
def researcher(app: Flask, store: Store, tmp_path: Path) -> Researcher:
    """Somebody on the pages of a study with six items to code."""
    load_coded(store, tmp_path)
    return Researcher(app, store, STUDY)


def number_of(store: Store, table: type) -> int:
    """How many rows a table has."""
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_a_coder_gets_a_link(app: Flask, store: Store, researcher: Researcher) -> None:
    """It is shown when they are added, again for the same name, not on the page itself; and it works."""
    assert "Nobody codes yet" in researcher.page("coding")
    assert "nobody has coded anything so far" in researcher.page("coding")
    form = researcher.form("coding", "Add and show the link")
    links = set()
    for _ in range(2):
        answer = researcher.send(form, coder="Ann Lee")
        assert answer.status_code == 200
        links.update(re.findall(r"http://localhost(/code/\w+)<", answer.text))
    assert len(links) == 1
    link = links.pop()
    assert "Item 1 of 6" in app.test_client().get(link).text
    assert link not in researcher.page("coding")
    assert "Ann Lee" in researcher.page("coding")
    assert number_of(store, Coder) == 1
    answer = researcher.send(form, coder=" ")
    assert (answer.status_code, "The name of the coder is empty" in answer.text) == (422, True)


def test_agreement_and_decisions(store: Store, researcher: Researcher) -> None:
    """Codes side by side with their notes; a decision moves the item, and is its final category."""
    people = code_all(store, {"Ann": "1122-3", "Ben": "1221--"})
    code(store, people["Ben"], items(store)[1], "C2", "its neighbour is bigger")
    page = researcher.page("coding")
    assert "slight agreement" in page
    assert "5 of 6" in page
    assert "4 of 6" in page
    first, second = items(store)[1], items(store)[3]
    assert re.findall(r'class="code-line">(\S+)', page) == [first.key, second.key]
    assert "its neighbour is bigger" in page
    assert f"not-{first.reference}" in page
    answer = researcher.send(researcher.form("coding", "Decide"), category="C2", **{"decided-by": "Ann"})
    assert answer.status_code == 303
    assert answer.location.endswith("/coding?show=open&page=1#items")
    page = researcher.page("coding")
    assert f"{first.key} is C2, decided by Ann." in page
    assert re.findall(r'class="code-line">(\S+)', page) == [second.key]
    assert 'value="Ann"' in page  # whoever decided once need not write it again
    assert "Decided by Ann" in researcher.page("coding?show=decided")
    assert len(re.findall("code-line", researcher.page("coding?show=all"))) == 5
    assert len(re.findall("code-line", researcher.page("coding?show=nonsense&page=99"))) == 1
    with store.read() as connection:
        keys = [item.key for item in items(store)]
        assert final_categories(connection, STUDY) == {keys[0]: "C1", keys[1]: "C2", keys[2]: "C2"}


def test_a_decision_twice_is_one(store: Store, researcher: Researcher) -> None:
    """The same form again writes nothing; a unanimous item can be decided otherwise."""
    code_all(store, {"Ann": "1-----", "Ben": "1-----"})
    form = researcher.form("coding?show=all", "Decide")
    for _ in range(2):
        assert researcher.send(form, category="C3", **{"decided-by": "Cem"}).status_code == 303
    assert number_of(store, Adjudication) == 1
    with store.read() as connection:
        assert list(final_categories(connection, STUDY).values()) == ["C3"]


@ON_SQLITE
def test_mistakes_are_said_beside_their_fields(store: Store, researcher: Researcher) -> None:
    """No category, no name, no such item, no code: nothing is decided."""
    code_all(store, {"Ann": "1-----", "Ben": "2-----"})
    form = researcher.form("coding", "Decide")
    answer = researcher.send(form, **{"decided-by": ""})
    item = items(store)[0]
    assert answer.status_code == 422
    assert f"Choose the category of {item.key}." in answer.text
    assert "The name of who decides is empty" in answer.text
    assert f'id="category-{item.token}-error"' in answer.text
    answer = researcher.send(form, category="C2", **{"decided-by": ""})
    assert '<option value="C2" selected>' in answer.text
    data = form.fields | {"category": "C1", "decided-by": "Ann"}
    base = f"{researcher.base}/coding/items"
    assert researcher.client.post(f"{base}/nothing", data=data).status_code == 404
    nobody = researcher.client.post(f"{base}/{items(store)[1].token}", data=data)
    assert (nobody.status_code, "Nobody has coded" in nobody.text) == (404, True)
    assert number_of(store, Adjudication) == 0


def test_three_coders(store: Store, researcher: Researcher) -> None:
    """Fleiss' kappa, and Cohen's for each two of them."""
    code_all(store, {"Ann": "1122--", "Ben": "1123--", "Cem": "1223--"})
    page = researcher.page("coding")
    assert "Fleiss’ kappa is 0.47" in page
    assert "Ann and Ben: Cohen’s kappa is" in page
    assert "Which categories meet" not in page


@ON_SQLITE
def test_a_study_without_coding_has_no_tab(app: Flask, store: Store, tmp_path: Path) -> None:
    """Neither the tab nor the page is there; with [coding] every page of the study has the tab."""
    load_small(store, tmp_path)
    researcher = Researcher(app, store, STUDY)
    assert "/coding" not in researcher.page("")
    answer = researcher.client.get(f"{researcher.base}/coding")
    assert (answer.status_code, "no [coding]" in answer.text) == (404, True)
    load_coded(store, tmp_path)
    for path in ("", "publish", "places", "review", "payments", "reconcile"):
        assert f'href="{researcher.base}/coding"' in researcher.page(path)
