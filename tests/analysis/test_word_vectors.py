"""Word vectors read from files in GloVe's and word2vec's text formats."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from crowdloom.analysis.word_vectors import vector_similarity

GLOVE = """the 1 1 1
dog 1 0 0
at name@domain.com 9 9 9
cat 0.6 0.8 0
fire 0 0 2
truck 0 0 4
Dog 0 1 0
ship -1 0 0
"""


def written(folder: Path, text: str) -> Path:
    """A file with this text."""
    path = folder / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["", "8 3\n"], ids=["GloVe", "word2vec"])
def test_classes_are_as_alike_as_their_vectors(tmp_path: Path, header: str) -> None:
    """Cosines, in the order of the classes; a name of several words is the mean of its words."""
    found = vector_similarity(written(tmp_path, header + GLOVE), ["Cat", "dog", "fire truck", "Ship"])
    np.testing.assert_allclose(found, [[1, 0.6, 0, -0.6], [0.6, 1, 0, -1], [0, 0, 1, 0], [-0.6, -1, 0, 1]], atol=1e-12)


def test_a_whole_name_comes_before_its_words(tmp_path: Path) -> None:
    """Where a file has the name itself, with its blank or without, its words do not count."""
    text = "fire_truck 0 1\nfire 1 0\ntruck 1 0\nice cream 1 0\nice 0 1\ncream 0 1\n"
    found = vector_similarity(written(tmp_path, text), ["fire_truck", "ice cream", "truck"])
    assert found.tolist() == [[1, 0, 0], [0, 1, 1], [0, 1, 1]]


def test_reading_ends_with_the_last_word_that_is_wanted(tmp_path: Path) -> None:
    """A broken line far behind is not met, so that gigabytes are not read for words that stand in front."""
    assert vector_similarity(written(tmp_path, "cat 1 0\ndog 1 0\ncat what ever\n"), ["cat", "dog"]).min() == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cat 1 0\nfire 1 1\n", r"no vector for 'truck' \(class 'fire truck'\), 'dog' \(class 'Dog'\); take"),
        ("the 1 0\ncat 1\n", "line 2: not a word and 2 numbers"),
        ("the 1 0\ncat 1 x\n", "line 2: not a word and 2 numbers"),
        ("the 1 0\ncat 1 nan\n", "line 2: not a word and 2 numbers"),
        ("cat 0 0\nfire 1 1\ntruck 1 1\ndog 1 0\n", "gives the class 'cat' a vector of zeros"),
        ("cat\n", "line 1: no word with its numbers"),
        ("", "no vector for 'cat'"),
    ],
)
def test_a_file_that_does_not_do_is_named_with_what_it_lacks(tmp_path: Path, text: str, sentence: str) -> None:
    """In one sentence."""
    path = written(tmp_path, text)
    with pytest.raises(ValueError, match=sentence) as told:
        vector_similarity(path, ["cat", "fire truck", "Dog"])
    assert str(path) in str(told.value)


def test_a_packed_file_is_to_be_unpacked(tmp_path: Path) -> None:
    """And one that is not there is named."""
    path = tmp_path / "vectors.txt.gz"
    path.write_bytes(gzip.compress(GLOVE.encode()))
    with pytest.raises(ValueError, match="is packed; unpack it"):
        vector_similarity(path, ["cat"])
    with pytest.raises(ValueError, match=r"nowhere\.txt cannot be read"):
        vector_similarity(tmp_path / "nowhere.txt", ["cat"])
