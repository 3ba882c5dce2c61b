"""Further pictures of items: from the source to the store, and from there to trials and browsers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items import read_items
from crowdloom.studies.participation import (
    VIEWS,
    Designs,
    finish_instructions,
    read_options,
    read_progress,
    trial_at,
    views_of,
)
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Batch, BatchItem, Condition, Item, Media
from crowdloom.studies.web import create_app
from crowdloom.tasks.mixing_coefficient import MixingOptions
from crowdloom.tasks.protocol import Trial, View
from crowdloom.tasks.wrong_label import WrongLabelOptions
from tests.studies.designs import load, make_design
from tests.studies.interpreted import make_interpreted, make_wrong_label
from tests.studies.test_loading import everything

STEPS = {"pairs": 2, "steps": 5}


def make_construction(**changes: Any) -> Design:
    """A study of digits whose pairs are shown in five mixes each."""
    values = {
        "name": "halves",
        "task": "mixing-coefficient",
        "classes": [str(digit) for digit in range(10)],
        "options": {"question": "construct"},
        "items": {"source": "digits", "enlarge": "nearest", "image_size": 40, "mixed": STEPS, "sample": 4},
        "batches": {"size": 4, "responses_per_item": 9},
    }
    return make_design(**(values | changes))


def trials(store: Store, design: str, person: str) -> list[Trial]:
    """All trials of somebody who comes by a new posting."""
    designs = Designs(store)
    with store.write() as connection:
        token = join(connection, find_entry(connection, publish(connection, design, "link").token), person)
        progress = read_progress(connection, token)
    return [trial_at(designs, progress, position)[1] for position in range(len(progress.item_order))]


def of_item(shown: list[Trial]) -> Iterator[tuple[tuple[str, str], Trial]]:
    """Trials by the keys of the two images that were mixed."""
    for trial in shown:
        yield (trial.attributes["source1"], trial.attributes["source2"]), trial


def test_views_are_stored_as_media(store: Store, tmp_path: Path) -> None:
    """Under an item's attribute `views`, by name: digest and size; each is enlarged as the item's picture is."""
    design = make_construction()
    load(store, tmp_path, design)
    source = {item.key: item for item in read_items(design, tmp_path)}
    with store.read() as connection:
        rows = connection.execute(select(Item.key, Item.shown, Item.attributes)).all()
        media = {row.sha256: row.content for row in connection.execute(select(Media.sha256, Media.content))}
    assert len(rows) == 4
    for row in rows:
        views = row.attributes[VIEWS]
        assert set(views) == {"0.0", "0.25", "0.5", "0.75", "1.0"}
        assert row.shown == views["0.5"]["media"]
        for name, view in views.items():
            assert (view["width"], view["height"]) == (40, 40)
            small = np.asarray(Image.open(io.BytesIO(source[row.key].views[name]())))
            shown = np.asarray(Image.open(io.BytesIO(media[view["media"]] or b"")))
            assert (shown == small.repeat(5, axis=0).repeat(5, axis=1)).all()


def test_a_trial_has_views_options_and_a_seed(store: Store, tmp_path: Path) -> None:
    """Views by name and no attribute of that name; the options; a seed that stays, and differs between people."""
    load(store, tmp_path, make_construction())
    ann = dict(of_item(trials(store, "halves", "ann")))
    again, ben = (dict(of_item(trials(store, "halves", name))) for name in ("ann", "ben"))
    assert ann == again
    assert ann.keys() == ben.keys()
    assert len({trial.seed for shown in (ann, ben) for trial in shown.values()}) == 8
    for key, trial in ann.items():
        assert trial.options == MixingOptions(question="construct")
        assert VIEWS not in trial.attributes
        assert trial.views["0.5"] == View(str(trial.image), (40, 40))
        assert trial.views == ben[key].views
        assert trial.views.keys() == {"0.0", "0.25", "0.5", "0.75", "1.0"}


def test_each_condition_has_its_own_options(store: Store, tmp_path: Path) -> None:
    """A condition's options stand over the design's, those over the defaults; so pages and the reader have them."""
    make_interpreted(tmp_path)
    load(store, tmp_path, make_wrong_label())
    with store.read() as connection:
        batches = connection.execute(
            select(Condition.name, Batch.id).join(Batch, Batch.condition_id == Condition.id)
        ).all()
        options = {(row.name, read_options(connection, row.id)) for row in batches}
    assert options == {("Int", WrongLabelOptions(interpretations=True)), ("No-Int", WrongLabelOptions())}
    designs = Designs(store)
    assert {(row.name, designs.options(row.id)) for row in batches} == options
    mixed = make_construction(conditions=[{"name": "a", "options": {"question": "choose"}}, {"name": "b"}])
    assert [mixed.task_options(arm).question for arm in mixed.arms()] == ["choose", "construct"]  # type: ignore[attr-defined]


def test_a_browser_gets_every_view(store: Store, tmp_path: Path) -> None:
    """The page names their addresses, and each is a picture that may be kept for ever."""
    load(store, tmp_path, make_construction())
    client = create_app(store).test_client()
    with store.write() as connection:
        posting = publish(connection, "halves", "link").token
        token = join(connection, find_entry(connection, posting), "ann")
        finish_instructions(connection, read_progress(connection, token), make_construction())
        progress = read_progress(connection, token)
    _, trial = trial_at(Designs(store), progress, 0)
    page = client.get(f"/take/{token}").text
    for view in trial.views.values():
        assert view.image in page
        answer = client.get(view.image)
        assert (answer.status_code, answer.mimetype) == (200, "image/png")
        assert Image.open(io.BytesIO(answer.data)).size == view.size
        assert "immutable" in answer.headers["Cache-Control"]


def test_an_item_without_views_has_none() -> None:
    """As in every store so far."""
    assert views_of({"source": "x"}) == {}
    assert views_of({VIEWS: {"a": {"media": "0f", "width": 3, "height": 4}}}) == {"a": View("/media/0f", (3, 4))}


def test_another_view_is_another_item(store: Store, tmp_path: Path) -> None:
    """A later version that exchanges one view, or lacks one, has a new item and shares the others."""
    make_interpreted(tmp_path)
    design = make_wrong_label()
    load(store, tmp_path, design)
    assert not load(store, tmp_path, design).is_new
    Image.new("RGB", (120, 120), "red").save(tmp_path / "1.gradcam.png")
    assert load(store, tmp_path, design).version == 2
    with store.read() as connection:
        assert sorted(connection.scalars(select(Item.key))) == ["item-0", "item-1", "item-1"]


def test_an_item_that_lacks_what_its_task_needs_is_named(sqlite_store: Store, tmp_path: Path) -> None:
    """By what the task says of it in the condition in which it is shown, and nothing is stored."""
    make_interpreted(tmp_path, views=())
    with pytest.raises(ItemError, match=r"items\.csv:\d \(\d\.png\): it has no views, which options\.interpretations"):
        load(sqlite_store, tmp_path, make_wrong_label())
    mixed = {"source": "digits", "mixed": {"pairs": 1, "coefficients": [[0.5]]}}
    with pytest.raises(
        ItemError, match=r"the mix digit-\d+\+digit-\d+@0\.5: it has 0 mixes, and the question 'construct'"
    ):
        load(sqlite_store, tmp_path, make_construction(items=mixed, batches={"size": 9, "responses_per_item": 1}))
    assert not any(everything(sqlite_store)[table] for table in ("study", "item", "media"))


def test_what_one_condition_does_not_need_is_not_asked_of_its_items(sqlite_store: Store, tmp_path: Path) -> None:
    """With items of its own, a condition without interpretations takes items that have none."""
    make_interpreted(tmp_path)
    design = make_wrong_label(batches={"size": 1, "responses_per_item": 1, "split_items": True})
    items = read_items(design, tmp_path)
    load(sqlite_store, tmp_path, design.model_copy(update={"name": "all"}), items=items)
    with sqlite_store.read() as connection:
        rows = connection.execute(
            select(Item.key, Condition.name)
            .join(BatchItem, BatchItem.item_id == Item.id)
            .join(Batch, Batch.id == BatchItem.batch_id)
            .join(Condition, Condition.id == Batch.condition_id)
        )
        shown_in = {row.key: row.name for row in rows}
    bare = [replace(item, views={}) if shown_in[item.key] == "No-Int" else item for item in items]
    assert load(sqlite_store, tmp_path, design, items=bare).items == 2
    bare = [replace(item, views={}) if shown_in[item.key] == "Int" else item for item in items]
    with pytest.raises(ItemError, match="it has no views"):
        load(sqlite_store, tmp_path, design, items=bare)
