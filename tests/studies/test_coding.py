"""Coding in the store: own orders, one row for a double click, append-only, final categories, later versions."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from crowdloom.studies.coding import (
    add_coder,
    adjudicate,
    coders,
    final_categories,
    find_coder,
    read_codes,
    read_decisions,
)
from crowdloom.studies.coding_items import find_scheme, read_scheme
from crowdloom.studies.coding_overview import codes_table, kappa_sentence, read_overview
from crowdloom.studies.database import Store
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.errors import DesignError, OptionError, StudyError
from crowdloom.studies.tables import Adjudication, Coder, Coding, Item
from tests.studies.coded import CODED, STUDY, code, code_all, coder, items, load_coded
from tests.studies.studies_for_tests import DESIGN, load_small


@pytest.fixture
def coded(store: Store, tmp_path: Path) -> Store:
    """A store with the study of six items to code."""
    load_coded(store, tmp_path)
    return store


def number_of(store: Store, table: Any) -> int:
    """How many rows a table has."""
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def decide(store: Store, position: int, category: str, who: str = "Ann") -> bool:
    """Decide about the item at this position."""
    with store.write() as connection:
        scheme = read_scheme(connection, STUDY)
        return adjudicate(connection, scheme, scheme.items[position], category, who)


def finals(store: Store) -> dict[int, str]:
    """The final categories by the position of the item."""
    with store.read() as connection:
        found = final_categories(connection, STUDY)
    return {position: found[item.key] for position, item in enumerate(items(store)) if item.key in found}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title = ", "titel = "), "titel"),
        (('"C2"', '"C1"'), "categories: a name stands there twice"),
        (('"C2"', '"C 2"'), "expected letters, digits, - and _ alone, got 'C 2'"),
        (('"C2"', '"a-name-of-21-characters"'), "20 characters"),
        (("question = ", "# "), "question"),
    ],
)
def test_a_design_with_a_mistake(change: tuple[str, str], said: str) -> None:
    """Names are short, plain and different; every field is there and known."""
    with pytest.raises(DesignError, match=r"(?s)coding.*" + said.replace("'", ".")):
        parse_design(CODED.replace(*change), "small.toml")


def test_one_category_is_none() -> None:
    """With a single category there is nothing to choose."""
    design = DESIGN + '[coding]\nquestion = "Why?"\ncategories = [{ name = "C1", title = "T", meaning = "M" }]\n'
    with pytest.raises(DesignError, match="categories"):
        parse_design(design, "small.toml")


def test_a_study_without_coding(store: Store, tmp_path: Path) -> None:
    """It has no final categories and takes no coders, and says what to add."""
    load_small(store, tmp_path)
    with store.write() as connection:
        assert find_scheme(connection, STUDY) is None
        assert final_categories(connection, STUDY) == {}
        with pytest.raises(StudyError, match=r"small is not coded: .* no \[coding\]"):
            add_coder(connection, STUDY, "Ann")
        with pytest.raises(StudyError, match="no study is called 'large'"):
            final_categories(connection, "large")


def test_coders(coded: Store) -> None:
    """A name is one coder with one link, which cannot be guessed; names that no table could show are refused."""
    ann = coder(coded, "  Ann   Lee ")
    assert ann.name == "Ann Lee"
    assert coder(coded, "Ann Lee") == ann
    assert coder(coded, "ann").token != ann.token
    assert len(ann.token) >= 32
    with coded.write() as connection:
        assert [one.name for one in coders(connection, STUDY)] == ["Ann Lee", "ann"]
        assert find_coder(connection, ann.token) == ann
        with pytest.raises(StudyError, match="no coder with this link"):
            find_coder(connection, "x")
        for name in ("", " \n ", "x" * 101, "a\x00b"):
            with pytest.raises(OptionError, match="name of the coder"):
                add_coder(connection, STUDY, name)
    assert number_of(coded, Coder) == 2


def test_each_coder_has_an_order_of_their_own(coded: Store) -> None:
    """It is the same whenever it is asked for, has every item once, and differs between coders."""
    with coded.read() as connection:
        first, second = (read_scheme(connection, STUDY) for _ in range(2))
    orders = {name: [item.key for item in first.order_for(name)] for name in ("Ann", "Ben", "Cem")}
    assert orders == {name: [item.key for item in second.order_for(name)] for name in orders}
    assert all(sorted(order) == sorted(item.key for item in first.items) for order in orders.values())
    assert len({tuple(order) for order in orders.values()}) == 3


def test_what_coders_see_of_an_item(coded: Store) -> None:
    """Its prediction and views; no options, no numbers, and no category that somebody gave before."""
    item = items(coded)[0]
    assert item.facts == {"prediction": f"not-{item.reference}"}
    assert set(item.views) == {"area20", "gradcam"}
    assert item.views["gradcam"].image == item.image


def test_the_newest_code_counts(coded: Store) -> None:
    """Every change is a row; the same again is none, and a note makes a difference."""
    ann, item = coder(coded, "Ann"), items(coded)[0]
    assert code(coded, ann, item, "C1") is True
    assert code(coded, ann, item, "C1", "  ") is False
    assert code(coded, ann, item, "C2", "two\r\nlines") is True
    assert code(coded, ann, item, "C2", "two\nlines ") is False
    assert code(coded, ann, item, "C1") is True
    with coded.read() as connection:
        codes = read_codes(connection, read_scheme(connection, STUDY))
    assert {position: list(of_item) for position, of_item in codes.items()} == {0: [ann.id]}
    assert (codes[0][ann.id].category, codes[0][ann.id].note) == ("C1", None)
    assert code(coded, ann, item, "C1", "a\x00b\x1b\tc") is True  # no database keeps the first, no page shows the other
    with coded.read() as connection:
        assert read_codes(connection, read_scheme(connection, STUDY))[0][ann.id].note == "ab\tc"
    assert number_of(coded, Coding) == 4
    for category, note, said in (("C9", "", "no category 'C9'; there are: C1, C2, C3"), ("C1", "x" * 2001, "2,001")):
        with pytest.raises(OptionError, match=said):
            code(coded, ann, item, category, note)


def test_two_coders_at_once_and_double_clicks(coded: Store) -> None:
    """Threads that all send the same code for the same item leave one row of each coder."""
    people, there = [coder(coded, name) for name in ("Ann", "Ben")], items(coded)[:3]
    start, new = threading.Barrier(6), []

    def send(number: int) -> None:
        start.wait()
        for position, item in enumerate(there):
            new.append(code(coded, people[number % 2], item, f"C{position + 1}"))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(new), sum(new), number_of(coded, Coding)) == (18, 6, 6)
    assert finals(coded) == {0: "C1", 1: "C2", 2: "C3"}


@pytest.mark.parametrize("table", ["coding", "adjudication"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET category = 'C3'", "DELETE FROM {}"])
def test_codes_and_decisions_are_append_only(coded: Store, table: str, statement: str) -> None:
    """The database itself refuses to change or delete them."""
    code_all(coded, {"Ann": "1-----"})
    decide(coded, 0, "C2")
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), coded.write() as connection:
        connection.execute(text(statement.format(table)))
    assert (number_of(coded, Coding), number_of(coded, Adjudication)) == (1, 1)


def test_final_categories(coded: Store) -> None:
    """Unanimous among two or more, or decided; what one alone said is not final."""
    code_all(coded, {"Ann": "112-3-", "Ben": "12---1", "Cem": "1-2---"})
    assert finals(coded) == {0: "C1", 2: "C2"}
    assert decide(coded, 1, "C3") is True
    assert decide(coded, 1, "C3") is False
    assert decide(coded, 0, "C2") is True
    assert finals(coded) == {0: "C2", 1: "C3", 2: "C2"}
    assert decide(coded, 1, "C1") is True
    assert decide(coded, 1, "C1", "Ben") is True
    assert finals(coded)[1] == "C1"
    with coded.read() as connection:
        decisions = read_decisions(connection, read_scheme(connection, STUDY))
    assert {position: decision.decided_by for position, decision in decisions.items()} == {0: "Ann", 1: "Ben"}
    with pytest.raises(StudyError, match="Nobody has coded"):
        decide(coded, 3, "C1")
    with pytest.raises(OptionError, match="no category"):
        decide(coded, 1, "C9")
    with pytest.raises(OptionError, match="who decides is empty"):
        decide(coded, 1, "C1", " ")
    assert number_of(coded, Adjudication) == 4


def test_overview(coded: Store) -> None:
    """Progress of each coder, what is open, and kappa by hand; a decision does not change kappa."""
    ann, ben = code_all(coded, {"Ann": "1122-3", "Ben": "1221--"}).values()
    coder(coded, "Cem")
    for _ in range(2):
        with coded.read() as connection:
            overview = read_overview(connection, STUDY)
        assert [overview.coded(one) for one in overview.coders] == [5, 4, 0]
        kappa = overview.agreement().overall
        assert (kappa.coders, kappa.items, kappa.observed, kappa.value) == (("Ann", "Ben"), 4, 0.5, 0.0)
        assert "Cohen’s kappa is 0.00 (95% interval" in kappa_sentence(kappa)
        assert "slight agreement. It counts the 4 items that both coded; they agree on 50%." in kappa_sentence(kappa)
        decide(coded, 1, "C2")
    assert [row.is_open for row in overview.items] == [False, False, False, True, False, False]
    assert [row.differs for row in overview.items] == [False, True, False, True, False, False]
    assert [row.final for row in overview.items] == ["C1", "C2", "C2", None, None, None]
    assert overview.items[1].codes[ann.id].category == "C1"
    assert overview.items[1].codes[ben.id].category == "C2"


def test_the_table_of_codes(coded: Store) -> None:
    """A row for each newest code, with the item's final category."""
    ann, _ = code_all(coded, {"Ann": "12----", "Ben": "1-----"}).values()
    code(coded, ann, items(coded)[1], "C3", "looks like a 7")
    with coded.read() as connection:
        table = codes_table(connection, STUDY)
    keys = [item.key for item in items(coded)]
    assert list(table.columns) == ["item", "coder", "category", "note", "at", "final"]
    assert table.drop(columns="at").fillna("").to_numpy().tolist() == [
        [keys[0], "Ann", "C1", "", "C1"],
        [keys[0], "Ben", "C1", "", "C1"],
        [keys[1], "Ann", "C3", "looks like a 7", ""],
    ]
    assert isinstance(table["at"].dtype, pd.DatetimeTZDtype)


