"""Tables of answers as other people keep them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from crowdloom.analysis.answer_file import read_answers

COLUMNS = ["task", "worker", "label"]


def rows(path: Path) -> list[list[str | None]]:
    """What is read, with None where a cell is empty."""
    frame = read_answers(path, COLUMNS)
    return [[None if pd.isna(value) else value for value in row] for row in frame.to_numpy(dtype=object).tolist()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("task,worker,label\n1,a,cat\n", [["1", "a", "cat"]]),
        ("\ufefflabel;more;task;worker\nNA;x;01;a\nNone;x;1;\n", [["01", "a", "NA"], ["1", None, "None"]]),
        ("worker\ttask\tlabel\r\na b\t1\tx,y\r\n", [["1", "a b", "x,y"]]),
        ('task,worker,label\n"1\n2",a,"say ""hi"""\n', [["1\n2", "a", 'say "hi"']]),
        ("task,worker,label\n,,\n1,a,naïve\n", [[None, None, None], ["1", "a", "naïve"]]),
        ("task,worker,label\n", []),
        (
            "task,worker,label\n 1,a\t,  \n1, a , cat\n1,b,cat\n",
            [["1", "a", None], ["1", "a", "cat"], ["1", "b", "cat"]],
        ),
    ],
)
def test_csv_as_it_comes(tmp_path: Path, text: str, expected: list[list[str | None]]) -> None:
    """Any order of columns, separators, line ends, quotes, a byte order mark; blanks around a cell are none of it."""
    path = tmp_path / "answers.csv"
    path.write_bytes(text.encode())
    assert rows(path) == expected
    packed = tmp_path / "answers.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert rows(packed) == expected


def test_parquet_as_it_comes(tmp_path: Path) -> None:
    """Numbers, booleans and categories become texts; whole numbers have no decimals."""
    path = tmp_path / "answers.parquet"
    frame = pd.DataFrame(
        {"task": [3.0, None, 1.0], "worker": pd.Categorical(["a", "b", "a"]), "label": [True, False, True]}
    )
    frame.to_parquet(path)
    assert rows(path) == [["3", "a", "true"], [None, "b", "false"], ["1", "a", "true"]]
    frame.assign(task=[0.5, 1.0, float("nan")], label=["", "x", None]).to_parquet(path)
    assert rows(path) == [["0.5", "a", None], ["1", "b", "x"], [None, "a", None]]
    frame.assign(task=["  ", " a", "a "]).to_parquet(path)
    assert [row[0] for row in rows(path)] == [None, "a", "a"]
    frame.iloc[:0].to_parquet(path)
    assert rows(path) == []


def test_one_column_may_be_asked_for_twice(tmp_path: Path) -> None:
    """It is read once."""
    path = tmp_path / "answers.csv"
    path.write_text("task,worker\n1,a\n")
    assert read_answers(path, ["task", "worker", "task"]).columns.tolist() == ["task", "worker"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "has no column 'task', 'worker', 'label'; its columns are 'a', 'b'"),
        (b"task,worker,label\n1,2\n", r"line 2: the row has 2 cells, and the first line has 3;"),
        (b'task,worker,label\n1,a,"x\ny"\n\n1,b,x\n1,b,x,y\n', r"answers\.csv, line 6: the row has 4 cells"),
        (b"task,worker,label\n" + b"1,a,x\n" * 300_000 + b"1\n1,a\n", "line 300002: the row has 1 cell,"),
        (b"task,task,worker,label\n1,1,a,x\n", "has two columns 'task'"),
        (b"task,worker,label\n1,a,caf\xe9\n", "is not written in UTF-8"),
        (b"task,worker,label\n" + b"1,a,x\n" * 200_000 + b"1,a,caf\xe9\n", "is no table that can be read"),
    ],
)
def test_what_is_no_table_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    """Empty, without the columns, ragged, ambiguous, or in another encoding, early or late."""
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read_answers(path, COLUMNS)


def test_what_is_no_parquet_is_said(tmp_path: Path) -> None:
    """A text under that name, and a file that is not there."""
    path = tmp_path / "answers.parquet"
    path.write_text("task,worker,label\n")
    with pytest.raises(ValueError, match="is no table that can be read"):
        read_answers(path, COLUMNS)
    with pytest.raises(FileNotFoundError):
        read_answers(tmp_path / "nowhere.csv", COLUMNS)
