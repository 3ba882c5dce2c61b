"""Questionnaires after each item: when they are asked, that each is saved once, and where their answers go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from crowdloom.analysis.questionnaire_figures import scales_figure
from crowdloom.analysis.questionnaires import questionnaire_tables, scores
from crowdloom.studies.database import Store
from crowdloom.studies.participation import read_progress, save_questionnaire
from crowdloom.studies.reading_questionnaires import read_questionnaires
from crowdloom.studies.tables import Event, Item, Submission
from crowdloom.studies.web import create_app
from tests.studies.designs import make_design
from tests.studies.studies_for_tests import DESIGN, answer, begin, open_small, trial_id

UMUX = """
[[questionnaires]]
instrument = "umux-lite"
system = "the tool"
after = "item"
"""
SCALES = """
[[questionnaires]]
instrument = "scales"
statements = ["It was fun."]
left = "no"
right = "yes"
after = "item"
"""
TLX = """
[[questionnaires]]
instrument = "nasa-tlx"
"""
ASKED = DESIGN + UMUX + TLX + SCALES
RATINGS: dict[str, dict[str, str]] = {
    "0": {"capabilities": "5", "ease": "6"},
    "1": dict.fromkeys(("mental", "physical", "temporal", "performance", "effort", "frustration"), "7"),
    "2": {"q1": "40"},
}


def client(store: Store) -> FlaskClient:
    """The app's test client."""
    return create_app(store, "test").test_client()


def hidden(pages: FlaskClient, base: str, name: str) -> str | None:
    """A hidden field of the page that is shown now."""
    found = re.search(rf'name="{name}" value="([^"]*)"', pages.get(base).text)
    return found[1] if found else None


def fill_in(pages: FlaskClient, base: str) -> str:
    """Answer the questionnaire that is asked now; which it was, and after how many items."""
    number, after = hidden(pages, base, "number"), hidden(pages, base, "after")
    assert number is not None
    form = {"number": number, **({} if after is None else {"after": after}), **RATINGS[number]}
    assert pages.post(f"{base}/questionnaire", data=form).status_code == 303
    return f"{number} after {after}"


def events(store: Store) -> list[dict[str, Any]]:
    """The values of the questionnaires' events."""
    with store.read() as connection:
        asked = select(Event.values).where(Event.kind == "questionnaire").order_by(Event.id)
        return list(connection.scalars(asked))


def keys(store: Store) -> list[str]:
    """The keys of the items of the last submission, in its order, each once."""
    with store.read() as connection:
        order = connection.scalars(select(Submission.item_order).order_by(Submission.id.desc())).first() or []
        known = {row.id: row.key for row in connection.execute(select(Item.id, Item.key))}
    return list(dict.fromkeys(known[item] for item, _ in order))


def walk(pages: FlaskClient, base: str) -> list[str]:
    """Go to the end: what came, one after the other."""
    came = []
    while True:
        if trial_id(pages, base):
            assert answer(pages, base) == 303
            came.append("trial")
        elif hidden(pages, base, "number") is not None:
            came.append(fill_in(pages, base))
        else:
            return came


def test_they_come_after_each_item_once(store: Store, tmp_path: Path) -> None:
    """Not after an item that is shown again; those of the study come at the end, in the design's order."""
    pages = client(store)
    base = begin(pages, open_small(store, tmp_path, ASKED), "ann")
    came = walk(pages, base)
    items = [["trial", f"0 after {number}", f"2 after {number}"] for number in (1, 2, 3)]
    assert came == [*items[0], *items[1], *items[2], "trial", "1 after None"]
    assert "data-code" in pages.get(base).text
    said = [(event["number"], event.get("item")) for event in events(store)]
    assert said == [(number, key) for key in keys(store) for number in (1, 3)] + [(2, None)]


def test_without_repeats_the_last_ones_come_after_completion(sqlite_store: Store, tmp_path: Path) -> None:
    """The place is filled with the last answer; the questionnaires about it may follow."""
    pages = client(sqlite_store)
    base = begin(pages, open_small(sqlite_store, tmp_path, ASKED.replace("repeats = [2]", "")), "ann")
    for number in (1, 2, 3):
        assert answer(pages, base) == 303
        state = pages.get(base).text
        assert f"Image {number} of 3 is done and saved · page 1 of 2" in state
        assert ("Leave the study" in state) == (number < 3)
        with sqlite_store.read() as connection:
            assert connection.scalar(select(Submission.state)) == ("completed" if number == 3 else "started")
        fill_in(pages, base)
        fill_in(pages, base)
    assert "All images are done and saved" in pages.get(base).text
    assert "Finish" in pages.get(base).text
    assert walk(pages, base) == ["1 after None"]


