"""What one table or figure of the thesis is: its rows, and how each is trained and tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from crowdloom.models.experiments.labellings import Hard, Labelling, Part
from crowdloom.models.settings import Mixing, Settings

TrainedOn = Literal["asked and others", "asked", "all", "all and mixes"]
"""Which images a row is trained on, and which of them get the labels of the row.

asked and others    those with soft answers that are not held out (the thesis' 900) get the row's labels, all others
                    that are trained on (its 6,100) get `Row.others`, hard ones but for label smoothing. These include
                    the images that are held out: only their soft labels are kept from training. Where everybody who is
                    trained on was asked, there are no others
asked               the same 900 and nothing else, or `Row.images` of them
all                 all that are trained on (its 7,000) get the row's labels
all and mixes       these get hard labels and the mixes (its 810) those of the row; a row without labels has no mixes
"""

EvaluatedOn = Literal["CIFAR-10H", "CIFAR-10S"]
"""What a network is tried on: the images kept for evaluation with the shares of annotators' counts, in bins of 100
predictions; or the images with soft answers that are held out for a seed (a tenth), with our aggregated T2-clamp
labels, in bins of 10."""


@dataclass(frozen=True)
class Row:
    """One row of a table, or one point of a figure.

    name       unique in its table
    labels     how its images get their labels; None for a row without any of its own
    others     how the others of `asked and others` get theirs
    columns    what else is said of it, by the column's name
    images     how many images it is trained on; None for all
    mixing     what is done with pairs of examples
    by_pair    whether mixing takes lambda_g from the category boundary of each pair of classes (appendix C)
    kappa      of the clamped entropy-weighted loss; None for plain cross-entropy
    """

    name: str
    labels: Labelling | None
    others: Labelling = field(default_factory=Hard, kw_only=True)
    columns: Mapping[str, str | int | float] = field(default_factory=dict)
    images: int | None = None
    mixing: Mixing = field(default_factory=Mixing)
    by_pair: bool = False
    kappa: float | None = None


@dataclass(frozen=True)
class Experiment:
    """One table or figure.

    name           as in the thesis: `3.1`, `B.3`; `figure-B.3`, as there is a table of that number too
    title          one sentence
    trained_on     see `TrainedOn`
    evaluated_on   see `EvaluatedOn`
    networks       their numbers are averaged within a seed
    seeds          how many
    settings       of all rows, whose mixing and kappa are the row's; ResNet-50's rate is `RATES`'
    metrics        columns of `models.evaluating`, in the thesis' order
    note           what else has to be known to read it; perhaps nothing
    within         the column whose values group the rows: the best is marked in each group; nothing for all rows
    """

    name: str
    kind: Literal["table", "figure"]
    title: str
    rows: Sequence[Row]
    trained_on: TrainedOn
    evaluated_on: Sequence[EvaluatedOn]
    networks: Sequence[str]
    seeds: int
    settings: Settings
    metrics: Sequence[str]
    note: str = ""
    within: str = ""

    @property
    def called(self) -> str:
        """As in a sentence: `table 3.1`, `figure B.3`."""
        return f"{self.kind} {self.name.removeprefix('figure-')}"

    @property
    def heading(self) -> str:
        """As it begins a line: `Table 3.1`."""
        return self.called[0].upper() + self.called[1:]

    def groups(self) -> dict[str, str] | None:
        """Which rows are compared with each other, by the rows' names; None where all are."""
        return {row.name: f"{self.within} {row.columns[self.within]}" for row in self.rows} if self.within else None

    @property
    def needs(self) -> tuple[Part, ...]:
        """The parts of a material that it cannot do without."""
        needed: set[Part] = {
            part for row in self.rows for labels in (row.labels, row.others) if labels for part in labels.needs
        }
        needed |= {"counts"} if "CIFAR-10H" in self.evaluated_on else set()
        needed |= {"soft"} if "CIFAR-10S" in self.evaluated_on or self.trained_on.startswith("asked") else set()
        needed |= {"mixed"} if any(row.by_pair for row in self.rows) else set()
        parts: tuple[Part, ...] = ("counts", "soft", "mixed")
        return tuple(part for part in parts if part in needed)
