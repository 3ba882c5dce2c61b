"""`crowdloom simulate-labels`, as its users call it: on a small study, and on the real crowd study."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from sqlalchemy import select

from crowdloom.analysis.label_files import read_labels
from crowdloom.analysis.label_pools import pool_by_image
from crowdloom.analysis.label_simulator import LabelSimulator, is_ambiguous
from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.importing import import_jspsych
from crowdloom.studies.simulating import Simulation, simulate_labels
from crowdloom.studies.tables import LabelSet
from crowdloom.studies.web import create_app
from tests.conftest import missing
from tests.studies.studies_for_tests import DESIGN, answer, begin, open_small, trial_id

NUMBERED = DESIGN.replace('source = "digits"\nsample = 6', 'source = "csv"\npath = "items.csv"')
"""The small study about six images whose keys are the rows of the counts."""

COUNTS = np.array([[0] * 3 + [n, 51 - n] + [0] * 5 for n in (51, 50, 40, 30, 20, 10, 0, 25)])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store in which four people completed it, and the counts of eight images."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("CROWDLOOM_DATABASE", url)
    for number in range(6):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"{number}.png")
    lines = ["key,image", *(f"{number},{number}.png" for number in range(6))]
    (tmp_path / "items.csv").write_text("\n".join(lines) + "\n")
    store = open_store(url)
    posting = open_small(store, tmp_path, NUMBERED)
    client = create_app(store).test_client()
    for name in ("ann", "ben", "cem", "dan"):
        base = begin(client, posting, name)
        while trial_id(client, base):
            assert answer(client, base, top2="8", top2_probability="20", impossible=["0", "9"]) == 303
    open_small(store, tmp_path, DESIGN.replace('"small"', '"digits"'))
    store.close()
    np.save(tmp_path / "counts.npy", COUNTS)
    return tmp_path


def call(*arguments: str, study: str = "small") -> str:
    """What the command prints."""
    return CliRunner().invoke(cli, ["simulate-labels", study, *arguments], catch_exceptions=False).output


@pytest.mark.parametrize("suffix", ["json", "csv", "parquet", "npz"])
def test_every_row_of_the_counts_has_its_simulated_labels(here: Path, suffix: str) -> None:
    """Also rows that are no item of the study, in every format, and the same again from the same seed."""
    said = call("--counts", "counts.npy", "--annotators", "3", "--seed", "4", "--out", f"labels.{suffix}")
    found = read_labels(Path(f"labels.{suffix}"), list("0123456789"))
    assert list(found.item) == [str(row) for row in range(8) for _ in range(3)]
    # After 3 people named 8; after 4 nobody named any, so the first of the classes is its nearest.
    assert np.flatnonzero(found.labels.sum(axis=0)).tolist() == [0, 3, 4, 8]
    assert "Wrote 24 labels of 8 images, by 3 annotators each, to labels" in said
    if suffix != "json":
        assert list(found.participant or [])[:4] == ["simulated-1", "simulated-2", "simulated-3", "simulated-1"]
    first = (here / f"labels.{suffix}").read_bytes()
    call("--counts", "counts.npy", "--annotators", "3", "--seed", "4", "--out", f"labels.{suffix}")
    assert (here / f"labels.{suffix}").read_bytes() == first
    call("--counts", "counts.npy", "--annotators", "3", "--seed", "5", "--out", f"labels.{suffix}")
    assert (here / f"labels.{suffix}").read_bytes() != first


def test_what_was_fitted_is_said_written_and_recorded(here: Path) -> None:
    """Everybody gave the first class 80 %, the second 20 %, and left seven others possible; few answers serve both."""
    said = call("--counts", "counts.npy", "--out", "labels.npz", "--simulator", "fitted.json")
    assert (
        "low entropy (too few answers, so all 12 of them): the first class 0.80 (sd 0.00), a second 0.20 (0.00)" in said
    )
    assert (
        "and 7.0 other classes possible. Classes are ranked by the second choices of the study's first answers.\n"
        in said
    )
    assert "On the study's 6 items, simulated against collected: entropy 0.50 against 0.50 nats a label" in said
    assert "highest probability 0.80 against 0.80; mass on at most two classes in 100% against 100%.\n" in said
    fitted = LabelSimulator.read(here / "fitted.json")
    assert fitted.low.possible == (0, 0, 0, 0, 0, 0, 0, 12, 0, 0)
    assert fitted.similarity[3].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
    again = fitted.simulate(COUNTS, 5, np.random.default_rng(0))
    np.testing.assert_array_equal(again.labels, read_labels(here / "labels.npz").labels)
    with open_store(str(here / "store.db")).read() as connection:
        recipe, responses = connection.execute(select(LabelSet.recipe, LabelSet.responses)).one()
    assert responses == 12
    assert LabelSimulator.from_json(recipe["simulator"]).low == fitted.low
    assert (recipe["annotators"], recipe["seed"], recipe["gamma"]) == (5, 0, 0.0)


def test_gamma_keeps_mass_for_other_classes(here: Path) -> None:
    """As of collected labels: here the two probabilities are 1 always."""
    call("--counts", "counts.npy", "--gamma", "0.1", "--out", "labels.npz")
    labels = read_labels(here / "labels.npz").labels
    np.testing.assert_allclose(np.sort(labels, axis=1)[:, -2:], np.tile([0.18, 0.72], (40, 1)))


def test_word_vectors_rank_the_classes(here: Path) -> None:
    """The class whose vector is nearest comes second, whomever people named; the file is named."""
    angles = {name: name * (10 + name) / 100 for name in range(10)}  # ever further apart, so the one before is nearest
    vectors = [f"{name} {np.cos(angle)} {np.sin(angle)}" for name, angle in angles.items()]
    (here / "vectors.txt").write_text("\n".join(vectors) + "\n")
    said = call("--counts", "counts.npy", "--vectors", "vectors.txt", "--out", "labels.npz")
    assert "Classes are ranked by the word vectors vectors.txt." in said
    labels = read_labels(here / "labels.npz").labels
    np.testing.assert_allclose(labels[:5, 2], 0.2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--counts", "none.npy"], "--counts: none.npy cannot be read as an .npy array"),
        (["--counts", "narrow.npy"], r"--counts: the counts have the shape \(8, 9\)"),
        (["--counts", "short.npy"], "--counts: the item '5' is no row of the counts, 0 to 4"),
        (["--counts", "empty.npy"], "--counts: row 7 of the counts is all zeros"),
        (["--counts", "counts.npy", "--gamma", "1"], "gamma is 1.0"),
        (["--counts", "counts.npy", "--vectors", "v.txt"], "v.txt cannot be read"),
        (["--counts", "counts.npy", "--vectors", "v.txt", "--similarity", "s.csv"], "give one of them"),
        (["--counts", "counts.npy", "--out", "counts.npy"], r"--out counts\.npy is the same file as --counts"),
        (["--counts", "counts.npy", "--out", "labels.txt"], "'txt' is no format of labels"),
        (["--counts", "counts.npy", "--simulator", "no/s.json"], "--simulator no/s.json: there is no folder"),
        (["--counts", "counts.npy", "--simulator", "labels.npz"], "is the same file as --out"),
    ],
)
def test_what_does_not_fit_is_refused(here: Path, arguments: list[str], sentence: str) -> None:
    """In one sentence, and nothing is written."""
    np.save(here / "narrow.npy", COUNTS[:, :9])
    np.save(here / "short.npy", COUNTS[:5])
    np.save(here / "empty.npy", np.where(np.arange(8)[:, np.newaxis] < 7, COUNTS, 0))
    before = sorted(here.iterdir())
    with pytest.raises(OptionError, match=sentence):
        call("--out", "labels.npz", *arguments)
    assert sorted(here.iterdir()) == before


def test_a_study_that_does_not_fit_is_refused(here: Path) -> None:
    """One that nobody calls so, one without answers, and one whose items are no rows."""
    with pytest.raises(StudyError, match="no study is called 'nothing'"):
        call("--counts", "counts.npy", "--out", "labels.npz", study="nothing")
    with pytest.raises(
        OptionError, match=r"'digits': no answer names a second class, .*; give --similarity or --vectors"
    ):
        call("--counts", "counts.npy", "--out", "labels.npz", study="digits")
    rows = [[name, *("1" if name == other else "0" for other in "0123456789")] for name in "0123456789"]
    (here / "alike.csv").write_text("\n".join(",".join(row) for row in [["", *"0123456789"], *rows]) + "\n")
    with pytest.raises(OptionError, match="there is nothing to fit"):
        call("--counts", "counts.npy", "--similarity", "alike.csv", "--out", "labels.npz", study="digits")


@pytest.fixture(scope="module")
def real(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with the real crowd study."""
    if not (test_data / "cifar10s-raw.csv").is_file():
        missing(f"no cifar10s-raw.csv in {test_data}")
    store = open_store(str(tmp_path_factory.mktemp("simulated") / "store.db"))
    import_jspsych(store, test_data / "cifar10s-raw.csv", task="soft-label", study="cifar10s")
    yield store
    store.close()


