"""Tables of trained networks: means over seeds by hand, the best, and that nothing missing goes unsaid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.run_leads import leads_frame
from crowdloom.analysis.run_results import COLUMNS, FailedRun, failed_runs, results_frame
from crowdloom.analysis.run_table_files import markdown, write_run_table
from crowdloom.analysis.run_table_notes import table_notes
from crowdloom.analysis.run_tables import RunTable, cell_text, run_table
from crowdloom.models.runs import RunResult

CE = "cross_entropy"
HARD = {("a", 0): 2.0, ("b", 0): 4.0, ("a", 1): 3.0, ("b", 1): 4.0, ("a", 2): 2.5, ("b", 2): 4.5}
SOFT = {("a", 0): 1.0, ("b", 0): 2.0, ("a", 1): 1.5, ("b", 1): 2.5, ("a", 2): 2.5, ("b", 2): 2.5}

Runs = Mapping[tuple[str, int], float | None]


def long(rows: Mapping[str, Runs], metric: str = CE, evaluation: str = "10H") -> pd.DataFrame:
    """The long frame of rows, each with a value for its networks and seeds."""
    lines = [
        ("3.1", row, network, seed, evaluation, metric, value)
        for row, runs in rows.items()
        for (network, seed), value in runs.items()
    ]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def table(rows: Mapping[str, Runs], metric: str = CE, failed: list[FailedRun] | None = None) -> RunTable:
    """Their table."""
    return run_table("3.1", long(rows, metric), failed or [])


def without(runs: Runs, *which: tuple[str, int]) -> Runs:
    """The runs less some."""
    return {key: value for key, value in runs.items() if key not in which}


def test_seeds_are_the_units() -> None:
    """Networks are averaged within a seed; the interval is Student's over the seeds, as scipy has it."""
    one = table({"hard": HARD}).averages["10H", "hard", CE]
    assert one.by_seed == {0: 3.0, 1: 3.5, 2: 3.5}
    assert one.mean == pytest.approx(10 / 3)
    interval = stats.ttest_1samp([3.0, 3.5, 3.5], 0).confidence_interval(0.95)
    assert one.half == pytest.approx((interval.high - interval.low) / 2)
    frame = table({"hard": HARD}).frame()
    assert frame[["low", "high"]].iloc[0].tolist() == pytest.approx([interval.low, interval.high])
    assert frame[["seeds", "networks"]].iloc[0].tolist() == [3, 2]


def test_one_seed_has_no_interval() -> None:
    """It is said, and the interval is empty."""
    made = table({"hard": {("a", 0): 2.0}, "soft": {("a", 0): 1.0}})
    assert cell_text(made.averages["10H", "hard", CE]) == "2.000"
    assert table_notes(made)[0] == "One seed, so there is no interval."
    assert made.frame()["low"].isna().all()
    assert "needs two" in leads_frame(made.leads)["problem"].iloc[0]
    assert markdown(made).count("there is only one pair") == 1


@pytest.mark.parametrize(
    ("metric", "best"),
    [
        (CE, "soft"),
        ("calibration_error", "soft"),
        ("fgsm_loss", "soft"),
        ("accuracy", "hard"),
        ("top2_accuracy", "hard"),
        ("entropy_correlation", "hard"),
        ("accuracy_cat", "hard"),
        ("nobody_knows", None),
    ],
)
def test_the_best_is_marked(metric: str, best: str | None) -> None:
    """Lower is better, but for accuracies and correlations; where nobody knows nothing is marked."""
    made = table({"hard": HARD, "soft": SOFT}, metric)
    assert {row for _, row, _ in made.best} == ({best} if best else set())
    assert made.frame().set_index("row")["best"].to_dict() == {"hard": best == "hard", "soft": best == "soft"}


def test_what_is_printed_alike_is_marked_alike() -> None:
    """Two rows that differ in the fourth decimal are both best; a row alone is not compared with anything."""
    close = {key: value + 0.0004 for key, value in SOFT.items()}
    made = table({"hard": HARD, "soft": SOFT, "close": close})
    assert {row for _, row, _ in made.best} == {"soft", "close"}
    assert not table({"soft": SOFT}).best


def test_best_and_second_are_compared_over_their_seeds() -> None:
    """The paired t-test of the networks' means, turned so that the best is better by more than 0."""
    for metric, sides in ((CE, (SOFT, HARD)), ("accuracy", (HARD, SOFT))):
        [row] = leads_frame(table({"hard": HARD, "soft": SOFT}, metric).leads).to_dict("records")
        by_seed = [[(side["a", seed] + side["b", seed]) / 2 for seed in range(3)] for side in sides]
        sign = -1 if metric == CE else 1
        expected = stats.ttest_rel(*[[sign * value for value in side] for side in by_seed])
        assert row["p"] == pytest.approx(expected.pvalue)
        assert row["better by"] == pytest.approx(abs(sum(by_seed[0]) - sum(by_seed[1])) / 3)
        assert row["low"] == pytest.approx(expected.confidence_interval(0.95).low)
        assert row["seeds"] == 3


