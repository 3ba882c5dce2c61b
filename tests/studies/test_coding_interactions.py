"""Coding of interactions: units, codes and decisions by session, final codes, the pages with drawings and voices."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from crowdloom.studies.cli.coders import command as coders_command
from crowdloom.studies.coding import (
    CoderLink,
    add_coder,
    adjudicate,
    final_categories,
    final_interaction_codes,
    read_codes,
    save_code,
)
from crowdloom.studies.coding_items import Scheme, read_scheme
from crowdloom.studies.coding_overview import codes_table, read_overview
from crowdloom.studies.database import Store
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.errors import DesignError
from crowdloom.studies.participation import Designs, save_answer
from crowdloom.studies.tables import Coding, Recording
from crowdloom.tasks.latent_examples import EXAMPLES
from tests.studies.coded import CODED
from tests.studies.latent_studies import Loops, latent_design, load_loops, open_loops, rows
from tests.studies.test_recordings import Speaker, record
from tests.studies.webms import times

ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


@pytest.fixture
def loops(store: Store, tmp_path: Path) -> Loops:
    """Two people went through both scenarios."""
    study = open_loops(store, tmp_path)
    for seed, name in enumerate(("ann", "bob")):
        submission = study.arrive(name)
        for strategy in ("compactness", "distance"):
            study.answer(submission, strategy, seed)
    return study


def scheme_of(store: Store) -> Scheme:
    """What is coded."""
    with store.read() as connection:
        return read_scheme(connection, "loops")


def coder(store: Store, name: str) -> CoderLink:
    """A coder, added where they are new."""
    with store.write() as connection:
        return add_coder(connection, "loops", name)


def code(store: Store, name: str, position: int, category: str) -> bool:
    """Save a code."""
    who = coder(store, name)
    with store.write() as connection:
        scheme = read_scheme(connection, "loops")
        return save_code(connection, scheme, who, scheme.items[position], category)


def test_each_interaction_of_each_session_is_coded(store: Store, loops: Loops) -> None:
    """Eight of them, each with its own token; a coder's order goes through one session after the other."""
    scheme = scheme_of(store)
    assert (scheme.unit, len(scheme.items), len({item.token for item in scheme.items})) == ("interaction", 8, 8)
    assert [item.number for item in scheme.items] == [1, 2] * 4
    orders = {name: [item.key for item in scheme.order_for(name)] for name in ("Ann", "Ben", "Cem", "Dan")}
    assert len({tuple(order) for order in orders.values()}) > 1
    for order in orders.values():
        assert sorted(order) == sorted(item.key for item in scheme.items)
        for first, second in zip(order[::2], order[1::2], strict=True):
            assert second == first.replace(" 1 of ", " 2 of ")


def test_what_nobody_arranged_is_not_coded(store: Store, loops: Loops) -> None:
    """Interactions that were trained after the time was over are no units."""
    late = loops.arrive("late")
    _, answer = EXAMPLES[1]
    with store.write() as connection:
        save_answer(connection, Designs(store), late, 0, answer, rt_ms=1000, timing=None)
    over = [one["without_person"] for one in answer["session"]["interactions"]]
    assert (over[0], over[-1]) == (False, True)
    found = [
        item for item in scheme_of(store).items if item.interaction and item.interaction.submission == late.pseudonym
    ]
    assert len(found) == over.count(False)
    assert {item.interaction.of for item in found if item.interaction} == {over.count(False)}


def test_codes_decisions_and_what_is_final(store: Store, loops: Loops) -> None:
    """As for items: the same twice is one row, who differs is decided, what one alone said is not final."""
    assert [code(store, "Ann", 0, "merge") for _ in range(2)] == [True, False]
    assert code(store, "Ann", 0, "compactness")
    code(store, "Ben", 0, "compactness")
    code(store, "Ann", 1, "distance")
    code(store, "Ben", 1, "merge")
    code(store, "Ann", 2, "keep")
    with store.read() as connection:
        overview = read_overview(connection, "loops")
    assert [row.final for row in overview.items][:3] == ["compactness", None, None]
    assert [row.is_open for row in overview.items][:3] == [False, True, False]
    kappa = overview.agreement().overall
    assert (kappa.items, kappa.observed) == (2, 0.5)
    with store.write() as connection:
        scheme = read_scheme(connection, "loops")
        assert adjudicate(connection, scheme, scheme.items[1], "change", "Ann")
        assert not adjudicate(connection, scheme, scheme.items[1], "change", "Ann")
        final = final_interaction_codes(connection, "loops")
        assert final_categories(connection, "loops") == {}
        first, second = (item.interaction for item in scheme.items[:2])
    assert first is not None
    assert second is not None
    assert final == {
        (first.submission, first.item, 1): "compactness",
        (second.submission, second.item, 2): "change",
    }
    assert [(row.response_id, row.interaction) for row in rows(store, Coding)][-1] == (scheme.items[2].unit[1], 1)


