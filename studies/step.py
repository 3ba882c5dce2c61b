"""Running one live step, wherever that is: in the web process, or in a worker's own process.

No database here: a step gets plain values and gives plain values.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from crowdloom.models.live import Cancelled, Context, Refused, implementation
from crowdloom.tasks.protocol import LiveStep, Trial


@dataclass(frozen=True)
class Order:
    """A step to run: `target` is "module:function", `values` the input as JSON values."""

    target: str
    step: LiveStep
    values: dict[str, Any]
    folder: Path
    submission: str | None = None
    condition: str | None = None
    trial: Trial | None = None
    trial_id: str | None = None
    asked_at: float | None = None


@dataclass(frozen=True)
class News:
    """What becomes of a step: it began, it is so far, it ended, or (the last four) its worker ended it.

    `text` is a progress message, a sentence for the participant, or the traceback of a failure; `detail` is for the
    researcher's log, such as the traceback of the error for which a step refused.
    """

    kind: Literal[
        "started",
        "progress",
        "done",
        "refused",
        "failed",
        "cancelled",
        "died",
        "overmemory",
        "overtime",
        "given back",
        "lost",
    ]
    fraction: float = 0.0
    text: str = ""
    output: dict[str, Any] | None = None
    detail: str = ""


def run(order: Order, report: Callable[[float, str], None], stopped: Callable[[], bool]) -> News:
    """Run a step and say how it ended; nothing that it raises gets out."""
    try:
        given = order.step.input.model_validate(order.values)
        context = Context(
            order.folder,
            order.submission,
            order.condition,
            order.trial,
            order.trial_id,
            order.asked_at,
            report=report,
            stopped=stopped,
        )
        output = implementation(order.target)(given, context)
        return News("done", output=as_json(order.step.output.model_validate(output)))
    except Cancelled:
        return News("cancelled")
    except Refused as error:
        detail = "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else ""
        return News("refused", text=plain(str(error)), detail=detail)
    except Exception:  # noqa: BLE001 - whatever an implementation does wrong is reported, never lost
        return News("failed", text=traceback.format_exc())


def as_json(model: BaseModel) -> dict[str, Any]:
    """A model as JSON values. Raises ValueError for an infinite number or NaN, which JSON does not have."""
    values = model.model_dump(mode="json")
    json.dumps(values, allow_nan=False)
    return values


def plain(text: str, longest: int = 300) -> str:
    """A text that every database can keep: shortened, without NUL and lone surrogates."""
    return text[:longest].replace("\0", "").encode("utf-8", "replace").decode()
