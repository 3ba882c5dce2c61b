"""The researcher's page of power: the form, what comes of it, and what it refuses."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask

from crowdloom.studies.cost import study_cost
from crowdloom.studies.database import Store
from crowdloom.studies.web import researcher_power
from tests.studies.designs import load, make_design, make_images
from tests.studies.studies_for_tests import DESIGN, load_small
from tests.studies.web.researching import Researcher

TWO = DESIGN + '[[conditions]]\nname = "plain"\n[[conditions]]\nname = "example"\n'
ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


@pytest.fixture
def researcher(app: Flask, store: Store, tmp_path: Path) -> Researcher:
    """Somebody on the pages of a small study of two conditions."""
    load_small(store, tmp_path, TWO)
    return Researcher(app, store, "small")


def ask(**values: object) -> str:
    """The address of a filled form; a dash stands in names for what Python writes with a low line."""
    given = {"effect": "0.4,0.9", "test": "paired", "on": "link", "simulations": 20} | values
    return f"power?{urlencode({name.replace('_', '-'): value for name, value in given.items()})}"


def said(researcher: Researcher, path: str) -> str:
    """What a form says that is not right yet."""
    answer = researcher.client.get(f"{researcher.base}/{path}")
    assert answer.status_code == 422, answer.text
    assert "What simulations say" not in answer.text
    return answer.text


def test_the_form_and_what_comes_of_it(store: Store, researcher: Researcher) -> None:
    """A tab leads to it; the result has the sentences, the curve, and a line for each size with its cost."""
    assert f'href="{researcher.base}/power"' in researcher.page()
    form = researcher.page("power")
    assert "Which effect?" in form
    assert "What simulations say" not in form
    assert "Paired, since both conditions show the same items." in form
    page = researcher.page(ask())
    assert "The design as it stands (24 responses by 8 people, 12.00 USD at most on link)" in page
    assert len(re.findall(r'<th scope="row"', page)) == 4
    with store.read() as connection:
        cost = study_cost(connection, "small", "link")
    assert f'<td class="number">{cost.money(cost.total)}</td>' in page
    assert 'value="0.4,0.9"' in page
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert picture is not None
    assert b"<svg" in base64.b64decode(picture[1])
    assert "style=" not in page
    assert researcher.page(ask()) == page


def test_nothing_is_stored_or_published(store: Store, researcher: Researcher) -> None:
    """Asking changes nothing; another platform has other fees, and numbers an effect of their own."""
    before = researcher.page()
    page = researcher.page(ask(effect="0.2", spread="0.3", participant_sd="0.1", item_sd="0", test="welch", on="mturk"))
    assert "12.00 USD" not in page
    assert "Standard deviations: 0.1 between people and 0 between items, of 0.3 between single answers." in page
    assert "Welch" in page
    assert researcher.page() == before


@ON_SQLITE
@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"effect": "0.4,1.9"}, "effect", "A share of right answers lies between 0 and 1, got 1.9."),
        ({"effect": ""}, "effect", "Expected two shares such as"),
        (
            {"effect": "0.1"},
            "effect",
            "A difference of means needs the standard deviation of single answers; fill in their spread below.",
        ),
        ({"spread": "1"}, "spread", "Belongs to a difference of means; two shares have no spread, so leave it out."),
        ({"effect": "5", "spread": "1", "item_sd": "2"}, "effect", "vary more than single answers do"),
        ({"test": "anova"}, "test", "No test of two conditions is called"),
        ({"unit": "galaxy"}, "unit", "Expected one of item, participant, response"),
        ({"unit": "participant"}, "test", "The test paired needs people in both conditions"),
        ({"participant_sd": "much"}, "participant-sd", "Expected a number such as 0.5"),
        ({"responses": "2,x"}, "responses", "Expected whole numbers such as 3,5,7"),
        ({"responses": "2"}, "responses", "Nothing varies, since the design has 2 responses per item"),
        ({"simulations": "5000"}, "simulations", "Expected a whole number from 1 to 1,000."),
        ({"on": "nowhere"}, "on", "There is no platform"),
    ],
)
def test_mistakes_are_said_beside_their_fields(
    researcher: Researcher, values: dict[str, str], field: str, sentence: str
) -> None:
    """What was written stays in the form."""
    page = said(researcher, ask(**values))
    assert sentence in page
    assert f'id="{field}-error"' in page
    assert f'href="#{field}"' in page
    assert not re.search(r"--[a-z]", re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL))


@ON_SQLITE
def test_never_and_always_found(researcher: Researcher) -> None:
    """No false effect in any simulated study, and the effect in each: the curve has both."""
    page = researcher.page(ask(effect="0.01", spread="0.0001", participant_sd="0", item_sd="0", simulations=3))
    assert page.count('<td class="number">0 %</td>') == page.count('<td class="number">100 %</td>') == 4


@ON_SQLITE
def test_big_studies_are_simulated_less_or_not_at_all(researcher: Researcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many simulations as take a moment; where even few take long, the command is named."""
    monkeypatch.setattr(researcher_power, "_ANSWERS", 12 * (1 + 2 + 3 + 4) * 60)
    page = researcher.page(ask(simulations=200))
    assert "these are 60 simulations" in page
    monkeypatch.setattr(researcher_power, "_ANSWERS", 12 * (1 + 2 + 3 + 4) * 49)
    assert "take longer to simulate than a page can wait; run crowdloom power" in said(researcher, ask())


@ON_SQLITE
def test_one_condition_has_no_power(app: Flask, store: Store, tmp_path: Path) -> None:
    """No tab, and the page says why."""
    load_small(store, tmp_path)
    researcher = Researcher(app, store, "small")
    assert "/power" not in researcher.page()
    assert "The study has one condition" in researcher.page("power")
    assert "The study has one condition" in researcher.page(ask())


@ON_SQLITE
def test_of_several_conditions_two_are_chosen(app: Flask, store: Store, tmp_path: Path) -> None:
    """The form offers them all; two that are one are not right yet."""
    make_images(tmp_path)
    load(store, tmp_path, make_design(conditions=({"name": "a"}, {"name": "b"}, {"name": "c"})))
    researcher = Researcher(app, store, "pets")
    assert '<select id="second"' in researcher.page("power")
    assert "c 0.4 against a 0.9" in researcher.page(ask(first="c", second="a"))
    assert "Name two different ones of a, b, c." in said(researcher, ask(first="a", second="a"))
