"""What the figures of coaches show: test pictures with what coaches propose for them, and the weights' trade-off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from crowdloom.analysis.coach_sheets import Column, sheet_rows
from crowdloom.models.coach_conditioned import train_conditioned
from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_folder import PreparedCoach, Tradeoff, Weights
from crowdloom.models.coach_networks import Classifier, Coach, single
from crowdloom.models.coach_pareto import COMPARED, GRID, tradeoff, tradeoffs
from crowdloom.models.coach_preparing import Recipe
from crowdloom.models.coach_settings import SETTINGS, Setting
from crowdloom.models.coach_table import TableTerms, recogniser, train_settings, trained
from crowdloom.models.coach_training import computing
from crowdloom.models.latent_pretraining import versions
from crowdloom.models.together import do_all

_BY_WEIGHTS = {(one.alphas.classification, one.alphas.efficiency, one.alphas.discriminator): one for one in SETTINGS}
FIGURE_4 = tuple(_BY_WEIGHTS[weights] for weights in ((0, 0, 0), (0, 16.0, 0), (0, 0, 0.16), (0.1, 0, 0)))
"""The paper's columns; which of Table 1's weights they have, it does not say."""
FIGURE_5 = tuple(one for weights, one in _BY_WEIGHTS.items() if all(weights))

Told = Callable[[float, str], None]


@dataclass(frozen=True)
class Sheets:
    """The columns of figures 4 and 5, for test pictures of these classes."""

    figure_4: tuple[Column, ...]
    figure_5: tuple[Column, ...]
    asked: tuple[str, ...]


def sheets(data: CoachData, folder: Path, *, processes: int, progress: Told) -> Sheets:
    """Two test pictures of each class, of which the first is misread where one is, and what each setting makes of them.

    From the networks that `coach table` kept in `folder`, where they are there: the first of each setting. Otherwise
    one network of each setting is trained in the same way and kept there. Raises as `train_settings`.
    """
    terms = TableTerms()
    found = {id(setting): trained(folder, data, setting, terms) for setting in (*FIGURE_4, *FIGURE_5)}
    missing = [setting for setting in (*FIGURE_4, *FIGURE_5) if found[id(setting)] is None]
    if missing:
        alone = TableTerms(networks=1)
        train_settings(
            data,
            folder,
            alone,
            missing,
            processes=processes,
            on_progress=lambda done, of, share: progress(share, f"{done} of {of} settings"),
        )
        found |= {id(setting): trained(folder, data, setting, alone) for setting in missing}
    classifier = recogniser(folder, data, terms)
    return _sheets(data, classifier, {key: single(coach, 0) for key, coach in found.items() if coach is not None})


def _sheets(data: CoachData, classifier: Classifier, coaches: dict[int, Coach]) -> Sheets:
    with computing().in_use(), torch.inference_mode():
        every = torch.from_numpy(data.test_images)[:, None].float() / 255
        sure = classifier(every).softmax(1).numpy()
        rows = sheet_rows(data.test_labels, sure)
        pictures, asked = every[rows], torch.from_numpy(data.test_labels[rows])

        def column(heading: str, shown: torch.Tensor) -> Column:
            pixels = (255 * shown.clamp(max=1)).round()
            read = classifier(pixels / 255).argmax(1).tolist()
            return Column(heading, pixels[:, 0].to(torch.uint8).numpy(), [data.classes[one] for one in read])

        def of(setting: Setting, heading: str) -> Column:
            return column(heading, coaches[id(setting)](pictures, asked[:, None]))

        original = column("original", pictures)
        return Sheets(
            (original, *(of(one, _added(one)) for one in FIGURE_4)),
            (original, *(of(one, _weights(one)) for one in FIGURE_5)),
            tuple(data.classes[label] for label in asked.tolist()),
        )


def _added(setting: Setting) -> str:
    """The column's heading: the one loss beside the change, with its weight."""
    alphas = setting.alphas
    for name, symbol, weight in (
        ("efficiency", "EF", alphas.efficiency),
        ("discriminator", "D", alphas.discriminator),
        ("classification", "CL", alphas.classification),
    ):
        if weight:
            return f"AE +\n{name}\n$\\alpha_{{{symbol}}}$ = {weight:g}"
    return f"AE\n$\\alpha_{{RE}}$ = {alphas.change:g}"