def test_a_form_counts_once_and_only_for_its_item(store: Store, tmp_path: Path) -> None:
    """The form that was sent after the first item, sent again while the second one is asked about, changes nothing."""
    pages = client(store)
    base = begin(pages, open_small(store, tmp_path, DESIGN + UMUX), "ann")
    answer(pages, base)
    form = {"number": "0", "after": "1", **RATINGS["0"]}
    for _ in range(2):
        pages.post(f"{base}/questionnaire", data=form)
    answer(pages, base)
    for stale in (form, {"number": "0", **RATINGS["0"]}, form | {"after": "3"}):
        pages.post(f"{base}/questionnaire", data=stale)
        assert hidden(pages, base, "after") == "2"
    assert len(events(store)) == 1


def test_what_was_read_before_the_next_item_saves_nothing(store: Store, tmp_path: Path) -> None:
    """Also where the first request reached the database only when the same questionnaire was asked again."""
    pages = client(store)
    base = begin(pages, open_small(store, tmp_path, DESIGN + UMUX), "ann")
    answer(pages, base)
    with store.read() as connection:
        before = read_progress(connection, base.rpartition("/")[2])
    fill_in(pages, base)
    answer(pages, base)
    design = make_design(questionnaires=[{"instrument": "umux-lite", "after": "item"}])
    with store.write() as connection:
        save_questionnaire(connection, before, design, 0, {"capabilities": 1, "ease": 1})
    assert len(events(store)) == 1


def test_a_trial_waits_for_them(store: Store, tmp_path: Path) -> None:
    """Nothing can be answered before them; the answer before, sent again, is still told from another one."""
    pages = client(store)
    base = begin(pages, open_small(store, tmp_path, DESIGN + UMUX), "ann")
    first = trial_id(pages, base)
    answer(pages, base)
    assert answer(pages, base, trial=first, top1="4") == 303
    with store.read() as connection:
        kinds = connection.scalars(select(Event.kind).order_by(Event.id)).all()
        token, order = connection.execute(select(Submission.token, Submission.item_order)).one()
        second = connection.scalar(select(Item.token).where(Item.id == order[1][0]))
        assert read_progress(connection, token).stage == "questionnaire-0"
    assert kinds[-1] == "second_answer"
    assert answer(pages, base, trial=f"{second}.0") == 303
    with store.read() as connection:
        assert read_progress(connection, token).answered == 1


def test_who_leaves_in_between_goes_on_there(store: Store, tmp_path: Path) -> None:
    """While away nothing is saved; back again, the same questionnaire is asked about the same item."""
    pages = client(store)
    base = begin(pages, open_small(store, tmp_path, DESIGN + UMUX), "ann")
    answer(pages, base)
    assert pages.post(f"{base}/leave").status_code == 303
    pages.post(f"{base}/questionnaire", data={"number": "0", "after": "1", **RATINGS["0"]})
    assert events(store) == []
    pages.post(f"{base}/return")
    assert fill_in(pages, base) == "0 after 1"
    assert walk(pages, base)[0] == "trial"
    assert len(events(store)) == 3


def test_wrong_answers_are_asked_for_again(sqlite_store: Store, tmp_path: Path) -> None:
    """The page keeps which item it is about."""
    pages = client(sqlite_store)
    base = begin(pages, open_small(sqlite_store, tmp_path, DESIGN + UMUX), "ann")
    answer(pages, base)
    said = pages.post(f"{base}/questionnaire", data={"number": "0", "after": "1", "ease": "9"})
    assert said.status_code == 422
    assert 'name="after" value="1"' in said.text


def test_the_frame_says_after_which_item(store: Store, tmp_path: Path) -> None:
    """A row for each rating and each score of each item; tables and figures go by item."""
    pages = client(store)
    posting = open_small(store, tmp_path, ASKED)
    for person in ("ann", "ben"):
        walk(pages, begin(pages, posting, person))
    with store.read() as connection:
        frame = read_questionnaires(connection, "small")
    umux = frame[frame["questionnaire"] == 1]
    assert len(umux) == 2 * 3 * (2 + 1)
    assert umux["after_item"].notna().all()
    assert umux.groupby(["submission", "after_item"]).size().eq(3).all()
    assert frame[frame["questionnaire"] == 2]["after_item"].isna().all()
    assert len(scores(frame)) == 2 * (3 + 1)
    titles = [table.title for table in questionnaire_tables(frame)]
    about = [title for title in titles if title.startswith("Questionnaire 1, umux-lite about the tool, after ")]
    assert len(about) == umux["after_item"].nunique()
    assert sum(title.startswith("Questionnaire 2, nasa-tlx about the task, 0") for title in titles) == 1
    some = frame[frame["after_item"].isna() | frame["after_item"].isin(keys(store))]
    legend = scales_figure(some).axes[0].get_legend()
    assert legend is not None
    assert sorted(text.get_text().partition(",")[0] for text in legend.get_texts()) == sorted(keys(store))


@pytest.mark.parametrize("instrument", ["umux-lite"])
def test_the_same_instrument_may_be_asked_after_items_and_after_the_study(instrument: str) -> None:
    """They are two questionnaires."""
    asked = [{"instrument": instrument}, {"instrument": instrument, "after": "item"}]
    assert len(make_design(questionnaires=asked).questionnaires) == 2
