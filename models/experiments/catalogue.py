"""Every table and figure of the thesis that trains networks, and one of our own, by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from crowdloom.models.errors import ModelError
from crowdloom.models.experiments import chapter3, chapter4, chapter5, cifar10s
from crowdloom.models.experiments.experiment import Experiment

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        experiment.name: experiment
        for experiment in (
            chapter3.TABLE_3_1,
            chapter3.TABLE_3_2,
            chapter3.TABLE_3_3,
            chapter3.TABLE_3_4,
            chapter3.FIGURE_3_5,
            chapter3.FIGURE_3_6,
            chapter4.TABLE_4_1,
            chapter4.TABLE_4_2,
            chapter4.TABLE_4_3,
            chapter5.TABLE_5_1,
            chapter5.TABLE_5_2,
            chapter3.TABLE_B_1,
            chapter3.TABLE_B_2,
            chapter3.TABLE_B_3,
            chapter3.FIGURE_B_3,
            chapter5.TABLE_C_1,
            cifar10s.EXPERIMENT,
        )
    }
)
"""In the thesis' order; then `cifar10s`, which is not of it."""

OWN = ("cifar10s",)
"""Those that are not of the thesis."""


def resolve(name: str) -> Experiment:
    """The experiment of that name, with or without `table` or `figure`; B.3 alone is the table.

    Raises ModelError, with the choices, for a name that is none.

    >>> [resolve(name).called for name in ("3.1", "Table 3.1", "figure 3.5", "3.5", "b.3", "figure-B.3")]
    ['table 3.1', 'table 3.1', 'figure 3.5', 'figure 3.5', 'table B.3', 'figure B.3']
    """
    said = re.fullmatch(r"\s*(?:(table|fig)(?:ure|\.)?[\s_-]*)?([a-z0-9]+\.\d+|[a-z]+\d+[a-z]*)\s*", name.lower())
    kind, number = said.groups() if said else (None, None)
    for one in EXPERIMENTS.values():
        if number == one.name.lower().removeprefix("figure-") and one.kind.startswith(kind or ""):
            return one
    raise ModelError(f"there is no experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}")