@pytest.mark.parametrize(("gamma", "few"), [(0.0, 0.1), (0.1, 0.03)])
def test_simulated_labels_are_like_the_real_ones(real: Store, test_data: Path, gamma: float, few: float) -> None:
    """On the 1,000 images of the crowd study, and softer for ambiguous images than for others on all 10,000."""
    counts = np.load(test_data / "cifar10h-counts.npy")
    with real.read() as connection:
        made = simulate_labels(connection, "cifar10s", counts, Simulation(annotators=6, seed=0, gamma=gamma))
    assert (made.simulator.low.answers, made.simulator.high.answers) == (702, 5498)
    assert made.items == 1000
    assert abs(made.simulated.entropy - made.collected.entropy) < 0.04
    assert abs(made.simulated.mean_entropy - made.collected.mean_entropy) < 0.1
    assert abs(made.simulated.highest - made.collected.highest) < 0.03
    assert abs(made.simulated.few - made.collected.few) < few
    table = made.table
    assert len(table.item) == 60_000
    pool = pool_by_image(table.labels, np.array(table.item, dtype=np.intp), 10_000)
    high = is_ambiguous(counts)
    assert pool.mean().max(axis=1)[~high].mean() > pool.mean().max(axis=1)[high].mean() + 0.15
    assert (pool.mean().argmax(axis=1) == counts.argmax(axis=1))[~high].mean() > 0.98


def test_second_choices_of_the_real_study_are_sensible(real: Store, test_data: Path) -> None:
    """The animal or vehicle that one would expect is the nearest of each class."""
    counts = np.load(test_data / "cifar10h-counts.npy")
    with real.read() as connection:
        made = simulate_labels(connection, "cifar10s", counts, Simulation(annotators=1, seed=0, gamma=0.0))
    names = list(made.table.classes)
    other = made.simulator.similarity - 2 * np.eye(10)
    nearest = {name: names[int(other[number].argmax())] for number, name in enumerate(names)}
    expected = {
        "Cat": "Dog",
        "Dog": "Cat",
        "Automobile": "Truck",
        "Truck": "Automobile",
        "Deer": "Horse",
        "Horse": "Deer",
    }
    assert {name: nearest[name] for name in expected} == expected
