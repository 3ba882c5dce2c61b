"""From a design and its items to the store: whole, once, and never over what was published."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.errors import DesignError, ItemError
from crowdloom.studies.loading import design_digest
from crowdloom.studies.participation import read_progress
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import (
    Batch,
    BatchItem,
    Condition,
    Design,
    Item,
    Media,
    Place,
    Study,
    Table,
)
from tests.studies.designs import load, make_design, make_images

CIFAR10 = ("Airplane", "Automobile", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck")


def everything(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with store.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Table.metadata.sorted_tables
        }


def crowd_study() -> DesignModel:
    """The crowd study: 40 batches of 25 of the real images, three of them easy by CIFAR-10H's counts."""
    return make_design(
        name="crowd",
        seed=1,
        classes=CIFAR10,
        items={
            "source": "arrays",
            "path": "cifar10-test-subset.npz",
            "counts": "cifar10h-counts.npy",
            "sample": 1000,
        },
        batches={
            "size": 25,
            "responses_per_item": 6,
            "repeats": [6, 11],
            "mix": [{"count": 3, "at_most": 0.1}, {"count": 22, "above": 0.25}],
        },
    )


def test_the_crowd_study(sqlite_store: Store, test_data: Path) -> None:
    """40 batches of 25 as in the thesis, section 3.2.1, with real difficulties, and 160 x 160 by Lanczos."""
    steps: list[tuple[int, int]] = []
    loaded = load(sqlite_store, test_data, crowd_study(), progress=lambda done, total: steps.append((done, total)))
    assert (loaded.items, loaded.unused, loaded.batches, loaded.places) == (1000, 533, 40, 240)
    assert steps == [(done, 1000) for done in range(1, 1001)]

    counts = np.load(test_data / "cifar10h-counts.npy")
    images = np.load(test_data / "cifar10-test-subset.npz")
    with sqlite_store.read() as connection:
        rows = connection.execute(
            select(BatchItem.batch_id, Item.key, Item.difficulty, Item.reference, Item.shown, Item.media).join(
                Item, Item.id == BatchItem.item_id
            )
        ).all()
        places = connection.execute(select(Place.batch_id, func.count()).group_by(Place.batch_id)).all()
    assert len({row.key for row in rows}) == 1000
    for row in rows:
        shares = counts[int(row.key)] / counts[int(row.key)].sum()
        assert row.difficulty == pytest.approx(-(shares[shares > 0] * np.log(shares[shares > 0])).sum(), abs=1e-12)
    easy = Counter(row.batch_id for row in rows if row.difficulty <= 0.1)
    hard = Counter(row.batch_id for row in rows if row.difficulty > 0.25)
    assert (list(easy.values()), list(hard.values())) == ([3] * 40, [22] * 40)
    assert [count for _, count in places] == [6] * 40

    position = int(np.flatnonzero(images["index"] == int(rows[7].key))[0])
    assert rows[7].reference == CIFAR10[images["label"][position]]
    assert (picture(sqlite_store, rows[7].media) == images["images"][position]).all()
    enlarged = Image.fromarray(images["images"][position]).resize((160, 160), Image.Resampling.LANCZOS)
    assert (picture(sqlite_store, rows[7].shown) == np.asarray(enlarged)).all()


def picture(store: Store, sha256: str | None) -> Any:
    """A medium of the store as an array."""
    with store.read() as connection:
        content = connection.execute(select(Media.content).where(Media.sha256 == sha256)).scalar_one()
    assert content is not None
    return np.asarray(Image.open(io.BytesIO(content)))