def _weights(setting: Setting) -> str:
    alphas = setting.alphas
    named = (("CL", alphas.classification), ("EF", alphas.efficiency), ("D", alphas.discriminator))
    return "\n".join(f"$\\alpha_{{{symbol}}}$ = {weight:g}" for symbol, weight in named)


@dataclass(frozen=True)
class Comparison:
    """How the coach of all weights does at each of them, and how coaches that were trained at some of them alone do."""

    once: tuple[Tradeoff, ...]
    separately: tuple[Tradeoff, ...]

    def rows(self) -> list[dict[str, Any]]:
        """A row for each, for a table: the weights, what they come to, and how the coach was trained."""
        return [
            {**one.weights._asdict(), "accuracy": one.accuracy, "change": one.change, "ink": one.ink}
            | {"best": one.best, "trained": how}
            for how, every in (("once", self.once), ("separately", self.separately))
            for one in every
        ]

    def sentences(self) -> list[str]:
        """How far off the coach of all weights is from each of those that have their own."""
        at = {one.weights: one for one in self.once}
        return [
            f"At classification {own.weights.classification:g}, efficiency {own.weights.efficiency:g}, discriminator "
            f"{own.weights.discriminator:g} the coach of all weights has {100 * at[own.weights].accuracy:.1f} % "
            f"recognised, {100 * at[own.weights].change:.0f} % changed and {100 * at[own.weights].ink:.0f} % of the "
            f"ink; one that was trained at these weights alone has {100 * own.accuracy:.1f} %, {100 * own.change:.0f} "
            f"% and {100 * own.ink:.0f} %."
            for own in self.separately
        ]


def comparison(
    prepared: PreparedCoach,
    data: CoachData,
    recipe: Recipe,
    folder: Path,
    *,
    processes: int,
    progress: Told,
    compared: Sequence[Weights] = COMPARED,
) -> Comparison:
    """The trade-off of a prepared coach's weights on all test pictures, with coaches of their own for a few.

    These learn from the same pictures for as long, from the same recogniser, and are kept in `folder`.
    """
    classifier, coach = networks_of(prepared)
    folder.mkdir(parents=True, exist_ok=True)

    def told(done: int, shares: Sequence[float]) -> None:
        progress(sum(shares) / len(compared), f"{done} of {len(compared)} coaches to compare with")

    do_all(partial(_keep_own, data, prepared, recipe, folder), compared, processes, told)
    progress(1.0, "the trade-off")
    most = len(data.test_images)
    own = [
        tradeoff(
            _own(data, prepared, recipe, folder, weights, lambda share: None), classifier, data, weights, most=most
        )
        for weights in compared
    ]
    grid = tuple(dict.fromkeys((*GRID, *compared)))
    once = tradeoffs(coach, classifier, data, grid, most=most, on_step=lambda done, of: None)
    return Comparison(once, tuple(own))


def networks_of(prepared: PreparedCoach) -> tuple[Classifier, Coach]:
    """A prepared coach's recogniser and coach as PyTorch has them."""
    classifier = Classifier(len(prepared.classes))
    coach = Coach(len(prepared.classes), 1, len(Weights._fields))
    for part, network in (("classifier", classifier), ("coach", coach)):
        named = {name: array for name, array in prepared.arrays.items() if name.startswith(f"{part}.")}
        network.load_state_dict(
            {name.removeprefix(f"{part}."): torch.from_numpy(np.array(array)) for name, array in named.items()}
        )
        network.to(memory_format=torch.channels_last).eval().requires_grad_(False)
    return classifier, coach


def _own(
    data: CoachData,
    prepared: PreparedCoach,
    recipe: Recipe,
    folder: Path,
    weights: Weights,
    tell: Callable[[float], None],
) -> Coach:
    """A coach of these weights alone; at once where it was trained before."""
    classifier, _ = networks_of(prepared)
    of = {"coach": prepared.digest, "weights": weights, "recipe": asdict(recipe)}
    name = hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:16]
    return train_conditioned(
        data,
        classifier,
        epochs=recipe.coach_epochs,
        seed=recipe.seed,
        file=folder / f"own-{name}.safetensors",
        versions=versions(),
        on_step=lambda done, of: tell(done / of),
        always=weights,
    )


def _keep_own(
    data: CoachData,
    prepared: PreparedCoach,
    recipe: Recipe,
    folder: Path,
    weights: Weights,
    tell: Callable[[float], None],
) -> None:
    """In whichever process: the file in the folder is what comes of it."""
    _own(data, prepared, recipe, folder, weights, tell)
