"""The tables of writings of the task `coach` in a release: their columns with what they mean, and the rows of a record.

They hold all that a record has, so that the same answers can be made of them again; see `tasks.coach_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping

from crowdloom.studies.releasing.record_tables import RecordTable
from crowdloom.studies.releasing.tables import Column
from crowdloom.studies.session_records import REPLACED
from crowdloom.tasks.coach_records import Writing
from crowdloom.tasks.coach_rows import attempt_rows, writing_row

_ATTEMPT = Column("attempt", "whole", "1 for the first attempt, 2 for the second")
_PICTURE = "28 x 28 pixels by rows, 0 no ink to 255 full ink, in base64"

STEM = "writings"
ATTEMPTS = "writing_attempts"
TABLES: Mapping[str, RecordTable[Writing]] = {
    STEM: RecordTable(
        "one row for each trial: somebody wrote, was read, was coached or not, and wrote again",
        (
            Column("asked", "text", "the class that was to be written", listed=False),
            Column("coached", "truth", "whether something better was proposed after the first attempt"),
            Column("coach", "text", "the coach, a colon, and the digest of its preparation", listed=False),
            Column("looks", "whole", "how often the page had an unfinished drawing read"),
            Column("attempts", "whole", "how many attempts"),
            Column(
                REPLACED, "truth", "whether the page sent something else than the server had, which then stands here"
            ),
        ),
        lambda record: [writing_row(record)],
    ),
    ATTEMPTS: RecordTable(
        "one row for each attempt: a drawing, how it was read, and what was then proposed",
        (
            _ATTEMPT,
            Column("device", "text", "what it was written with, last", values="mouse, pen, touch, keyboard (chosen)"),
            Column("given", "whole", "which of the given drawings was chosen, from 0; empty for one that was written"),
            Column("seconds", "number", "from the canvas shown to done, by the browser's clock", unit="s"),
            Column("undone", "whole", "strokes that were taken back"),
            Column(
                "strokes",
                "json",
                "the strokes, each a list of points [x, y, t]: x and y in canvas widths from the upper left corner, "
                "0-1; t in milliseconds since the canvas was shown, by the browser's clock",
                listed=False,
            ),
            Column("read", "text", "the class that was read", listed=False),
            Column("picture", "text", f"what the recogniser was given: {_PICTURE}", listed=False),
            Column("probabilities", "numbers", "of each class, in the order of the classes in release.json, 0-1"),
            Column("proposal_read", "text", "how the proposal would be read; empty without one", listed=False),
            Column("proposal_picture", "text", f"what was proposed: {_PICTURE}; empty without one", listed=False),
            Column("proposal_probabilities", "numbers", "as probabilities, of the proposal; empty without one"),
            Column("words", "text", "what the coach said; empty without a proposal", listed=False),
        ),
        attempt_rows,
    ),
}
