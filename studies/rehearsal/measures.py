"""What a rehearsal's answers come to, against the truth that only a rehearsal knows.

All of it is of the accepted first responses. With p an item's true label and q the one built,
the distance is the total variation, sum |p - q| / 2: 0 where they agree, 1 where they share no class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from crowdloom.studies.errors import OptionError, StudyError

VARIETY = "T2-clamp"


@dataclass(frozen=True)
class LabelMeasures:
    """Mean distances over the items that have a label, and how well labels tell hard items from easy ones."""

    items: int
    soft: float
    """Of the mean T2-clamp label (gamma 0.1) from the truth."""
    majority: float
    """Of the hard label that most people's first class gives; a tie is shared."""
    uniform: float
    """Of the label that knows nothing."""
    entropy_correlation: float | None
    """Spearman's, of the mean label's entropy and the true label's; None where one of them does not vary."""

    def sentence(self) -> str:
        """The distances in words."""
        return (
            f"From its item's true label, the mean {VARIETY} label is {self.soft:.3f} away on average "
            f"(total variation), the majority's class {self.majority:.3f}, and a label that knows nothing "
            f"{self.uniform:.3f}."
        )


def measure_labels(
    connection: Connection, study: str, version: int, truth: Mapping[str, Mapping[str, float]]
) -> LabelMeasures | None:
    """How far labels are from the truth; None for a task without soft labels, or where no answer was accepted."""
    import numpy as np

    from crowdloom.analysis.labels import entropy
    from crowdloom.studies.label_recipes import Recipe
    from crowdloom.studies.labelling import build_label_set, check_soft_labels
    from crowdloom.studies.reading import find_answers

    try:
        answers = find_answers(connection, study, version=version)
        check_soft_labels(answers)
        recipe = Recipe(variety=VARIETY, aggregate="mean", version=version)
        table = build_label_set(connection, study, recipe).table
    except (OptionError, StudyError):  # the task asks no soft labels, or has no typed columns at all
        return None
    if not len(table.item):
        return None
    votes = _votes(*_first_answers(connection, answers)[:2], len(answers.items), len(answers.classes))
    votes = votes[[answers.items.index(key) for key in table.item]]
    most = votes == votes.max(axis=1, keepdims=True)
    true = np.array([[truth[key][name] for name in answers.classes] for key in table.item])
    built = {"soft": table.labels, "majority": most / most.sum(axis=1, keepdims=True), "uniform": 1 / true.shape[1]}
    distances = {name: float(np.abs(true - labels).sum(axis=1).mean() / 2) for name, labels in built.items()}
    return LabelMeasures(
        items=len(true), entropy_correlation=_correlation(entropy(table.labels), entropy(true)), **distances
    )


def measure_skill(connection: Connection, study: str, version: int, skill: Mapping[str, float]) -> float | None:
    """Spearman's correlation of agreement and true skill, over submissions.

    `skill` is by the submission's pseudonym. The agreement of a submission is the mean, over its
    items, of the share of the other people who chose the same most probable class.
    """
    import numpy as np

    from crowdloom.studies.reading import find_answers, read_submissions

    try:
        answers = find_answers(connection, study, version=version)
    except StudyError:  # the task has no typed columns
        return None
    if "top1" not in {column.name for column in answers.columns}:
        return None
    item, top1, submission = _first_answers(connection, answers)
    votes = _votes(item, top1, len(answers.items), len(answers.classes))
    others = votes[item].sum(axis=1) - 1
    same = (votes[item, top1] - 1) / np.maximum(others, 1)
    told = []
    for number, (pseudonym, *_) in enumerate(read_submissions(connection, answers)):
        mine = (submission == number) & (others > 0)
        if pseudonym in skill and mine.any():
            told.append((same[mine].mean(), skill[pseudonym]))
    return _correlation(*zip(*told, strict=True)) if told else None


def _first_answers(connection: Connection, answers: Any) -> tuple[Any, Any, Any]:
    """Item, most probable class and submission of each first answer, by position in `answers`."""
    import numpy as np

    from crowdloom.studies.reading import stream

    parts = [np.empty((3, 0), dtype=np.intp)]
    for chunk in stream(connection, answers):
        first = chunk.repeat_index == 0
        parts.append(np.stack([chunk.item, chunk.records["top1"].astype(np.intp), chunk.submission])[:, first])
    item, top1, submission = np.concatenate(parts, axis=1)
    return item, top1, submission


def _votes(item: Any, top1: Any, n_items: int, n_classes: int) -> Any:
    """How many people chose each class as the most probable one, [items, classes]."""
    import numpy as np

    votes = np.zeros((n_items, n_classes), dtype=np.intp)
    np.add.at(votes, (item, top1), 1)
    return votes


def _correlation(one: Any, other: Any) -> float | None:
    import numpy as np

    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: Any) -> Any:
    """The rank of each, the mean of their ranks for equal ones; SciPy's statistics take most of a second to load."""
    import numpy as np

    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[which]