def test_a_seed_without_all_networks_is_left_out_and_named() -> None:
    """A network that a seed lacks would shift the mean, so the seed counts in no mean of that row."""
    made = table({"hard": without(HARD, ("b", 1)), "soft": SOFT})
    assert made.averages["10H", "hard", CE].by_seed == {0: 3.0, 2: 3.5}
    assert made.seeds_of("10H", "hard") == "2"
    assert made.seeds_of("10H", "soft") == "3"
    assert "1 run is missing: hard, b, seed 1." in table_notes(made)
    assert "A seed that lacks one of a row's networks is left out of that row." in table_notes(made)
    whole_seed = table({"hard": without(HARD, ("a", 1), ("b", 1)), "soft": SOFT})
    assert "2 runs are missing: hard, a, seed 1; hard, b, seed 1." in table_notes(whole_seed)


def test_failed_runs_are_named_with_their_reasons() -> None:
    """Also where nothing else of their row is there; they are not missing, too."""
    failed = [FailedRun("3.1", "hard", "b", seed, "the loss is not finite") for seed in (1, 2)]
    failed += [FailedRun("3.1", "uniform", "a", 0, "the disk is full."), FailedRun("3.2", "hard", "a", 0, "elsewhere")]
    made = table({"hard": without(HARD, ("b", 1), ("b", 2))}, failed=failed)
    said = "3 runs failed: hard, b, seeds 1, 2 (the loss is not finite); uniform, a, seed 0 (the disk is full)."
    assert said in table_notes(made)
    assert made.averages["10H", "hard", CE].by_seed == {0: 3.0}
    assert made.rows == ["hard", "uniform"]
    assert [one for one in table_notes(made) if "missing" in one] == ["2 runs are missing: uniform, a, seeds 1, 2."]
    assert "| 10H | uniform | – | 0 |" in markdown(made)
    nothing = run_table("3.2", long({}), failed)
    assert markdown(nothing).startswith("Nothing is done yet.\n\n- 1 run failed: hard, a, seed 0 (elsewhere).")


def test_a_metric_that_is_not_defined_is_left_out_and_named() -> None:
    """Whether its value is None or its column is not there; other metrics keep the seed."""
    seeds: Runs = {("a", 0): 0.25, ("a", 1): None, ("a", 2): 0.75}
    other = long({"hard": dict.fromkeys(seeds, 1.0)})
    for values in (seeds, without(seeds, ("a", 1))):
        made = run_table("3.1", pd.concat([other, long({"hard": values}, "entropy_correlation")]))
        assert made.averages["10H", "hard", "entropy_correlation"].by_seed == {0: 0.25, 2: 0.75}
        assert "Entropy correlation is not defined, and left out, for hard, 10H, seed 1." in table_notes(made)
        assert made.seeds_of("10H", "hard") == "2 to 3"


def test_rows_with_different_networks_are_told_apart() -> None:
    """A network that one row lacks wholly does not empty the row, but it is said."""
    made = table({"hard": without(HARD, *[("b", seed) for seed in range(3)]), "soft": SOFT})
    assert made.averages["10H", "hard", CE].mean == pytest.approx(2.5)
    assert [note for note in table_notes(made) if "hard: a; soft: a, b" in note]


def test_a_result_given_twice_is_refused() -> None:
    """It says which."""
    with pytest.raises(ValueError, match="two results for row hard, network a, seed 0, evaluation 10H, metric cross_e"):
        run_table("3.1", pd.concat([long({"hard": HARD}), long({"hard": HARD})]))


def test_markdown_is_a_table_whatever_names_it_has() -> None:
    """Each line has as many cells as the head, names stand as they are, and the best mean is bold."""
    made = run_table(
        "3.1",
        pd.concat(
            [long({"T1 | unif_1": HARD, "*soft*": SOFT}), long({"T1 | unif_1": HARD, "*soft*": SOFT}, evaluation="10S")]
        ),
    )
    main, notes, *_ = markdown(made).split("\n\n")
    lines = main.split("\n")
    assert lines[0] == "| Evaluation | Labels | CE | Seeds |"
    assert lines[2] == f"| 10H | T1 \\| unif\\_1 | {cell_text(made.averages['10H', 'T1 | unif_1', CE])} | 3 |"
    assert lines[3].startswith("| 10H | \\*soft\\* | **2.000** ± ")
    assert {line.replace("\\|", "").count("|") for line in lines} == {5}
    assert notes.startswith("- Mean over seeds ± half its 95 % interval, by Student's t over seeds; within a seed")


