"""The tables of sessions in a latent space in a release: their columns with what they mean, and the rows of a record.

They hold all that a record has, so that the same answers can be made of them again; see `tasks.latent_rows`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crowdloom.studies.releasing.record_tables import RecordTable
from crowdloom.studies.releasing.tables import Column
from crowdloom.studies.session_records import REPLACED
from crowdloom.tasks.latent_records import SessionRecord
from crowdloom.tasks.latent_rows import STAGES, class_rows, curve_rows, interaction_rows, movement_rows, session_row

_INTERACTION = Column("interaction", "whole", "which interaction of the session, from 1")
_CLASS = Column("class", "text", "the class", listed=False)
WORDS = Column(
    "words",
    "text",
    "what the participant wrote about their strategy, without e-mail addresses and ids",
    listed=False,
)
"""Only in releases with free text."""
CATEGORY = Column("category", "text", "the category into which researchers put the interaction")
"""Only where some interaction has one."""

STEM = "sessions"
CURVES, INTERACTIONS, CLASSES, MOVEMENTS = (
    f"session_{name}" for name in ("curves", "interactions", "classes", "movements")
)
TABLES: Mapping[str, RecordTable[SessionRecord]] = {
    STEM: RecordTable(
        "one row for each session, a participant's pass through a scenario",
        (
            Column("scenario", "text", "what the network learned: a data set with a network"),
            Column("seed", "whole", "of the training after the pretraining, with and without a person"),
            Column("points", "whole", "training examples that were shown"),
            Column("scale", "text", "how the picture is scaled", values="learned, as-published"),
            Column("pretraining", "whole", "epochs before the first interaction"),
            Column("epochs", "whole", "epochs in all"),
            Column("interactions", "whole", "interactions, with those that ran out of time"),
            Column("classes", "texts", "the scenario's classes in its own order", listed=False),
            Column(
                REPLACED, "truth", "whether the page sent something else than the server had, which then stands here"
            ),
        ),
        lambda record: [session_row(record)],
    ),
    CURVES: RecordTable(
        "one row for each epoch of each session, measured on the validation examples",
        (
            Column("epoch", "whole", "which epoch, from 1"),
            Column("accuracy", "number", "the accuracy, 0-1"),
            Column("macro_f1", "number", "the macro-F1, 0-1"),
        ),
        curve_rows,
    ),
    INTERACTIONS: RecordTable(
        "one row for each interaction: an arrangement of the points, and the training towards it",
        (
            _INTERACTION,
            Column("epoch", "whole", "how many epochs the network had when the points were shown"),
            Column("epochs", "whole", "how many epochs were trained then"),
            Column("alpha", "number", "the share of the person in the loss, 0-1"),
            Column("seconds", "number", "from the arrangement shown to the click on train", unit="s"),
            Column("without_person", "truth", "whether the time was over, so that nobody arranged anything"),
            Column("movements", "whole", "how many movements, undone ones included"),
            Column("wrong_before", "whole", "points shown that the network took for another class, before"),
            Column("wrong_after", "whole", "points shown that the network took for another class, after"),
            Column("accuracy_before", "number", "the validation accuracy before, 0-1"),
            Column("accuracy_after", "number", "the validation accuracy after, 0-1"),
        ),
        interaction_rows,
    ),
    CLASSES: RecordTable(
        "one row for each class in each of the three arrangements of an interaction; coordinates have no unit",
        (
            _INTERACTION,
            Column(
                "stage",
                "text",
                "as shown (before), as the person put it (intended), as it was after the training (after)",
                values=", ".join(STAGES),
            ),
            _CLASS,
            Column("x", "number", "the mean of its points; empty where none is shown"),
            Column("y", "number", "the mean of its points; empty where none is shown"),
            Column("spread", "number", "the mean distance of its points to their mean"),
            Column("accuracy", "number", "the class's validation accuracy, 0-1; empty for what was intended"),
        ),
        class_rows,
    ),
    MOVEMENTS: RecordTable(
        "one row for each thing that a participant did to an arrangement, undone ones included",
        (
            _INTERACTION,
            Column("movement", "whole", "which movement of the interaction, from 1"),
            Column("at_ms", "number", "when, since the arrangement was shown, by the browser's clock", unit="ms"),
            Column("kind", "text", "what was done"),
            replace(_CLASS, meaning="the class that was moved; empty where it was points of several"),
            Column("point", "whole", "the number of the point, from 0, where it was one"),
            Column("points", "whole", "how many points moved"),
            Column("dx", "number", "how far they moved along x"),
            Column("dy", "number", "how far they moved along y"),
            Column("factor", "number", "what their distances from the centre were multiplied by"),
        ),
        movement_rows,
    ),
}
