"""The mixes of a study of mixing coefficients, and what people inferred of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.mixing import mixed_items
from crowdloom.models.experiments.answers import Mixed
from crowdloom.models.image_sets import ImageSet, image_set
from crowdloom.studies.database import Store
from crowdloom.studies.errors import ItemError, OptionError
from crowdloom.studies.items.pixels import mix_images
from crowdloom.studies.learning.mapped import mapped
from crowdloom.studies.learning.soft_study import check_study
from crowdloom.studies.learning.study_images import pictures_by_key
from crowdloom.studies.reading import Answers, find_answers, read_first
from crowdloom.studies.reading_items import read_items

TASK = "mixing-coefficient"


def mixed_material(
    store: Store, study: str, pictures: ImageSet, version: int | None = None
) -> tuple[Mixed, npt.NDArray[np.intp]]:
    """The mixes of a study that people said something of, with their first accepted answers; and what they are made of:
    int [M, 2], positions of `pictures`, -1 for one that is none of them.

    An answer counts where it has both a share and a confidence, so that labels with and without confidence are built
    from the same ones; a person is a submission. The picture of a mix is that of the item, or, where items have none
    as in imports, it is mixed again from its two sources among `pictures`. Raises OptionError where the study is none
    of mixing coefficients, its classes are not the images' or nothing is left, and ItemError for a mix whose
    endpoints, coefficient or picture nobody can tell.
    """
    with store.read() as connection:
        answers = find_answers(connection, study, version=version)
        check_study(answers, TASK, pictures)
        item, annotator, inferred, confidence = _answers(study, answers, connection)
        items = read_items(connection, study, version)
    with mapped(study):
        known = mixed_items(items, answers.classes)
    used = np.unique(item)
    keys = [answers.items[number] for number in used]
    for key in keys:
        if key not in known.index or np.isnan(known.loc[key, "lambda_f"]):
            raise ItemError(f"{study!r}: the item {key!r} does not say what it is mixed of and by which coefficient")
    said = known.loc[keys]
    numbers = {name: number for number, name in enumerate(pictures.classes)}
    coefficient = said["lambda_f"].to_numpy(dtype=np.float64)
    attributes = items.set_index("item").reindex(keys)
    sources = _sources(pictures, attributes)
    mixed = Mixed(
        images=_images(store, study, version, pictures, attributes, coefficient, sources),
        endpoint1=np.array([numbers[name] for name in said["endpoint1"]], dtype=np.intp),
        endpoint2=np.array([numbers[name] for name in said["endpoint2"]], dtype=np.intp),
        coefficient=coefficient,
        item=np.searchsorted(used, item),
        annotator=annotator,
        inferred=inferred,
        confidence=confidence,
    )
    return mixed, sources


def _answers(study: str, answers: Answers, connection: Connection) -> tuple[Ints, Ints, Floats, Floats]:
    """Position of the item and the submission, lambda_h and confidence in [0, 1] of each answer that counts."""
    first = read_first(connection, answers)
    inferred, confidence = first.records["inferred"], first.records["confidence"] / 100
    counts = ~np.isnan(inferred) & ~np.isnan(confidence)
    if not counts.any():
        raise OptionError(f"{study!r} has no accepted answers that say a mixing coefficient and a confidence")
    return first.item[counts], first.submission[counts], inferred[counts], confidence[counts]


def _sources(pictures: ImageSet, attributes: Any) -> npt.NDArray[np.intp]:
    """The positions of each mix's two images, [M, 2]."""
    unknown = np.full(len(attributes), -1, dtype=np.intp)
    return np.stack(
        [
            pictures.positions([str(key) for key in attributes[name]]) if name in attributes else unknown
            for name in ("source1", "source2")
        ],
        axis=1,
    )


def _images(
    store: Store,
    study: str,
    version: int | None,
    pictures: ImageSet,
    attributes: Any,
    coefficient: Floats,
    sources: npt.NDArray[np.intp],
) -> Any:
    """The pictures of mixes [M, H, W, C], as large as the images; rows of `attributes` are in the mixes' order."""
    keys, shape = list(attributes.index), pictures.images.shape[1:]
    own = pictures_by_key(store, study, keys, version)
    if len(own) == len(keys):
        with mapped(f"the mixes of {study!r}"):
            size = shape[0] if shape[0] == shape[1] else None
            mixes = image_set([own[key] for key in keys], keys, [-1] * len(keys), pictures.classes, size=size)
        return (mixes.in_colour() if shape[2] == 3 else mixes).images
    unknown = np.flatnonzero(sources.min(axis=1) < 0)
    if len(unknown):
        raise ItemError(
            f"the mix {keys[unknown[0]]!r} of {study!r} (of {len(unknown)} such) has no picture in the store, and its "
            "two sources are not among the images given; give the images that it was mixed of"
        )
    first, second = (pictures.images[positions] for positions in sources.T)
    return mix_images(first, second, np.round(1000 * coefficient).astype(np.intp))
