"""`crowdloom aggregate`, and `labels --aggregate`, as their users call them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from crowdloom.analysis.aggregation import METHODS
from crowdloom.studies.cli import aggregate as module
from crowdloom.studies.cli import cli
from crowdloom.studies.errors import OptionError
from tests.analysis.crowds import confusions, hard_answers

NAMED = ["--task", "image", "--worker", "who", "--label", "said"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table of 60 tasks' answers, in which commands are run."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 60)
    answers = hard_answers(rng, truth, confusions(rng, 8, 3, 0.75), 5)
    names = np.array(["cat", "dog", "NA"])
    frame = pd.DataFrame(
        {
            "who": answers.annotator,
            "image": answers.item,
            "said": names[answers.label],
            "is": names[truth[answers.item]],
        }
    )
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "answers.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> str:
    """What a command that must succeed prints."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("method", METHODS)
def test_every_method_writes_probabilities(here: Path, method: str) -> None:
    """One row for each task in order, one column for each label, in CSV and in Parquet alike."""
    output = call("aggregate", "answers.csv", *NAMED, "--method", method, "--true", "is", "--out", "probs.csv")
    assert (
        f"Wrote the probabilities of 3 labels for 60 tasks to probs.csv, from 300 answers of 8 workers ({method})."
        in output
    )
    assert "Of 60 tasks with a right label in is, " in output
    found = pd.read_csv("probs.csv", keep_default_na=False)
    assert found.columns.tolist() == ["task", "NA", "cat", "dog"]
    assert found["task"].tolist() == list(range(60))
    np.testing.assert_allclose(found[["NA", "cat", "dog"]].sum(axis=1), 1)
    call("aggregate", "answers.csv", *NAMED, "--method", method, "--out", "probs.parquet")
    same = pd.read_parquet("probs.parquet")
    np.testing.assert_array_equal(same.drop(columns="task").to_numpy(), found.drop(columns="task").to_numpy())


def test_iterations_and_confusions(here: Path) -> None:
    """EM stops where it is told to, and writes how each worker answers each label."""
    arguments = ["aggregate", "answers.csv", *NAMED, "--method", "dawid-skene", "--out", "probs.csv"]
    output = call(*arguments, "--iterations", "2", "--confusions", "confusions.csv")
    assert "2 iterations, not converged yet" in output
    found = pd.read_csv("confusions.csv", keep_default_na=False)
    assert found.columns.tolist() == ["worker", "true", "label", "probability"]
    np.testing.assert_allclose(found.groupby(["worker", "true"])["probability"].sum(), 1)
    said = [call(*arguments, "--tolerance", tolerance).splitlines()[1] for tolerance in ("0.1", "0.00001")]
    early, late = (int(line.removesuffix(" iterations, converged.")) for line in said)
    assert early < late
    assert call(*arguments).splitlines()[1] == said[1]


