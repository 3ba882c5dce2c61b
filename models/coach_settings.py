"""The settings of the paper's Table 1, and three with all losses as in its figure 5.

Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020), section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crowdloom.analysis import coach_table as table
from crowdloom.models.coach_loss import Alphas


@dataclass(frozen=True)
class Setting:
    """A row of the table: which weights the losses have, and what the paper says of them."""

    kind: str
    alphas: Alphas
    paper: tuple[float, float, float] | None = None

    @property
    def called(self) -> str:
        """In a sentence."""
        return (
            f"{self.kind}, alpha_CL {self.alphas.classification:g}, alpha_EF {self.alphas.efficiency:g}, "
            f"alpha_D {self.alphas.discriminator:g}"
        )


def _settings() -> tuple[Setting, ...]:
    by_weight = {table.CLASSIFICATION: "classification", table.EFFICIENCY: "efficiency"}
    by_weight[table.DISCRIMINATOR] = "discriminator"
    varied = [
        Setting(kind, Alphas(**{by_weight[kind]: weight}), paper)
        for kind, rows in _PAPER.items()
        for weight, paper in rows.items()
    ]
    every = [Setting(table.ALL, Alphas(32.0, *alphas)) for alphas in _ALL]
    return Setting(table.BASELINE, Alphas(), (0.9609, 0.00018, 0.00097)), *varied, *every


_PAPER: Mapping[str, Mapping[float, tuple[float, float, float]]] = {
    table.CLASSIFICATION: {
        0.03: (0.9994, 0.00027, 0.00096),
        0.08: (0.9997, 0.00041, 0.00096),
        0.1: (0.9998, 0.00042, 0.00092),
        0.24: (1.0, 0.00062, 0.00085),
    },
    table.EFFICIENCY: {
        1.0: (0.9587, 0.00019, 0.00095),
        4.0: (0.9607, 0.00018, 0.00093),
        8.0: (0.9578, 0.00019, 0.00091),
        16.0: (0.9458, 0.00023, 0.00081),
        32.0: (0.1135, 0.00098, 0.0),
    },
    table.DISCRIMINATOR: {
        0.03: (0.9608, 0.00019, 0.00099),
        0.16: (0.96, 0.0002, 0.00096),
        0.64: (0.9318, 0.00032, 0.00096),
    },
}
_ALL = ((0.1, 4.0, 0.03), (0.24, 8.0, 0.16), (0.24, 32.0, 0.03))
"""alpha_CL, alpha_EF and alpha_D of three settings as those of the paper's figure 5, whose weights are not given:
moderate ones, stronger ones, and too much efficiency, with which, as in the figure's last column, accuracy and L_EF are
good and L_RE is large."""

SETTINGS = _settings()
"""Those of Table 1 in its order, then the three with all losses."""
