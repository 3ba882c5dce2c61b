"""PAMAP2's own files, written here with invented numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_scenarios.pamap2 import ACTIVITIES, CHANNELS, SCENARIO, load, read_recording
from crowdloom.models.latent_scenarios.scenario import check_data
from tests.models.latent_scenarios.pamap2_files import IDS, table, write


def test_the_published_files_are_read(tmp_path: Path) -> None:
    """From the folder that has Protocol in it, or Protocol itself: windows, classes and people in their places."""
    for subject, seconds in ((101, 12), (102, 8), (105, 8)):
        write(tmp_path / "Protocol" / f"subject{subject}.dat", table(seconds, seed=subject))
    data = load(tmp_path)
    check_data(SCENARIO, data)
    each = {12: 5, 8: 3}  # windows of 4 seconds, one every 2 seconds, of each of 13 activities without a break
    whole = [13 * seconds // 2 - 1 for seconds in (12, 8, 8)]
    assert (len(data.x), len(data.validation_x)) == (whole[0] + whole[1], whole[2])
    assert data.x.shape[1:] == data.items.shape[1:] == (27, 200)
    counts = np.bincount(data.labels.numpy(), minlength=13)
    assert counts.min() >= each[12] + each[8]
    assert data.x.mean((0, 2)).abs().max() < 1e-4
    again = load(tmp_path / "Protocol")
    assert again.x.equal(data.x)


def test_channels_come_from_their_columns(tmp_path: Path) -> None:
    """Acceleration in the range of 16 g, gyroscope and magnetometer of hand, chest and ankle; pairs are averaged."""
    made = table(1, seed=0)
    made[:, 2:] = np.arange(2, 54)
    made[1::2, 2:] += 1
    write(tmp_path / "subject101.dat", made)
    read = read_recording(tmp_path / "subject101.dat")
    places = [start + offset for start in (3, 20, 37) for offset in (1, 2, 3, 7, 8, 9, 10, 11, 12)]
    assert read.signals.shape == (13 * 50, 27)
    assert np.array_equal(read.signals[0], np.array(places) + 0.5)
    assert CHANNELS[:2] == ("hand acc-x", "hand acc-y")
    assert CHANNELS[-1] == "ankle mag-z"
    assert read.labels.tolist() == np.repeat(np.arange(13), 50).tolist()
    assert list(ACTIVITIES) == IDS


def test_gaps_become_straight_lines(tmp_path: Path) -> None:
    """At an end the nearest value; what is not used may be missing for ever."""
    made = table(1, seed=0)
    made[:, 4] = np.arange(len(made))
    made[10:20, 4] = np.nan
    made[:4, 5], made[4:, 5] = np.nan, 3
    made[:, [2, 3, 7, 16, 53]] = np.nan
    write(tmp_path / "subject101.dat", made)
    read = read_recording(tmp_path / "subject101.dat")
    assert read.signals[:, 0] == pytest.approx(np.arange(0.5, len(made), 2))
    assert read.signals[:, 1].tolist() == [3.0] * (len(made) // 2)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: [*lines[:-1], lines[-1][:30]], r"has \d+ values instead of 54 in line 1300; it is torn"),
        (lambda lines: [*lines[:4], lines[4] + " 7", *lines[5:]], "has 55 values instead of 54 in line 5"),
        (lambda lines: [*lines[:4], "", *lines[5:]], "has 0 values instead of 54 in line 5"),
        (lambda lines: [line.replace(" ", ",") for line in lines], "has 1 values instead of 54 in line 1"),
        (lambda lines: [*lines[:4], lines[4].replace(".", "x"), *lines[5:]], "is no file of PAMAP2"),
        (lambda lines: [lines[0].replace(" 0 ", " 9 ", 1), *lines[1:]], "has the activity 9 in line 1, which is none"),
        (lambda lines: [lines[0].replace(" 0 ", " NaN ", 1), *lines[1:]], "has the activity nan in line 1"),
        (lambda lines: [], "is empty"),
    ],
)
def test_a_spoilt_file_is_named_with_its_line(tmp_path: Path, spoil: object, said: str) -> None:
    """One sentence says where it is spoilt and what to do."""
    file = tmp_path / "subject103.dat"
    write(file, table(1, seed=0))
    lines = file.read_text().splitlines()
    file.write_text("".join(f"{line}\n" for line in spoil(lines)))  # type: ignore[operator]
    with pytest.raises(ModelError, match=said) as caught:
        read_recording(file)
    assert str(file) in str(caught.value)


def test_a_channel_without_any_value_is_said(tmp_path: Path) -> None:
    """It cannot be filled in."""
    made = table(1, seed=0)
    made[:, 28] = np.nan
    write(tmp_path / "subject101.dat", made)
    with pytest.raises(ModelError, match="has no value at all of chest gyro-y; leave the file out"):
        read_recording(tmp_path / "subject101.dat")


def test_both_sides_need_people(tmp_path: Path) -> None:
    """Neither an empty folder nor one side alone will do, nor recordings that are too short."""
    with pytest.raises(ModelError, match=re.escape("needs PAMAP2's files subject101.dat and so on")):
        load(tmp_path)
    write(tmp_path / "subject105.dat", table(1, seed=0)[:300])
    with pytest.raises(ModelError, match="and others to train on"):
        load(tmp_path)
    write(tmp_path / "subject101.dat", table(1, seed=0)[:300])
    with pytest.raises(ModelError, match="has no recording of 4 seconds on each side"):
        load(tmp_path)