def test_long_work_is_shown(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From so many answers on there is a bar, on terminals; it changes nothing."""
    arguments = ["aggregate", "answers.csv", *NAMED, "--method", "dawid-skene", "--out", "probs.csv"]
    before = call(*arguments), Path("probs.csv").read_bytes()
    monkeypatch.setattr(module, "_MANY", 1)
    assert (call(*arguments), Path("probs.csv").read_bytes()) == before


def test_intervals_hold_the_probabilities(here: Path) -> None:
    """The same seed gives the same intervals, around most probabilities."""
    arguments = ["aggregate", "answers.csv", *NAMED, "--out", "p.csv", "--samples", "200"]
    call(*arguments, "--intervals", "one.csv", "--seed", "3")
    call(*arguments, "--intervals", "two.csv", "--seed", "3")
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()
    found = pd.read_csv("one.csv", keep_default_na=False)
    assert found.columns.tolist() == ["task", "label", "probability", "low", "high"]
    assert len(found) == 180
    inside = (found["low"] <= found["probability"]) & (found["probability"] <= found["high"])
    assert inside.mean() > 0.95


def test_tasks_with_one_worker_have_no_interval(here: Path) -> None:
    """Low and high are empty, and it is said of how many tasks they are there."""
    Path("few.csv").write_text("image,who,said\n1,a,x\n1,b,y\n2,a,x\n2,a,y\n3,b,x\n")
    output = call("aggregate", "few.csv", *NAMED, "--out", "p.csv", "--intervals", "i.csv")
    assert "Wrote the 95 % intervals to i.csv: 1 of 3 tasks has one; for those that one person" in output
    lines = Path("i.csv").read_text().splitlines()
    assert [line.endswith(",,") for line in lines[1:]] == [False, False, True, True, True, True]
    output = call("aggregate", "answers.csv", *NAMED, "--out", "p.csv", "--intervals", "i.csv", "--samples", "9")
    assert "Wrote the 95 % intervals of 60 tasks to i.csv.\n" in output


def test_rows_that_say_too_little_or_twice_are_counted(here: Path) -> None:
    """Empty cells are left out, second answers count, a single label is certain: each with a sentence."""
    Path("odd.csv").write_text("image,who,said\n1,a,x\n1 , a,  x\n1,b,  \n,b,x\n2,b,x\n")
    output = call("aggregate", "odd.csv", *NAMED, "--out", "probs.csv")
    assert "Wrote the probabilities of 1 label for 2 tasks to probs.csv, from 3 answers of 2 workers" in output
    assert "2 rows have an empty cell; they are left out" in output
    assert "1 answer is a worker's second or later to the same task; it counts like all others" in output
    assert "There is only one label, 'x'" in output
    assert Path("probs.csv").read_text() == "task,x\n1,1.0\n2,1.0\n"


def test_one_of_each_is_said_as_one(here: Path) -> None:
    """Not as one of several."""
    Path("one.csv").write_text("image,who,said,is\n1,a,x,x\n1,,x,x\n")
    em = ["--method", "dawid-skene", "--iterations", "1"]
    output = call("aggregate", "one.csv", *NAMED, "--true", "is", *em, "--out", "probs.csv")
    assert "Wrote the probabilities of 1 label for 1 task to probs.csv, from 1 answer of 1 worker (dawid" in output
    assert "\n1 iteration, not converged yet, see --iterations.\n1 row has an empty cell; it is left out.\n" in output
    assert "Of 1 task with a right label in is, 1 came out so" in output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--method", "majority-vote", "--iterations", "3"], "--iterations means nothing to majority-vote"),
        (["--method", "dawid-skene", "--weights", "equal"], "--weights means nothing to dawid-skene"),
        (["--method", "log-pool", "--confusions", "c.csv"], "--confusions: log-pool estimates none"),
        (["--seed", "1"], "--samples and --seed belong to --intervals"),
        (["--intervals", "i.json"], "--intervals i.json: its name must end in .csv or .parquet"),
        (["--intervals", "nowhere/i.csv"], "--intervals nowhere/i.csv: there is no folder nowhere"),
        (["--out", "answers.csv"], "--out answers.csv is the same file as FILE; give another name"),
        (["--out", "sub/../answers.csv"], "--out sub/../answers.csv is the same file as FILE; give another name"),
        (["--intervals", "answers.csv"], "--intervals answers.csv is the same file as FILE; give another name"),
        (["--intervals", "./probs.csv"], "--intervals probs.csv is the same file as --out; give another name"),
        (
            ["--method", "dawid-skene", "--confusions", "c.csv", "--intervals", "c.csv"],
            "--intervals c.csv is the same file as --confusions; give another name",
        ),
        (["--worker", "image"], "--task and --worker are the same column 'image'; each needs one of its own"),
        (["--label", "who"], "--worker and --label are the same column 'who'; each needs one of its own"),
        (["--task", "picture"], "answers.csv has no column 'picture'; its columns are 'who', 'image', 'said', 'is'"),
        (["--true", "said"], "column said says two right labels of the task"),
        (["--method", "dawid-skene", "--tolerance", "nan"], "the tolerance is no number"),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(here: Path, arguments: list[str], sentence: str) -> None:
    """What does not fit is refused before anything is written."""
    (here / "sub").mkdir()
    before = Path("answers.csv").read_bytes()
    with pytest.raises(OptionError) as caught:
        call("aggregate", "answers.csv", *NAMED, "--out", "probs.csv", *arguments)
    assert sentence in str(caught.value)
    assert sorted(path.name for path in here.iterdir()) == ["answers.csv", "sub"]
    assert Path("answers.csv").read_bytes() == before


def test_nothing_to_aggregate_is_said(here: Path) -> None:
    """No rows, only empty cells, and a label called like the first column."""
    for text, sentence in (
        ("image,who,said\n", "has no row in which image, who and said all say something"),
        ("image,who,said\n1,,x\n", "has no row in which image, who and said all say something"),
        ("image,who,said\n1,a,task\n", "a label is called 'task'"),
    ):
        Path("odd.csv").write_text(text)
        with pytest.raises(OptionError, match=sentence):
            call("aggregate", "odd.csv", *NAMED, "--out", "probs.csv")
    assert not Path("probs.csv").exists()