def test_rows_may_have_columns_of_their_own() -> None:
    """In place of their names, left of the numbers."""
    made = table({"hard": HARD, "soft": SOFT})
    said = {"hard": {"Labels": "10H", "M": "2"}, "soft": {"Labels": "ours", "M": "1"}}
    lines = markdown(made, said).split("\n")
    assert lines[0] == "| Evaluation | Labels | M | CE | Seeds |"
    assert lines[1] == "|:--|:--|:--|--:|--:|"
    assert lines[2].startswith("| 10H | 10H | 2 | ")
    assert lines[3].startswith("| 10H | ours | 1 | **")


@pytest.mark.parametrize(
    ("half", "text"),
    [(7.5, "7.50"), (0.07, "0.07"), (0.006, "0.01"), (0.003, "0.003"), (0.00004, "4e-05"), (0.0, "0.00")],
)
def test_no_interval_is_printed_as_nothing(half: float, text: str) -> None:
    """Two decimals, more where they would say 0."""
    by_seed = {0: 1.0 - half / 12.706204736, 1: 1.0 + half / 12.706204736}
    made = table({"hard": {("a", seed): value for seed, value in by_seed.items()}})
    assert cell_text(made.averages["10H", "hard", CE]) == f"1.000 ± {text}"


def test_what_is_printed_as_nothing_has_no_sign() -> None:
    """A mean correlation just below 0 looks like one just above, and both are marked."""
    below, above, low = ({("a", 0): value} for value in (-0.0002, 0.0001, -0.3))
    made = run_table("3.1", long({"below": below, "above": above, "low": low}, "entropy_correlation"))
    assert cell_text(made.averages["10H", "below", "entropy_correlation"]) == "0.000"
    assert {row for _, row, _ in made.best} == {"below", "above"}


def test_files_hold_every_digit(tmp_path: Path) -> None:
    """CSV and Parquet are the same frame; the Markdown is what is shown; another suffix is refused."""
    made = table({"hard": HARD, "soft": SOFT})
    for name in ("table.csv", "table.parquet", "table.md"):
        write_run_table(made, tmp_path / name)
    from_csv = pd.read_csv(tmp_path / "table.csv", dtype={"experiment": str})
    from_parquet = pd.read_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(from_csv, made.frame(), check_dtype=False, check_exact=False, rtol=1e-14)
    pd.testing.assert_frame_equal(from_parquet, made.frame(), check_dtype=False)
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == markdown(made)
    with pytest.raises(ValueError, match=r"table\.txt: write a table to a file that ends in \.md, \.csv, \.parquet"):
        write_run_table(made, tmp_path / "table.txt")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.csv", "table.md", "table.parquet"]


def test_results_become_a_frame_without_nan() -> None:
    """Of a sweep's own results: what is done stands in it, what failed beside it, and no value is NaN."""
    done = RunResult("3.1", "hard", "a", 0, "done", {"10H": {CE: 1.5, "accuracy": math.nan}}, 1.0, None, "d", {})
    lost = RunResult("3.1", "hard", "a", 1, "failed", {}, 1.0, "the disk is full", "e", {})
    frame = results_frame([done, lost])
    assert frame["value"].tolist() == [1.5, None]
    assert tuple(frame.columns) == COLUMNS
    assert failed_runs([done, lost]) == [FailedRun("3.1", "hard", "a", 1, "the disk is full")]
    assert len(results_frame([])) == 0


def test_the_best_of_each_group_is_marked() -> None:
    """Where a table compares rows within groups only; each group has its own second, and the notes say so."""
    means = {"theirs 2": 2.0, "ours 2": 1.0, "theirs 1": 3.0, "ours 1": 4.0}
    runs = {row: {("a", seed): mean + seed / 100 for seed in range(3)} for row, mean in means.items()}
    made = run_table("3.1", long(runs), groups={row: f"M {row[-1]}" for row in runs})
    assert made.best == {("10H", "ours 2", CE), ("10H", "theirs 1", CE)}
    assert [(lead.among, lead.best, lead.second) for lead in made.leads] == [
        ("M 2", "ours 2", "theirs 2"),
        ("M 1", "theirs 1", "ours 1"),
    ]
    assert leads_frame(made.leads).index.tolist() == ["CE, 10H, M 2", "CE, 10H, M 1"]
    assert "in each evaluation and group of rows" in markdown(made)
    assert "group" not in markdown(table(runs))
