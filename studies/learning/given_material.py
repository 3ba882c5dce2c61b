"""The material of `crowdloom tables`, from the options that the command was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdloom.models.corruption_files import read_corrupted
from crowdloom.models.experiments.building import REDUCED_IMAGES
from crowdloom.models.experiments.experiment import Experiment
from crowdloom.models.experiments.labellings import Part
from crowdloom.models.experiments.material import Material
from crowdloom.models.experiments.stand_in import stand_in_material
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.learning.gather import gather
from crowdloom.studies.learning.given_sets import read_source
from crowdloom.studies.learning.mapped import mapped
from crowdloom.studies.reading import find_answers

SEED = 0
"""Of whatever is drawn once for all runs: a split of one's own, the images of the reduced setting, simulated people."""

_BY_OPTION: Mapping[Part, str] = {
    "counts": "--counts FILE.npy (how many people chose each class, as CIFAR-10H has it)",
    "soft": "--study NAME (soft labels, as `crowdloom import jspsych` brings CIFAR-10S)",
    "mixed": "--mixed NAME (a study of mixing coefficients)",
}
_IMAGES = "--images WHERE (CIFAR-10, an .npz, a folder)"


@dataclass(frozen=True)
class Given:
    """The options that say what is learned from, as `gather` takes them; without any, there is only the stand-in."""

    study: str | None = None
    mixed: str | None = None
    images: str | None = None
    counts: Path | None = None
    split: Path | None = None
    similarity: Path | None = None
    vectors: Path | None = None
    corrupted: Path | None = None
    download: bool = False

    @property
    def anything(self) -> bool:
        """Whether there are data at all."""
        return self != Given()

    @property
    def studies(self) -> tuple[str, ...]:
        """Those in the store."""
        return tuple(name for name in (self.study, self.mixed) if name is not None)

    def files(self) -> dict[str, Path | None]:
        """The files that are read, by their options."""
        return {
            "--counts": self.counts,
            "--split": self.split,
            "--similarity": self.similarity,
            "--vectors": self.vectors,
        }


def check_given(experiments: Sequence[Experiment], given: Given, reduced: bool) -> None:
    """Raise OptionError, in one sentence that names options, where a part that a table needs was not given.

    Nothing at all is enough for the reduced setting.
    """
    if given.download and given.images is None:
        raise OptionError("--download needs --images FOLDER, into which CIFAR-10 is fetched; give that, too")
    if not given.anything and reduced:
        return
    for experiment in experiments:
        has: dict[Part, bool] = {
            "counts": given.counts is not None,
            "soft": given.study is not None,
            "mixed": given.mixed is not None,
        }
        lacking = [_BY_OPTION[part] for part in experiment.needs if not has[part]]
        if given.images is None and given.study is None:
            lacking.insert(0, _IMAGES)
        if lacking:
            named = " and ".join([", ".join(lacking[:-1]), lacking[-1]] if len(lacking) > 1 else lacking)
            instead = (
                "leave out all data with --reduced, for simulated people's"
                if given.anything
                else "add --reduced to try it on few images and simulated people"
            )
            raise OptionError(f"{experiment.called} needs {named}; give that, or {instead}")


def material_of(store: Store | None, given: Given, reduced: bool) -> Material:
    """The material that was given, or, without any, the stand-in; few images of it in the reduced setting.

    `store` is needed where a study is named. Raises as `gather` and the readers of files do.
    """
    if not given.anything:
        return stand_in_material(SEED).reduced(REDUCED_IMAGES, SEED)
    classes = None
    if store is not None and given.studies:
        with store.read() as connection:
            classes = find_answers(connection, given.studies[0]).classes
    images = None
    if given.images is not None:
        images = read_source(given.images, classes=classes, download=given.download)
    if given.corrupted is not None:
        with mapped():  # before anybody trains for hours
            read_corrupted(given.corrupted, [])
    whole = gather(
        store,
        images=images,
        soft_study=given.study,
        mixed_study=given.mixed,
        counts=given.counts,
        split=given.split,
        similarity=given.similarity,
        vectors=given.vectors,
        corrupted=given.corrupted,
        seed=SEED,
    )
    return whole.reduced(REDUCED_IMAGES, SEED) if reduced else whole
