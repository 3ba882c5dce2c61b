"""Building one version of a release in a folder: the data first, then the documents that are written from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import StudyError
from crowdloom.studies.reading import Answers, find_answers
from crowdloom.studies.releasing import card, citation, codebook, croissant, study_file, sums
from crowdloom.studies.releasing.debrief import BACKGROUND, write_debrief
from crowdloom.studies.releasing.description import Description
from crowdloom.studies.releasing.items import write_items
from crowdloom.studies.releasing.labels import write_label_sets
from crowdloom.studies.releasing.licences import licence_text
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.pictures import Picture, read_pictures, write_pictures
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.questionnaires import write_questionnaires
from crowdloom.studies.releasing.responses import write_responses
from crowdloom.studies.releasing.scrubbing import read_scrubber
from crowdloom.studies.releasing.sessions import write_sessions
from crowdloom.studies.releasing.submissions import Counts, Pass, count_all, read_passes, write_submissions
from crowdloom.studies.releasing.tables import Table
from crowdloom.studies.releasing.versions import Version
from crowdloom.studies.releasing.writings import write_writings
from crowdloom.studies.tables import Posting, Response, Submission
from crowdloom.tasks import TASKS

Progress = Callable[[int, int], None]
"""Called with how many answers and pictures are done and how many there are."""


@dataclass(frozen=True)
class Content:
    """What a study has to be released, before it is read through."""

    answers: Answers
    passes: list[Pass]
    pictures: list[Picture]
    counts: Counts
    first_answers: int
    """Of the responses; the others are repeats."""


@dataclass(frozen=True)
class Built:
    """A release that stands in its folder."""

    sha256: str
    """Of the content."""
    manifest: dict[str, Any]
    about: Description


def read_content(connection: Connection, study: str, options: Options) -> Content:
    """What there is. Raises StudyError for an unknown study, and where nobody has answered anything."""
    answers = find_answers(connection, study, "all", options.design)
    passes = read_passes(connection, answers)
    responses, first_answers = connection.execute(
        select(func.count(), func.count().filter(Response.repeat_index == 0))
        .select_from(Response)
        .join(Submission, Submission.id == Response.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Posting.design_id.in_(answers.designs), Submission.batch_id.is_not(None))
    ).one()
    if not responses:
        raise StudyError(f"{study} has no answers yet, so there is nothing to release")
    counts = count_all(connection, answers, passes, responses)
    return Content(answers, passes, read_pictures(connection, answers), counts, first_answers)


def build(
    store: Store, connection: Connection, content: Content, version: Version, release: Path, progress: Progress
) -> Built:
    """Write a version into an empty folder. Raises StudyError, StoreError or OSError."""
    answers, options, passes = content.answers, version.options, content.passes
    names, scrubber = Pseudonyms(version.key), read_scrubber(connection, answers.study)
    step = _Steps(progress, content, options)
    responses = write_responses(connection, answers, passes, names, release, step)
    tables: Sequence[Table | None] = (
        responses,
        write_submissions(answers, passes, names, scrubber, release, free_text=options.free_text),
        write_items(connection, answers, options, release),
        write_pictures(store, content.pictures, release, include=options.images == "include", progress=step)
        if content.pictures
        else None,
        write_debrief(
            connection, answers, passes, names, scrubber, release, free_text=options.free_text, kind=BACKGROUND
        ),
        write_debrief(connection, answers, passes, names, scrubber, release, free_text=options.free_text),
        write_questionnaires(connection, answers, options, names, release),
        *write_sessions(connection, answers, passes, names, scrubber, release, free_text=options.free_text),
        *write_writings(connection, answers, passes, names, release),
    )
    written = [table for table in tables if table is not None]
    labels = write_label_sets(connection, answers, options, names, release)
    said = study_file.describe_study(
        connection,
        answers,
        options,
        version=version.number,
        day=version.created_at.date(),
        counts=content.counts,
        tables=written,
        labels=labels.settings,
    )
    text = json.dumps(said.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    (release / study_file.NAME).write_text(text, encoding="utf-8")
    digests = sums.digest_files(release)
    newest = said.designs[-1].values
    about = Description(
        study=answers.study,
        version=version.number,
        day=version.created_at.date(),
        options=options,
        title=newest["title"],
        task=answers.task,
        asks=TASKS[answers.task].summary.rstrip("."),
        classes=answers.classes,
        instructions=newest["instructions"],
        counts=content.counts,
        first_answers=content.first_answers,
        simulated=sum(one.simulated for one in passes),
        items=next(table.rows for table in written if table.stem == "items"),
        tables=written,
        labels=labels,
        picture_types=sorted({one.media_type for one in content.pictures}) if options.images == "include" else (),
        digests=digests,
    )
    _write_documents(about, release)
    chosen = sums.content_of(digests)
    manifest = {"counts": content.counts._asdict(), "content": chosen, "files": sums.write_sums(release, digests)}
    return Built(sums.content_sha256(chosen), manifest, about)


def _write_documents(about: Description, release: Path) -> None:
    codebook.write_codebook(about, release)
    for name, text in (
        (card.NAME, card.data_card(about)),
        (croissant.NAME, croissant.croissant(about)),
        (citation.NAME, citation.citation_cff(about)),
        ("LICENSE", licence_text(about.options.terms, citation.title(about))),
    ):
        (release / name).write_text(text, encoding="utf-8")


class _Steps:
    """Adds up what is done."""

    def __init__(self, progress: Progress, content: Content, options: Options) -> None:
        files = len({one.sha256 for one in content.pictures}) if options.images == "include" else 0
        self._progress, self._done, self._all = progress, 0, content.counts.responses + files

    def __call__(self, number: int) -> None:
        self._done += number
        self._progress(self._done, self._all)
