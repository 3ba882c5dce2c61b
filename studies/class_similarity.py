"""How alike a study's classes are: by a file, by word vectors, or by the second choices of its own answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from crowdloom.analysis.elicited import Elicited, Floats
from crowdloom.analysis.similarity import read_similarity, second_choice_counts, similarity_of_counts
from crowdloom.analysis.word_vectors import vector_similarity
from crowdloom.studies.errors import OptionError
from crowdloom.studies.reading import Answers, stream


@dataclass(frozen=True)
class ClassSimilarity:
    """The matrix [K, K], rows the most probable class, and where it came from, in words."""

    matrix: Floats
    source: str


def similarity_of(
    connection: Connection, answers: Answers, similarity: Path | None, vectors: Path | None
) -> ClassSimilarity:
    """By the file that is given; with neither, by the second choices of the study's first answers.

    Raises OptionError where both are given, or no answer names a second class, and ValueError for a file that does
    not fit.
    """
    if similarity is not None and vectors is not None:
        raise OptionError("--similarity and --vectors both say how alike the classes are; give one of them")
    if similarity is not None:
        return ClassSimilarity(read_similarity(similarity, answers.classes), f"the file {similarity.name}")
    if vectors is not None:
        return ClassSimilarity(vector_similarity(vectors, answers.classes), f"the word vectors {vectors.name}")
    k = len(answers.classes)
    counts = np.zeros((k, k), dtype=np.intp)
    for chunk in stream(connection, answers):
        first = Elicited.from_records(chunk.records[chunk.repeat_index == 0], k)
        counts += second_choice_counts(first, k)
    try:
        return ClassSimilarity(similarity_of_counts(counts), "the second choices of the study's first answers")
    except ValueError as error:
        raise OptionError(f"{answers.study!r}: {error}; give --similarity or --vectors") from error
