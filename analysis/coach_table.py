"""Table 1 of the H2AI coach: what each weight of a loss makes of accuracy, change and effort, beside the paper's.

Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020), section 4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev

import pandas as pd

from crowdloom.analysis.files import whole_file
from crowdloom.analysis.summary import NOTHING
from crowdloom.analysis.tests import welch_t

BASELINE, CLASSIFICATION = "Baseline (AE only)", "Classification loss"
EFFICIENCY, DISCRIMINATOR = "Efficiency loss", "Discriminator loss"
ALL = "All losses"
WEIGHTS = {CLASSIFICATION: "alpha_CL", EFFICIENCY: "alpha_EF", DISCRIMINATOR: "alpha_D"}
"""By kind of setting, the weight that varies in it."""

BLANK = 0.01
"""Proposals with less of their drawings' ink are blank."""
MEASURES = ("accuracy", "change", "effort", "changed", "ink")


@dataclass(frozen=True)
class SettingNumbers:
    """What the networks of one setting came to on the test pictures; a number for each network.

    kind, classification, efficiency, discriminator   the row's name, and alpha_CL, alpha_EF and alpha_D
    accuracy         share of proposals that the recogniser reads as the class asked for
    change, effort   L_RE and L_EF of a picture, means, in the paper's units
    changed          the sum of all changes of pixels over the sum of the originals' ink
    ink              the sum of the proposals' ink over the originals'
    seconds          that the training took
    paper            accuracy, L_RE and L_EF in the paper; None for settings that its table lacks
    """

    kind: str
    classification: float
    efficiency: float
    discriminator: float
    accuracy: Sequence[float]
    change: Sequence[float]
    effort: Sequence[float]
    changed: Sequence[float]
    ink: Sequence[float]
    seconds: float
    paper: tuple[float, float, float] | None = None

    @property
    def weight(self) -> float:
        """The one that varies in settings of this kind."""
        weights = {CLASSIFICATION: self.classification, EFFICIENCY: self.efficiency}
        return weights.get(self.kind, self.discriminator)


@dataclass(frozen=True)
class TableAbout:
    """What the table was made of and with, for the lines below it."""

    data: str
    trained_on: int
    tried_on: int
    networks: int
    epochs: int
    originals: float
    """The recogniser's accuracy on the originals."""
    machine: str
    command: str


def write_table(settings: Sequence[SettingNumbers], about: TableAbout, out: Path, numbers: Path) -> list[str]:
    """Writes `table_lines` to one file and `table_frame`, as CSV, to another; gives the lines. Raises OSError."""
    lines = table_lines(settings, about)
    with whole_file(out) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with whole_file(numbers) as part:
        table_frame(settings).to_csv(part, index=False)
    return lines


def table_frame(settings: Sequence[SettingNumbers]) -> pd.DataFrame:
    """A row for each network of each setting: the weights, the network's number from 0, and `MEASURES`."""
    rows = [
        {
            "loss": one.kind,
            "alpha_CL": one.classification,
            "alpha_EF": one.efficiency,
            "alpha_D": one.discriminator,
            "network": network,
            **{name: asdict(one)[name][network] for name in MEASURES},
        }
        for one in settings
        for network in range(len(one.accuracy))
    ]
    return pd.DataFrame(rows)


def table_lines(settings: Sequence[SettingNumbers], about: TableAbout) -> list[str]:
    """The table as Markdown, the answers to its questions, and what the numbers are. The baseline comes first."""
    head = ["Loss", "α_CL", "α_EF", "α_D", "Accuracy", "p", "L_RE", "p", "L_EF", "p", "Changed", "Ink"]
    head += ["paper: accuracy", "L_RE", "L_EF"]
    rows = [_cells(one, settings[0]) for one in settings]
    table = ["| " + " | ".join(row) + " |" for row in (head, ["---", *["---:"] * (len(head) - 1)], *rows)]
    return [
        "# The H2AI coach: accuracy, change and effort by the weights of the losses",
        "",
        *table,
        "",
        *answers(settings),
        "",
        *_notes(settings, about),
    ]


def answers(settings: Sequence[SettingNumbers]) -> list[str]:
    """Whether accuracy rises with alpha_CL, L_EF falls with alpha_EF, and L_RE worsens, as the numbers have it."""
    baseline = settings[0]

    def of(kind: str) -> list[SettingNumbers]:
        return [baseline, *sorted((one for one in settings if one.kind == kind), key=lambda one: one.weight)]

    change = [_trend(of(kind), "change", rises=True) for kind in WEIGHTS]
    return [
        f"- Does accuracy rise with alpha_CL? {_trend(of(CLASSIFICATION), 'accuracy', rises=True)}.",
        f"- Does the efficiency loss fall with alpha_EF? {_trend(of(EFFICIENCY), 'effort', rises=False)}.",
        "- Does reconstruction worsen? "
        + "; ".join(f"with {weight}: {said}" for weight, said in zip(WEIGHTS.values(), change, strict=True))
        + ".",
    ]


