"""Import a raw jsPsych (or Pavlovia) export: read it, understand it, store it in one transaction."""

from __future__ import annotations

from pathlib import Path

from crowdloom.studies.database import Store
from crowdloom.studies.importing.answers import load_mapping
from crowdloom.studies.importing.raw import read_csv
from crowdloom.studies.importing.report import Double, Report
from crowdloom.studies.importing.screens import Answered, Pass
from crowdloom.studies.importing.storing import put
from crowdloom.studies.importing.study import ImportedStudy, understand


def import_jspsych(
    store: Store,
    path: Path,
    *,
    task: str,
    study: str,
    mapping: str | Path | None = None,
    keep_doubles: bool = False,
) -> Report:
    """Read a CSV export into the same tables as our own pages write, and say what became of every row.

    `mapping` is a file, or the name of a mapping that comes with the program (`answers.shipped`).

    A session that stands in the file twice is stored once, unless `keep_doubles` makes the copy a
    submission of its own. Sessions that the store has are passed over, so that a second import adds
    nothing. A further file may add participants to the batches that are there; anything else that
    differs is refused. Times: the file has no clock, so rows carry the time of the import, rising in
    the file's order, and `timing` the milliseconds since the session began.

    Raises OptionError, ImportFileError, StudyError or StoreError, and then nothing is stored.
    """
    rules, text, name = load_mapping(mapping, task)
    raw = read_csv(path, rules, name)
    imported = understand(raw, rules, task, study, path)
    with store.write() as connection:
        stored, participants = put(connection, imported, rules, text, keep_doubles=keep_doubles)
    report = _report(imported, stored, keep_doubles)
    report.participants = participants
    return report


def _report(imported: ImportedStudy, stored: list[Pass], keep_doubles: bool) -> Report:
    report = Report(imported.raw.name, imported.design.name, len(imported.raw.rows), keep_doubles=keep_doubles)
    report.submissions = len(stored)
    added = {id(passed.session) for passed in stored}
    for passed in stored:
        for screen in passed.screens:
            if isinstance(screen, Answered):
                report.repeats += screen.repeat_index > 0
                report.first += screen.repeat_index == 0
                report.corrected.update(f"{c.key} {c.value!r} becomes {c.becomes!r}: {c.reason}"
                                        for c in screen.reading.corrections)  # fmt: skip
                report.contradictory.update(screen.reading.contradictions)
            elif screen.refused:
                report.refused.append((screen.line, screen.refused))
            else:
                report.events += 1
        if not imported.is_complete(passed):
            report.incomplete.append(_lines(passed))
    report.refused.sort()
    seen: set[str] = set()
    for passed in imported.originals:
        if id(passed.session) not in added:
            report.known += len(passed.session.rows)
        elif passed.session.participant in seen:
            report.again.append(_lines(passed))
        seen.add(passed.session.participant)
    for copy in imported.copies:
        original = next(passed for passed in imported.originals if passed.session is copy.session.original)
        lines = (original.session.rows[0].line, original.session.rows[len(copy.session.rows) - 1].line)
        rows = len(copy.session.rows)
        report.doubles.append(Double(_lines(copy), lines, rows, copy.answers_shown.total()))
        if id(copy.session) not in added:
            report.known += rows if keep_doubles else 0
            report.doubled += 0 if keep_doubles else rows
    return report


def _lines(passed: Pass) -> tuple[int, int]:
    rows = passed.session.rows
    return rows[0].line, rows[-1].line
