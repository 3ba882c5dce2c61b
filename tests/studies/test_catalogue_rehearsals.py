"""Each ready study, rehearsed from the file that `crowdloom new` writes: what its design states comes out again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.reading import read_frame
from crowdloom.studies.reading_items import read_items
from tests.studies.accuracies import check_accuracies, first_answers

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Rehearsed:
    """What the command printed as JSON, and the answers and items that it left in its database."""

    design: Design
    said: dict[str, Any]
    answers: pd.DataFrame
    items: pd.DataFrame

    def first(self) -> pd.DataFrame:
        """First answers, each beside its item's attributes."""
        return first_answers(self.answers, self.items)


def rehearse(name: str, folder: Path, *options: str, responses: int | None = None) -> Rehearsed:
    """Write the design with this name, with fewer responses for each item where it says so; nobody is careless."""
    file, database = folder / "x.toml", str(folder / "x.db")
    run = CliRunner()
    written = run.invoke(cli, ["new", name, str(file)], catch_exceptions=False)
    assert written.exit_code == 0
    if responses is not None:
        design, count = re.subn(
            r"^responses_per_item = \d+", f"responses_per_item = {responses}", file.read_text(), flags=re.MULTILINE
        )
        assert count == 1
        file.write_text(design)
    arguments = ["rehearse", str(file), "--json", "--careless", "0", "--database", database, *options]
    result = run.invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    store = open_store(database, create=False)
    design = read_design(file)[0]
    with store.read() as connection:
        answers, items = read_frame(connection, design.name), read_items(connection, design.name)
    store.close()
    said = json.loads(result.stdout)
    if design.items.path:
        expected = f"{design.items.path} is not here: {said['made_up']:,} made-up items take its place."
        assert result.stderr.splitlines()[0] == expected
    return Rehearsed(design, said, answers, items)


@pytest.mark.parametrize(
    ("name", "responses", "places", "shown"),
    [
        ("wrong-label-1", 1, 200, {"Int": 100, "No-Int": 100}),
        ("wrong-label-2", 1, 400, {"Int": 200, "No-Int": 200}),
    ],
)
def test_wrong_label(tmp_path: Path, name: str, responses: int, places: int, shown: dict[str, int]) -> None:
    """The paper's people fill its places, and guess as often right as its table says, by condition and category.

    Items have one response here instead of nine, and of five; `test_imagined` has all.
    """
    done = rehearse(name, tmp_path, responses=responses)
    answers, people = done.first(), done.design.rehearsal.people
    assert done.said["places"] == {"filled": places, "wanted": places}
    assert done.said["people"]["arrived"] == people
    assert done.said["submissions"]["completed"] == places + done.said["people"]["surplus"]
    assert len(answers) == places
    assert not answers.duplicated(["participant", "item"]).any()
    right = answers["choice"] == answers["prediction"]
    summary = done.said["described"]["summary"]
    assert summary["accuracy_by_response"] == pytest.approx(right.mean())
    in_both = answers.groupby("participant")["condition"].nunique() == 2
    assert in_both.any() == (name == "wrong-label-1")
    of_conditions = answers.groupby("condition")["item"].nunique().to_dict()
    assert of_conditions == shown
    check_accuracies(answers, done.design)


def test_mixing_coefficients(tmp_path: Path) -> None:
    """Medians lie near lambda_f; confidence is lowest at one half, and lower where both images are ambiguous."""
    done = rehearse("mixing-coefficients", tmp_path, "--drop-out", "0")
    assert done.said["places"] == {"filled": 28, "wanted": 28}
    assert done.said["accepted"] == {"min": 2, "max": 2}
    sizes = done.answers.groupby("submission").size()
    assert set(sizes) == {59, 60}
    answers = done.first()
    assert len(answers) == 2 * 810
    by_lambda = answers.groupby(answers["coefficient"].astype(float))
    for coefficient, median in by_lambda["inferred"].median().items():
        assert median == pytest.approx(coefficient, abs=0.06)
    confidence = by_lambda["confidence"].mean()
    assert confidence.idxmin() == 0.5
    assert confidence[0.25] > confidence[0.5] + 5
    assert confidence[0.1] > confidence[0.25] + 2
    entropies = answers[["entropy1", "entropy2"]].astype(float)
    high, low = entropies.min(axis=1) >= 0.5, entropies.max(axis=1) <= 0.1
    ambiguity = done.design.rehearsal.behaviour["ambiguity"]
    summary = done.said["described"]["summary"]
    assert summary["confidence_at_half"] == pytest.approx(confidence[0.5])
    lost = answers["confidence"][low].mean() - answers["confidence"][high].mean()
    assert lost == pytest.approx(ambiguity, abs=5)


def test_mixed_soft_labels(tmp_path: Path) -> None:
    """Eight people label 100 mixes, with the thesis's share of their probability on classes that were not mixed."""
    done = rehearse("mixed-soft-labels", tmp_path, "--drop-out", "0")
    assert done.said["places"] == {"filled": 8, "wanted": 8}
    answers = done.first()
    assert answers["item"].nunique() == 100
    assert done.said["described"]["summary"]["mixed_items"] == 100
    assert set(answers["coefficient"].astype(float)) == {0.25, 0.5, 0.75}
    # What is seen elsewhere, and what labels leave to every class that is not ticked: 0.03 to 0.06 (see the design).
    assert 0.35 < done.said["described"]["summary"]["mass_elsewhere_mean"] < 0.5


def test_cifar10s(tmp_path: Path) -> None:
    """Its measures come out with fewer people than took part: soft labels are nearer to the truth than a hard one."""
    done = rehearse("cifar10s", tmp_path, "--participants", "20", "--drop-out", "0")
    assert done.said["made_up"] == 1000
    assert done.said["places"]["wanted"] == 240
    assert 19 <= done.said["places"]["filled"] <= 20
    assert done.said["described"] is None  # the truth says more
    labels = done.said["labels"]
    assert labels["soft"] < labels["majority"] < labels["uniform"]


def test_what_is_there_is_rehearsed_itself(tmp_path: Path) -> None:
    """The digits come with scikit-learn, so nothing is made up."""
    done = rehearse("digits", tmp_path)
    assert done.said["made_up"] == 0
    assert set(done.items["item"].str.slice(0, 6)) == {"digit-"}
