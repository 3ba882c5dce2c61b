"""Table 1 as text: its numbers, its tests, and answers that say what the numbers say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crowdloom.analysis.coach_table import (
    BASELINE,
    CLASSIFICATION,
    DISCRIMINATOR,
    EFFICIENCY,
    SettingNumbers,
    TableAbout,
    answers,
    table_lines,
    write_table,
)

ABOUT = TableAbout("digits", 1438, 359, 3, 10, 0.9583, "a machine", "crowdloom coach table --reduced")


def setting(
    kind: str, weights: tuple[float, float, float], accuracy: float, change: float, effort: float
) -> SettingNumbers:
    """One of three networks that differ a little."""
    off = np.array([-1, 0, 1])
    return SettingNumbers(
        kind,
        *weights,
        accuracy=(accuracy + 0.001 * off).tolist(),
        change=(change + 1e-6 * off).tolist(),
        effort=(effort + 1e-6 * off).tolist(),
        changed=[0.25] * 3,
        ink=[0.9] * 3,
        seconds=90,
        paper=(0.9609, 0.00018, 0.0),
    )


def settings() -> list[SettingNumbers]:
    """The paper's pattern, but for a fall of accuracy from one alpha_CL to the next."""
    return [
        setting(BASELINE, (0, 0, 0), 0.90, 0.0002, 0.00097),
        setting(CLASSIFICATION, (0.03, 0, 0), 0.95, 0.0003, 0.00096),
        setting(CLASSIFICATION, (0.24, 0, 0), 0.94, 0.0005, 0.00095),
        setting(EFFICIENCY, (0, 1, 0), 0.90, 0.0002, 0.00095),
        setting(EFFICIENCY, (0, 8, 0), 0.898, 0.00021, 0.00090),
        replace(setting(DISCRIMINATOR, (0, 0, 0.64), 0.80, 0.0001, 0.00096), paper=None),
    ]


def test_rows_have_means_and_tests_against_the_baseline() -> None:
    """Welch's, as scipy computes it."""
    lines = table_lines(settings(), ABOUT)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][2:]
    assert len(rows) == 6
    assert rows[0][:6] == [BASELINE, "0", "0", "0", "0.9000 ± 0.0010", "–"]
    p = stats.ttest_ind([0.897, 0.898, 0.899], [0.899, 0.9, 0.901], equal_var=False).pvalue
    assert p > 0.01
    assert rows[4][4:6] == ["0.8980 ± 0.0010", f"{p:.3f}".removeprefix("0")]
    assert rows[1][5] == "< .001"
    assert rows[1][-5:] == ["25.0 %", "90.0 %", "0.9609", "0.00018", "< 1e-5"]
    assert rows[5][-3:] == ["–"] * 3


def test_answers_follow_the_numbers() -> None:
    """Also where they are not the paper's."""
    rises, falls, worsens = answers(settings())
    assert "on the whole, in 1 of 2 steps, from 0.9000 at 0 to 0.9400 at 0.24 (p < .001)" in rises
    assert "yes, at each step, from 0.000970 at 0 to 0.000900 at 8 (p < .001)" in falls
    assert "with alpha_CL: yes, at each step, from 0.000200 at 0 to 0.000500 at 0.24" in worsens
    assert "with alpha_D: no, in 0 of 1 steps, from 0.000200 at 0 to 0.000100 at 0.64" in worsens


def test_networks_that_all_end_alike_have_no_test() -> None:
    """Blank proposals are read as one class by each network."""
    blank = replace(settings()[0], accuracy=[0.1] * 3)
    same = replace(settings()[3], accuracy=[0.1] * 3)
    (row,) = [line for line in table_lines([blank, same], ABOUT) if line.startswith(f"| {EFFICIENCY}")]
    assert "| 0.1000 ± 0.0000 | – |" in row


def test_blank_networks_are_counted() -> None:
    """A mean over them and others is of two kinds of networks."""
    some = [*settings()[:4], replace(settings()[4], ink=[0.0, 0.0, 0.8])]
    (said,) = [line for line in table_lines(some, ABOUT) if line.startswith("Networks whose proposals are blank")]
    assert ": 2 of 3 at α_CL 0, α_EF 8, α_D 0. " in said
    (said,) = [line for line in table_lines(settings(), ABOUT) if line.startswith("Networks whose proposals are blank")]
    assert ": none. " in said


def test_files_appear_with_all_numbers(tmp_path: Path) -> None:
    """A row for each network in the second; what it was made of in the first."""
    lines = write_table(settings(), ABOUT, tmp_path / "table.md", tmp_path / "table.csv")
    text = (tmp_path / "table.md").read_text(encoding="utf-8")
    assert text == "\n".join(lines) + "\n"
    assert "digits, 1,438 pictures to train on and 359 to try on" in text
    assert "reads 95.83 % of the originals" in text
    assert "Trained in 9 minutes, all settings added up, with one thread, on a machine" in text
    frame = pd.read_csv(tmp_path / "table.csv")
    assert len(frame) == 18
    assert frame.groupby("loss")["accuracy"].mean()[BASELINE] == pytest.approx(0.9)