def test_a_design_becomes_rows(store: Store, tmp_path: Path) -> None:
    """Every condition has all batches and its own number of places; media are stored once."""
    make_images(tmp_path, count=4)
    (tmp_path / "images/cat/again.png").write_bytes((tmp_path / "images/cat/0.png").read_bytes())
    design = make_design(
        conditions=[{"name": "a"}, {"name": "b", "responses_per_item": 5, "instructions": ["Otherwise."]}],
        batches={"size": 2, "responses_per_item": 3},
    )
    loaded = load(store, tmp_path, design)
    assert (loaded.version, loaded.is_new, loaded.items, loaded.batches, loaded.places) == (1, True, 5, 3, 24)
    with store.read() as connection:
        places = connection.execute(
            select(Condition.name, Batch.number, func.count(Place.id))
            .join(Batch, Batch.condition_id == Condition.id)
            .join(Place, Place.batch_id == Batch.id)
            .group_by(Condition.name, Batch.number)
        ).all()
        assert sorted(tuple(row) for row in places) == [("a", n, 3) for n in range(3)] + [("b", n, 5) for n in range(3)]
        assert set(connection.scalars(select(Place.state))) == {"open"}
        items = {row.key: row for row in connection.execute(select(Item))}
        assert {key: item.reference for key, item in items.items()} == {
            "cat/0.png": "cat",
            "cat/3.png": "cat",
            "cat/again.png": "cat",
            "dog/1.png": "dog",
            "frog/2.png": "frog",
        }
        assert items["cat/0.png"].media == items["cat/again.png"].media
        assert connection.execute(select(func.count()).select_from(Media)).scalar() == 8
        batches = connection.execute(
            select(Batch.id, BatchItem.item_id).join(BatchItem, BatchItem.batch_id == Batch.id)
        ).all()
        first = {row.item_id for row in batches if row.id == batches[0].id}
        assert len(first) == 2
        assert connection.execute(select(Design.source, Design.task)).one() == (design.model_dump_json(), "soft-label")


def test_loading_again_adds_nothing(store: Store, tmp_path: Path) -> None:
    """The same design with the same items is there already; the store does not change by a row."""
    make_images(tmp_path)
    load(store, tmp_path)
    before = everything(store)
    again = load(store, tmp_path)
    assert (again.version, again.is_new, again.items, again.places) == (1, False, 4, 4)
    assert everything(store) == before


def change_text(folder: Path) -> DesignModel:
    """Another title."""
    return make_design(title="Which one is it?")


def change_batches(folder: Path) -> DesignModel:
    """Other batches."""
    return make_design(seed=5, batches={"size": 1, "responses_per_item": 2})


def change_picture(folder: Path) -> DesignModel:
    """Another picture under the same name."""
    Image.new("RGB", (8, 8), "red").save(folder / "images/cat/0.png")
    return make_design()


def change_size(folder: Path) -> DesignModel:
    """The same pictures in another size."""
    return make_design(items={"source": "folder", "path": "images", "image_size": 40})


@pytest.mark.parametrize(
    ("change", "new_items"), [(change_text, 0), (change_batches, 0), (change_picture, 1), (change_size, 4)]
)
def test_a_change_is_a_new_version(
    store: Store, tmp_path: Path, change: Callable[[Path], DesignModel], new_items: int
) -> None:
    """The published version stays, row by row; items that are the same are shared."""
    make_images(tmp_path)
    load(store, tmp_path)
    with store.write() as connection:
        token = publish(connection, "pets", "link").token
    before = everything(store)

    loaded = load(store, tmp_path, change(tmp_path))
    assert (loaded.version, loaded.is_new) == (2, True)
    after = everything(store)
    for table, rows in before.items():
        assert all(row in after[table] for row in rows), table
    assert len(after["item"]) - len(before["item"]) == new_items
    assert len(after["design"]) == 2
    with store.read() as connection:
        assert find_entry(connection, token).design == make_design()


class LaterDesign(DesignModel):
    """A later release's design, with a field more."""

    breaks: int = 0


def test_what_has_its_default_is_no_part_of_the_digest() -> None:
    """A release that adds a field with a default makes no new version of an older file."""
    design = make_design()
    digest = design_digest(design, [])
    assert design_digest(LaterDesign.model_validate(design.dump()), []) == digest
    assert design_digest(make_design(thanks=design.thanks, conditions=[]), []) == digest
    assert design_digest(make_design(thanks="Bye."), []) != digest
    assert design_digest(LaterDesign.model_validate(design.dump() | {"breaks": 1}), []) != digest