def _trend(settings: Sequence[SettingNumbers], measure: str, *, rises: bool) -> str:
    """What a measure does from the baseline on, over settings in the order of their weight."""
    if len(settings) < 2:
        return "no such setting was trained"
    means = [mean(getattr(one, measure)) for one in settings]
    sign = 1 if rises else -1
    steps = [sign * (later - earlier) > 0 for earlier, later in pairwise(means)]
    p = welch_t(getattr(settings[-1], measure), getattr(settings[0], measure)).p
    write = _WRITTEN[measure]
    between = f"from {write(means[0])} at 0 to {write(means[-1])} at {settings[-1].weight:g} (p {_p_in_words(p)})"
    if all(steps):
        return f"yes, at each step, {between}"
    found = "on the whole," if sign * (means[-1] - means[0]) > 0 else "no,"
    return f"{found} in {sum(steps)} of {len(steps)} steps, {between}"


def _cells(one: SettingNumbers, baseline: SettingNumbers) -> list[str]:
    cells = [one.kind, *(f"{weight:g}" for weight in (one.classification, one.efficiency, one.discriminator))]
    for measure, write in _WRITTEN.items():
        values = getattr(one, measure)
        spread = f" ± {write(stdev(values))}" if len(values) > 1 else ""
        p = None if one is baseline else welch_t(values, getattr(baseline, measure)).p
        cells += [write(mean(values)) + spread, _p(p)]
    cells += [f"{100 * mean(one.changed):.1f} %", f"{100 * mean(one.ink):.1f} %"]
    return cells + ([_paper(value) for value in one.paper] if one.paper else [NOTHING] * 3)


def _notes(settings: Sequence[SettingNumbers], about: TableAbout) -> list[str]:
    minutes = sum(one.seconds for one in settings) / 60
    return [
        f"Data: {about.data}, {about.trained_on:,} pictures to train on and {about.tried_on:,} to try on. "
        f"{about.networks} networks a setting, trained as one stack, batches of 8, {about.epochs} epochs, Adam with a "
        "rate of 1e-4, alpha_RE = 32. The recogniser is trained in the same way, and reads "
        f"{100 * about.originals:.2f} % of the originals that are tried on.",
        "",
        "Accuracy: the share of proposals that are read as the class asked for; mean ± standard deviation over the "
        "networks. L_RE and L_EF: sums over the 784 pixels divided by 784 * 128, the unit in which the paper's weights "
        "do what its table says (see `models/coach_loss.py`). p: Welch's t-test against the baseline over the "
        "networks, two-sided, not corrected for being several. Changed: all changes of pixels over the ink of the "
        "originals; Ink: that of the proposals over that of the originals. The paper's columns are its Table 1, for "
        "50,000 and 10,000 pictures of MNIST; it has no numbers for all losses together, whose weights are ours.",
        "",
        _blank(settings),
        "",
        f"Trained in {minutes:.0f} minutes, all settings added up, with one thread, on {about.machine}. "
        f"Made by: `{about.command}`",
    ]


def _blank(settings: Sequence[SettingNumbers]) -> str:
    """Which settings have networks that propose next to nothing, so that a mean is of two kinds of networks."""
    counts = [(one, sum(ink < BLANK for ink in one.ink)) for one in settings]
    said = [
        f"{number} of {len(one.ink)} at α_CL {one.classification:g}, α_EF {one.efficiency:g}, α_D {one.discriminator:g}"
        for one, number in counts
        if number
    ]
    return (
        f"Networks whose proposals are blank (less than {100 * BLANK:.0f} % of the ink): {'; '.join(said) or 'none'}. "
        "A network whose outputs are 0 everywhere does not come back from there, as a ReLU has no gradient there."
    )


def _accuracy(value: float) -> str:
    return f"{value:.4f}"


def _loss(value: float) -> str:
    return f"{value:.6f}"


_WRITTEN: dict[str, Callable[[float], str]] = {"accuracy": _accuracy, "change": _loss, "effort": _loss}


def _p(p: float | None) -> str:
    if p is None:
        return NOTHING
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def _p_in_words(p: float | None) -> str:
    said = _p(p)
    return said if said.startswith("<") else f"= {said}" if p is not None else "is not defined"


def _paper(value: float) -> str:
    return "< 1e-5" if value == 0 else f"{value:g}" if value >= 0.001 else f"{value:.5f}"
