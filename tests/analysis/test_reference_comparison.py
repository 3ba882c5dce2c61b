"""The numbers of the real crowd study, imported through the store, against pandas on the raw file; and small frames."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.label_comparison import compare_labels, largest_distance
from crowdloom.analysis.labels import Elicited, build_labels, mean_by_item, parse_variety
from crowdloom.analysis.reference_comparison import counts_of_items, reference_table
from crowdloom.analysis.times import time_spent
from crowdloom.studies.database import open_store
from crowdloom.studies.importing import import_jspsych
from crowdloom.studies.reading import read_frame
from crowdloom.tasks.soft_label import CIFAR10
from tests.analysis.frames import CLASSES, frame_of, response

MILLISECOND = 0.001
"""The store keeps whole ones; the raw file has fractions of them."""


def by_name(frame: pd.DataFrame, classes: Any, counts: Any = None) -> dict[tuple[str, str], Any]:
    """The table's numbers."""
    return {(row["number"], row["over"]): row["value"] for row in reference_table(frame, classes, counts).records()}


@pytest.fixture(scope="module", params=[False, True], ids=["once", "doubled"])
def real(
    request: pytest.FixtureRequest, test_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frame of the imported study, with the doubled session or without, and the label screens of the raw file."""
    store = open_store(str(tmp_path_factory.mktemp("reference") / "store.db"))
    path = test_data / "cifar10s-raw.csv"
    import_jspsych(store, path, task="soft-label", study="cifar10s", keep_doubles=request.param)
    with store.read() as connection:
        frame = read_frame(connection, "cifar10s")
    store.close()
    raw = pd.read_csv(path, dtype={"response": str}, low_memory=False)
    raw = raw[raw["task"].isin(["spec_conf", "rerun_spec_conf"])].drop(columns=raw.columns[0])
    if not request.param:
        raw = raw.drop_duplicates()
    return frame, raw.reset_index(drop=True)


@pytest.fixture(scope="module")
def counts(test_data: Path) -> Any:
    """CIFAR-10H."""
    return np.load(test_data / "cifar10h-counts.npy")


def labels_of(raw: pd.DataFrame) -> np.ndarray:
    """T2-clamp labels with gamma 0.1, screen by screen, straight from the thesis' words."""
    found = np.zeros((len(raw), 10))
    for row, text in enumerate(raw["response"]):
        said = json.loads(text)
        ticked = {key.removeprefix("improbClassSelect") for key in said if key.startswith("improbClassSelect")}
        label = np.zeros(10)
        label[CIFAR10.index(said["classSelect"].removeprefix("mostProb"))] = (
            float(said["prob"].replace("8p", "80")) or 100.0
        ) / 100
        second = said["classSelect2"].removeprefix("secondProb")
        mass = pd.to_numeric(said["prob2"], errors="coerce")
        if second in CIFAR10 and mass == mass:
            label[CIFAR10.index(second)] = mass / 100
        possible = np.array([name not in ticked for name in CIFAR10])
        n = possible.sum() - (label > 0).sum()
        rest = 1 - label.sum()
        if rest <= 1e-12:
            label = label / label.sum() * (0.9 if n else 1.0)
            rest = 0.1
        if n > 0:
            label[possible & (label == 0)] = rest / n
        found[row] = label / label.sum()
    return found


def test_the_real_study_equals_pandas(real: tuple[pd.DataFrame, pd.DataFrame], counts: Any) -> None:
    """People, answers, seconds, accuracies, entropies, consistency, and the counts of other annotators."""
    frame, raw = real
    found = by_name(frame, CIFAR10, counts)
    first, again = raw["task"] == "spec_conf", raw["task"] == "rerun_spec_conf"
    doubled = len(raw) == 6723
    assert (first.sum(), again.sum(), raw["subject"].nunique()) == ((6225, 498, 248) if doubled else (6200, 496, 248))
    assert found["# first answers", "the study"] == first.sum()
    assert found["# repeats", "the study"] == again.sum()
    assert found["# participants", "the study"] == 248
    assert found["# submissions", "the study"] == 248 + doubled
    assert found["# items", "the study"] == 1000

    seconds = raw["rt"].astype(float) / 1000
    for over, some in (("answers, repeats included", seconds), ("first answers", seconds[first])):
        assert found["median seconds", over] == pytest.approx(some.median(), abs=MILLISECOND)
        assert found["mean seconds", over] == pytest.approx(some.mean(), abs=MILLISECOND)

    said = raw["response"].map(json.loads)
    top1 = said.map(lambda answer: answer["classSelect"].removeprefix("mostProb"))
    top2 = said.map(lambda answer: answer["classSelect2"].removeprefix("secondProb"))
    reference = raw["label"].str.capitalize()
    assert found["top-1 accuracy", "first answers"] == pytest.approx((top1 == reference)[first].mean())
    either = ((top1 == reference) | (top2 == reference))[first]
    assert found["top-2 accuracy", "first answers"] == pytest.approx(either.mean())

    labels = labels_of(raw)
    images = raw["img_id"].astype(float).astype(int)
    means = pd.DataFrame(labels)[first].groupby(images[first]).mean()
    theirs = pd.DataFrame(counts / counts.sum(axis=1, keepdims=True)).loc[means.index]
    ours, other = (stats.entropy(some.to_numpy(), axis=1) for some in (means, theirs))
    assert found["mean entropy", "labels of first answers"] == pytest.approx(
        stats.entropy(labels[first], axis=1).mean()
    )
    assert found["mean entropy", "items' mean labels"] == pytest.approx(ours.mean())
    assert found["mean entropy", "items' counts"] == pytest.approx(other.mean())
    both = "items' mean labels and counts"
    assert found["Pearson's r of the entropies", both] == pytest.approx(stats.pearsonr(ours, other).statistic)
    rho = stats.spearmanr(ours.round(9), other.round(9)).statistic  # ties differ by rounding
    assert found["Spearman's rho of the entropies", both] == pytest.approx(rho)
    few = (counts > 0).sum(axis=1) <= 2
    assert found["mass on at most two classes", "all 10000 rows of the counts"] == pytest.approx(few.mean())
    assert found["mass on at most two classes", "items' counts"] == pytest.approx(few[means.index].mean())
    names = reference.groupby(images).first().loc[means.index]
    right = names.map(CIFAR10.index).to_numpy() == theirs.to_numpy().argmax(axis=1)
    assert found["top-1 accuracy", "counts of items with a reference"] == pytest.approx(right.mean())

    # A session that stands in the file twice has two repeats of two images, each beside its own first answer.
    screens = pd.DataFrame({"who": raw["subject"], "image": images, "top1": top1, "label": list(labels)})
    key = ["who", "image"]
    screens["copy"] = screens.groupby([*key, again]).cumcount()
    pairs = screens[again].merge(screens[first], on=[*key, "copy"])
    assert len(pairs) == again.sum()
    over = "repeats and their first answers"
    assert found["same most probable class", over] == pytest.approx((pairs["top1_x"] == pairs["top1_y"]).mean())
    variation = np.abs(np.stack(pairs["label_x"]) - np.stack(pairs["label_y"])).sum(axis=1) / 2
    assert found["mean total variation", over] == pytest.approx(variation.mean())


def test_the_times_of_the_real_study_by_kind(real: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Counted in pandas from the raw answers."""
    frame, raw = real
    said = raw["response"].map(json.loads)
    second = said.map(lambda answer: answer["classSelect2"].removeprefix("secondProb") in CIFAR10)
    ticked = said.map(lambda answer: any(key.startswith("improbClassSelect") for key in answer))
    first = raw["task"] == "spec_conf"
    seconds = raw["rt"].astype(float) / 1000
    found = {one.kind: one for one in time_spent("soft-label", frame, np.random.default_rng(0), 20)}
    for kind, some in {
        "most probable class only": ~second & ~ticked,
        "most probable and second class": second & ~ticked,
        "most probable and impossible classes": ~second & ticked,
        "most probable, second and impossible classes": second & ticked,
    }.items():
        one = found[kind]
        assert one.answers == (some & first).sum()
        expected = (seconds[some & first].median(), seconds[some & first].mean())
        assert (one.median, one.mean) == pytest.approx(expected, abs=MILLISECOND)


def test_the_thesis_furthest_items_come_out(real: tuple[pd.DataFrame, pd.DataFrame], counts: Any) -> None:
    """Figure B.1's dog, frog and bird: by the authors' variant, of labels in which repeats count too."""
    frame, _ = real
    item, names = pd.factorize(frame["item"])
    labels, kept = build_labels(Elicited.from_frame(frame, CIFAR10), parse_variety("T2-clamp"))
    means, _ = mean_by_item(labels, kept, item.astype(np.intp), len(names))
    theirs = counts_of_items(names.tolist(), counts, 10)
    compared = compare_labels(names.tolist(), means, theirs / theirs.sum(axis=1, keepdims=True))
    reference = dict(zip(frame["item"], frame["reference"], strict=True))
    assert [reference[name] for name in largest_distance(compared, by="values")] == ["Dog", "Frog", "Bird"]
    assert [reference[name] for name in largest_distance(compared)] != ["Dog", "Frog", "Bird"]


def test_without_counts_or_references_or_answers() -> None:
    """What is not defined is None; without counts their rows are left out."""
    for frame in (frame_of([]), frame_of([response("s", "0", "ant")])):
        table = reference_table(frame, CLASSES)
        assert "nan" not in table.lines().lower()
        found = by_name(frame, CLASSES, np.array([[3, 0, 1]]))
        assert found["top-1 accuracy", "first answers"] is None
        assert found["Pearson's r of the entropies", "items' mean labels and counts"] is None
        assert len(found) == len(table.frame) + 6
    assert found["mass on at most two classes", "items' counts"] == 1


@pytest.mark.parametrize(
    ("item", "counts", "why"),
    [
        ("x", [[1, 2, 3]], "'x' is no row of the counts, 0 to 0"),
        ("1", [[1, 2, 3]], "'1' is no row"),
        ("0", [[0, 0, 0]], "all zeros"),
        ("0", [[1, 2]], "each of 3 classes"),
    ],
)
def test_counts_that_do_not_fit_are_refused(item: str, counts: list[list[int]], why: str) -> None:
    """With the item and what is wrong."""
    with pytest.raises(FrameError, match=why):
        reference_table(frame_of([response("s", item, "ant")]), CLASSES, np.array(counts))
