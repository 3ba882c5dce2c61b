"""The record of a session as rows of tables, and back: one for the session, one for each epoch, and so on.

Classes stand there by their names, and None is what is not there. With C classes:

    session       scenario, seed, points, scale, pretraining, epochs (of the curve), interactions, classes
    curves        epoch (1 is the first), accuracy, macro_f1
    interactions  interaction (numbered from 1), epoch, epochs, alpha, seconds, without_person, movements (how many),
                  wrong_before, wrong_after, accuracy_before, accuracy_after (from the curve)
    classes       3 C for each interaction: interaction, stage, class, x, y (its centre), spread, accuracy (of the
                  class; None for what was intended)
    movements     interaction, movement (numbered from 1), and the fields of a `Movement`, with `class` for `label`
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crowdloom.tasks.latent_records import Interaction, SessionRecord, Shape

STAGES = ("before", "intended", "after")

Row = dict[str, Any]

_ALIKE = ("epoch", "epochs", "alpha", "seconds", "without_person", "wrong_before", "wrong_after")
_OF_SESSION = ("scenario", "seed", "points", "scale", "pretraining")
_OF_EPOCH = ("epoch", "accuracy", "macro_f1")
_OF_MOVEMENT = ("at_ms", "kind", "point", "points", "dx", "dy", "factor")


def stages(one: Interaction) -> list[tuple[str, Shape]]:
    """The three shapes of an interaction by their stage."""
    return list(zip(STAGES, (one.before, one.intended, one.after), strict=True))


def session_row(record: SessionRecord) -> Row:
    """The row of the session itself."""
    counts = {"epochs": len(record.curve), "interactions": len(record.interactions), "classes": list(record.classes)}
    return {name: getattr(record, name) for name in _OF_SESSION} | counts


def curve_rows(record: SessionRecord) -> Iterator[Row]:
    """A row for each epoch."""
    for one in record.curve:
        yield {name: getattr(one, name) for name in _OF_EPOCH}


def interaction_rows(record: SessionRecord) -> Iterator[Row]:
    """A row for each interaction."""
    for one in record.interactions:
        yield {
            "interaction": one.number,
            **{name: getattr(one, name) for name in _ALIKE},
            "movements": len(one.movements),
            "accuracy_before": record.curve[one.epoch - 1].accuracy,
            "accuracy_after": record.curve[one.epoch + one.epochs - 1].accuracy,
        }


def class_rows(record: SessionRecord) -> Iterator[Row]:
    """A row for each stage and class of each interaction."""
    nothing: list[float | None] = [None] * len(record.classes)
    for one in record.interactions:
        accuracies = (one.class_accuracy_before, nothing, one.class_accuracy_after)
        for (stage, shape), accuracy in zip(stages(one), accuracies, strict=True):
            for number, name in enumerate(record.classes):
                x, y = shape.centres[number] or (None, None)
                yield {
                    "interaction": one.number,
                    "stage": stage,
                    "class": name,
                    "x": x,
                    "y": y,
                    "spread": shape.spreads[number],
                    "accuracy": accuracy[number],
                }


def movement_rows(record: SessionRecord) -> Iterator[Row]:
    """A row for each movement, in the order in which they were made."""
    for one in record.interactions:
        for number, movement in enumerate(one.movements, 1):
            yield {
                "interaction": one.number,
                "movement": number,
                **{name: getattr(movement, name) for name in _OF_MOVEMENT},
                "class": None if movement.label is None else record.classes[movement.label],
            }


def record_of_rows(
    session: Mapping[str, Any],
    curve: Sequence[Mapping[str, Any]],
    interactions: Sequence[Mapping[str, Any]],
    classes: Sequence[Mapping[str, Any]],
    movements: Sequence[Mapping[str, Any]],
) -> SessionRecord:
    """The record that these rows are of, in whatever order each table has them; other columns are passed over.

    Raises ValueError where they are of none (pydantic's ValidationError is one), KeyError for a column or class that
    is not there.
    """
    names: list[str] = list(session["classes"])
    position = {name: number for number, name in enumerate(names)}
    places: dict[int, dict[tuple[str, str], Mapping[str, Any]]] = defaultdict(dict)
    for row in classes:
        places[row["interaction"]][row["stage"], row["class"]] = row
    moves: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(movements, key=lambda row: (row["interaction"], row["movement"])):
        moves[row["interaction"]].append(row)
    found = []
    for row in sorted(interactions, key=lambda row: row["interaction"]):
        number = row["interaction"]
        if len(moves[number]) != row["movements"]:
            raise ValueError(f"interaction {number} has {len(moves[number])} movements and not {row['movements']}")
        by_stage = {stage: [places[number][stage, name] for name in names] for stage in STAGES}
        found.append(
            {name: row[name] for name in _ALIKE}
            | {"number": number}
            | {stage: _shape(rows) for stage, rows in by_stage.items()}
            | {f"class_accuracy_{stage}": [one["accuracy"] for one in by_stage[stage]] for stage in ("before", "after")}
            | {
                "movements": [
                    {name: move[name] for name in _OF_MOVEMENT}
                    | {"label": None if move["class"] is None else position[move["class"]]}
                    for move in moves[number]
                ]
            }
        )
    return SessionRecord.model_validate(
        {name: session[name] for name in _OF_SESSION}
        | {
            "classes": names,
            "curve": [{name: row[name] for name in _OF_EPOCH} for row in sorted(curve, key=lambda row: row["epoch"])],
            "interactions": found,
        }
    )


def _shape(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "centres": [None if row["x"] is None else (row["x"], row["y"]) for row in rows],
        "spreads": [row["spread"] for row in rows],
    }