def test_the_table_of_codes(store: Store, loops: Loops) -> None:
    """It says which submission and which interaction."""
    code(store, "Ann", 1, "distance")
    one = scheme_of(store).items[1].interaction
    assert one is not None
    with store.read() as connection:
        table = codes_table(connection, "loops")
    assert list(table.columns) == ["item", "submission", "interaction", "coder", "category", "note", "at", "final"]
    assert table.iloc[0, :5].tolist() == [one.item, one.submission, 2, "Ann", "distance"]


def test_codes_live_on_in_a_later_version(store: Store, loops: Loops, tmp_path: Path) -> None:
    """Sessions of the version before still count; where items are coded from now on, codes of interactions do not."""
    code(store, "Ann", 0, "merge")
    later = latent_design(title="Teach it")
    load_loops(store, later, tmp_path)
    with store.read() as connection:
        assert len(read_codes(connection, read_scheme(connection, "loops"))) == 1
    assert later.coding is not None
    items = latent_design(coding=later.coding.model_copy(update={"unit": "item"}).model_dump())
    load_loops(store, items, tmp_path)
    with store.read() as connection:
        scheme = read_scheme(connection, "loops")
        assert [item.key for item in scheme.items] == ["digits", "signals"]
        assert read_codes(connection, scheme) == {}
        assert final_interaction_codes(connection, "loops") == {}


def test_only_sessions_have_interactions() -> None:
    """Another task's design cannot code them; and one that codes items is the same JSON as before."""
    with pytest.raises(DesignError, match=r"coding\.unit: only the task latent-session has interactions"):
        parse_design(CODED.replace("[coding]\n", '[coding]\nunit = "interaction"\n'), "small.toml")
    assert "unit" not in parse_design(CODED, "small.toml").dump()["coding"]
    assert latent_design().dump()["coding"]["unit"] == "interaction"


@ON_SQLITE
def test_the_command_says_interactions(store: Store, loops: Loops) -> None:
    """How many there are, and how many are final."""
    done = CliRunner().invoke(coders_command, ["loops", "--database", store.url])
    assert "loops has 8 interactions to code and no coder yet" in done.output
    for name in ("Ann", "Ben"):
        code(store, name, 0, "merge")
    done = CliRunner().invoke(coders_command, ["loops", "--database", store.url])
    assert "Ann: 1 of 8 interactions coded" in done.output
    assert "1 interaction with a final category" in done.output


@ON_SQLITE
def test_what_a_coder_sees(store: Store, loops: Loops) -> None:
    """Drawings, words, movements, metrics, the voice of just that time; nothing of other coders."""
    speaker = Speaker(loops, "cem")
    speaker.decide("yes")
    record(speaker, 90, 6)
    record(speaker, 10, 1, recording=2)
    began = rows(store, Recording)[0].at
    for number, begin, seconds in ((1, 20, 10), (2, 50, 35)):  # the second recording begins in the second one
        loops.train(speaker.submission, number, began + timedelta(seconds=begin), seconds)
    loops.answer(speaker.submission, "merge")
    ann = coder(store, "Ann")
    code(store, "Ben", 9, "change")
    items = {item.number: item for item in scheme_of(store).items[8:]}
    page = speaker.client.get(f"/code/{ann.token}/{items[2].token}").text
    assert "I moved the classes together" in page
    assert re.search(r'<span class="clock">0:\d\d</span> Moved', page)
    assert page.count("<tr") == 2 + 1 + 4
    assert "you have not coded it yet" in page
    assert "checked" not in page
    for address in re.findall(r'<img src="([^"]+\.svg)"', page):
        drawn = speaker.client.get(address)
        assert (drawn.mimetype, drawn.text[:4]) == ("image/svg+xml", "<svg")
    voices = re.findall(r'<audio [^>]*src="([^"]+)"', page)
    assert voices == [f"/code/{ann.token}/{items[2].token}/voice/{number}" for number in (1, 2)]
    sound = speaker.client.get(voices[0])
    assert (sound.mimetype, sound.headers["Cache-Control"]) == ("audio/webm", "no-store")
    assert (times(sound.data)[0], times(sound.data)[-1]) == (30_000, 84_960)
    part = speaker.client.get(voices[0], headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.data)) == (206, 10)
    assert times(speaker.client.get(voices[1]).data)[0] == 0
    first = speaker.client.get(f"/code/{ann.token}/{items[1].token}/voice/1")
    assert times(first.data)[-1] == 29_940
    answer = speaker.client.post(f"/code/{ann.token}/{items[1].token}", data={"category": "merge"})
    assert answer.status_code == 303
    assert "you said <strong>merge</strong>" in speaker.client.get(f"/code/{ann.token}/{items[2].token}").text
    assert "intended.svg" in speaker.client.get(f"/code/{ann.token}/coded").text
    for address in (f"/code/nobody/{items[2].token}/voice/1", f"/code/{ann.token}/{items[2].token}/voice/3"):
        assert speaker.client.get(address).status_code == 404
    speaker.decide("delete")
    assert speaker.client.get(voices[0]).status_code == 404
    assert "<audio" not in speaker.client.get(f"/code/{ann.token}/{items[2].token}").text
