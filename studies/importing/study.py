"""From sessions to a study: its items, its batches, who finished one, and the design that this amounts to."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import ValidationError

from crowdloom.studies.design import Design, People
from crowdloom.studies.design_batches import Batches
from crowdloom.studies.design_items import Items
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.importing.batches import batches_by_column, batches_by_items, place_by_items
from crowdloom.studies.importing.mapping import Mapping
from crowdloom.studies.importing.raw import RawFile, find_sessions
from crowdloom.studies.importing.screens import Happened, Pass, Reader
from crowdloom.studies.importing.shared import PLATFORM, bad_name
from crowdloom.studies.items import SourceItem


@dataclass
class ImportedStudy:
    """A whole file, understood and ready to be stored."""

    raw: RawFile
    design: Design
    items: dict[str, SourceItem]
    batches: dict[int, list[str]]
    originals: list[Pass]
    copies: list[Pass]

    def is_complete(self, passed: Pass) -> bool:
        """Whether every first answer and every repeat of the batch was asked for."""
        if passed.batch not in self.batches:
            return False
        wanted = {"first": len(self.batches[passed.batch]), "repeat": len(self.design.batches.repeats)}
        return all(passed.answers_shown[kind] >= number for kind, number in wanted.items())


def understand(raw: RawFile, mapping: Mapping, task: str, study: str, path: Path) -> ImportedStudy:
    """Read all sessions of a file. Raises ImportFileError where no study can be made of them."""
    reader = Reader(mapping, task, path)
    originals, copies = ([reader.read(s) for s in sessions] for sessions in find_sessions(raw, mapping, path))
    if not any(passed.answers_shown for passed in originals):
        sign = mapping.screens.first
        raise ImportFileError(
            f"{path}: no row has {sign.value!r} in the column {sign.column}, so there is no answer in it; "
            "correct screens in the mapping"
        )
    if not any(passed.answered for passed in originals):
        screens = [screen for passed in originals for screen in passed.screens]
        refused = next(screen for screen in screens if isinstance(screen, Happened) and screen.refused)
        raise ImportFileError(
            f"{path}:{refused.line}: no answer of the file could be read; here {refused.refused}; correct the mapping"
        )
    if mapping.columns.batch is None:
        batches = batches_by_items(originals)
        place_by_items([*originals, *copies], batches)
    else:
        batches = batches_by_column(originals, mapping.columns.batch, path)
    design = _design(raw, mapping, task, study, originals, batches)
    return ImportedStudy(raw, design, reader.items, batches, originals, copies)


def _design(
    raw: RawFile, mapping: Mapping, task: str, study: str, originals: list[Pass], batches: dict[int, list[str]]
) -> Design:
    full = [
        passed
        for passed in originals
        if passed.batch is not None and passed.answers_shown["first"] >= len(batches.get(passed.batch, [])) > 0
    ]
    # Most people's repeats: whoever left early saw fewer.
    repeats = Counter(_repeats(passed) for passed in full).most_common(1)
    per_batch = Counter(passed.batch for passed in full)
    per_person = Counter(passed.session.participant for passed in originals)
    took = [last.elapsed_ms for passed in full for last in passed.answered[-1:] if last.elapsed_ms is not None]
    minutes = math.ceil(median(took) / 60_000) if took else 1
    size = max(len(items) for items in batches.values())
    try:
        return Design(
            name=study,
            title=f"Imported from {raw.name}",
            task=task,
            classes=mapping.classes,
            options=mapping.design_options(),
            consent=f"Imported from {raw.name}, which does not say what the participants consented to.",
            instructions=(f"Imported from {raw.name}, which does not hold the instructions as text.",),
            items=Items(source=PLATFORM, path=raw.name, image_size=0),
            batches=Batches(
                size=size,
                responses_per_item=max(per_batch.values(), default=1),
                repeats=repeats[0][0] if repeats else (),
            ),
            people=People(
                minutes=max(minutes, 1),
                hold_minutes=max(minutes, 1),
                submissions_per_participant=max(per_person.values()),
            ),
        )
    except ValidationError as error:
        # All but the name has been checked in the mapping or is ours.
        raise bad_name(study, error.errors()[0]["msg"]) from error


def _repeats(passed: Pass) -> tuple[int, ...]:
    """The positions, from 1, of the first answers that were asked for again."""
    first = [key for key, repeat_index in passed.order if repeat_index == 0]
    again = dict.fromkeys(key for key, repeat_index in passed.order if repeat_index and key in first)
    return tuple(first.index(key) + 1 for key in again)