def test_going_back_is_a_version_too(store: Store, tmp_path: Path) -> None:
    """A design that returns to an earlier text becomes the newest version, for that is what `publish` opens."""
    make_images(tmp_path)
    load(store, tmp_path)
    load(store, tmp_path, change_text(tmp_path))
    back = load(store, tmp_path)
    assert (back.version, back.is_new) == (3, True)
    with store.write() as connection:
        entry = find_entry(connection, publish(connection, "pets", "link").token)
    assert entry.design == make_design()


def break_image(folder: Path) -> None:
    """A torn file among good ones."""
    path = folder / "images/frog/2.png"
    path.write_bytes(path.read_bytes()[:90])


def add_text(folder: Path) -> None:
    """A text that calls itself an image."""
    (folder / "images/dog/z.png").write_text("a dog")


def unknown_class(folder: Path) -> None:
    """A folder that is no class."""
    (folder / "images/cat").rename(folder / "images/cow")


def no_images(folder: Path) -> None:
    """An empty folder."""
    (folder / "images").rename(folder / "elsewhere")
    (folder / "images").mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (break_image, r"frog/2\.png is not an image that can be shown"),
        (add_text, r"dog/z\.png is not an image that can be shown"),
        (unknown_class, "the reference class 'cow' is not one of the design's classes"),
        (no_images, "the source images holds no items"),
    ],
)
def test_broken_items_leave_the_store_as_it_was(
    store: Store, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    """Whatever is wrong with one item, nothing of the design is stored, not even the study's name."""
    make_images(tmp_path)
    load(store, tmp_path, make_design(name="other"))
    before = everything(store)
    spoil(tmp_path)
    with pytest.raises(ItemError, match=message):
        load(store, tmp_path)
    assert everything(store) == before


def test_too_few_items_leave_the_store_as_it_was(store: Store, tmp_path: Path) -> None:
    """A design that its items cannot fill is refused."""
    make_images(tmp_path)
    with pytest.raises(DesignError, match=r"items\.sample: 9 items are asked for, the source has 4"):
        load(store, tmp_path, make_design(items={"source": "folder", "path": "images", "sample": 9}))
    with store.read() as connection:
        assert connection.scalars(select(Study.id)).all() == []


def test_two_who_load_at_once(store: Store, tmp_path: Path) -> None:
    """Of several who load the same design at the same moment one makes it, and all get the same version."""
    make_images(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(load, store, tmp_path) for _ in range(4)]
        loaded = [future.result() for future in futures]
    assert sorted(one.is_new for one in loaded) == [False, False, False, True]
    assert {one.version for one in loaded} == {1}
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Item)).scalar() == 4


def test_class_order_differs_between_people_and_stays_for_one(sqlite_store: Store, tmp_path: Path) -> None:
    """Each participant gets their own order of classes and items; whoever comes back finds it as it was."""
    classes = [f"class {number}" for number in range(8)]
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    design = make_design(
        classes=classes, items={"source": "folder", "path": "."}, batches={"size": 1, "responses_per_item": 20}
    )
    load(sqlite_store, tmp_path, design)
    orders = {}
    with sqlite_store.write() as connection:
        token = publish(connection, "pets", "link").token
        entry = find_entry(connection, token)
        for person in range(10):
            submission = join(connection, entry, f"person-{person}")
            orders[person] = tuple(read_progress(connection, submission).class_order)
            assert sorted(orders[person]) == sorted(classes)
    assert len(set(orders.values())) > 5
    with sqlite_store.write() as connection:
        for person in range(10):
            progress = read_progress(connection, join(connection, entry, f"person-{person}"))
            assert tuple(progress.class_order) == orders[person]
