"""How alike classes are by vectors of the words that they are called by, from a file that the user has.

The format is that of GloVe (J. Pennington, R. Socher and C. Manning, *GloVe: Global Vectors for Word Representation*,
EMNLP 2014): a text file with a line `word v1 v2 … vD` for each word. word2vec's text format, which has a line with the
number of words and D before them, is read too. Such files have gigabytes, so lines pass through one by one, only those
of the classes' words are kept, and reading ends with the last of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from crowdloom.analysis.elicited import Floats

_PACKED = (b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")


def vector_similarity(path: Path, classes: Sequence[str]) -> Floats:
    """The cosine similarity of the classes' vectors, [K, K], symmetric, between -1 and 1.

    Names are looked up in lower case; a name of several words that has no vector as a whole (`fire truck`,
    `fire_truck`) has the mean of its words' vectors. Raises ValueError, in one sentence, for a file that cannot be read
    or has a broken line for one of the words, and naming the words that it lacks.
    """
    names = [name.strip().lower() for name in classes]
    parts = [[word for word in re.split(r"[\s_/]+", name) if word] for name in names]
    found = _read(path, names, parts)
    lacking = {
        word: name
        for name, whole, words in zip(classes, names, parts, strict=True)
        if whole not in found
        for word in words
        if word not in found
    }
    if lacking:
        said = ", ".join(f"{word!r} (class {name!r})" for word, name in lacking.items())
        raise ValueError(f"{path} has no vector for {said}; take a file that has, or give the similarity itself")
    vectors = np.array(
        [
            found[name] if name in found else np.mean([found[word] for word in words], axis=0)
            for name, words in zip(names, parts, strict=True)
        ]
    )
    lengths = np.linalg.norm(vectors, axis=1)
    if (lengths == 0).any():
        raise ValueError(f"{path} gives the class {classes[int(lengths.argmin())]!r} a vector of zeros, like nothing")
    unit = vectors / lengths[:, np.newaxis]
    similarity: Floats = np.clip(unit @ unit.T, -1, 1)
    return similarity


def _read(path: Path, names: Sequence[str], parts: Sequence[Sequence[str]]) -> dict[str, Floats]:
    """The vectors of all whole names and all their words that the file has."""
    wanted = {word.encode(): word for word in [*names, *(word for words in parts for word in words)]}
    firsts = {word.split()[0]: word for word in wanted if word.split()}
    found: dict[str, Floats] = {}
    size = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number == 1:
                    size = _size(line, path)
                    if _is_header(line):
                        continue
                if line[: line.find(b" ")] not in firsts:
                    continue
                # Some words of some files have blanks, so the numbers are the last ones of the line.
                word, *values = line.rstrip().rsplit(b" ", size)
                if word not in wanted or wanted[word] in found:
                    continue
                found[wanted[word]] = _vector(values, size, f"{path}, line {number}")
                if len(found) == len(wanted):
                    break
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from error
    return found


def _is_header(line: bytes) -> bool:
    fields = line.split()
    return len(fields) == 2 and all(field.isdigit() for field in fields)


def _size(line: bytes, path: Path) -> int:
    """D, by the first line."""
    if line.startswith(_PACKED):
        raise ValueError(f"{path} is packed; unpack it and give the text file in it")
    fields = line.split()
    size = int(fields[1]) if _is_header(line) else len(fields) - 1
    if size < 1 or b"\0" in line:
        raise ValueError(
            f"{path}, line 1: no word with its numbers, so it holds no word vectors in GloVe's text format"
        )
    return size


def _vector(values: Sequence[bytes], size: int, where: str) -> Floats:
    try:
        vector = np.array([float(value) for value in values])
    except ValueError:
        vector = np.array([np.nan])
    if len(vector) != size or not np.isfinite(vector).all():
        raise ValueError(f"{where}: not a word and {size} numbers; the file is broken there, or in another format")
    return vector