def test_codes_live_on_in_a_later_version(store: Store, tmp_path: Path) -> None:
    """Items that are shown larger keep their codes; those no longer there, and lost categories, do not count."""
    load_small(store, tmp_path, CODED)
    code_all(store, {"Ann": "123123", "Ben": "123123"})
    before = {item.key: item for item in items(store)}
    larger = CODED.replace("sample = 6", "sample = 4\nimage_size = 200").replace("repeats = [2]", "")
    larger = larger.replace('{ name = "C3"', '{ name = "C5"')
    load_small(store, tmp_path, larger)
    after = {item.key: item for item in items(store)}
    assert len(after) == 4
    same = sorted(set(before) & set(after))
    assert same
    assert all(before[key].id != after[key].id for key in same)
    with store.read() as connection:
        found = final_categories(connection, STUDY)
        said = dict(zip(before, ["C1", "C2", "C3"] * 2, strict=True))
    assert found == {key: said[key] for key in same if said[key] != "C3"}


def test_another_prediction_is_another_item(store: Store, tmp_path: Path) -> None:
    """What was said of one error is not said of another on the same picture."""
    load_coded(store, tmp_path)
    ann = coder(store, "Ann")
    code(store, ann, items(store)[0], "C1")
    larger = CODED.replace("sample = 6", "sample = 6\nimage_size = 200")
    load_small(store, tmp_path, larger)  # these digits have no prediction
    with store.read() as connection:
        assert read_codes(connection, read_scheme(connection, STUDY)) == {}
    assert number_of(store, Item) == 12
