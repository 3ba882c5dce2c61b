"""A tiny live task for the tests: one inline step, and worker steps that go well or badly.

Importable by worker and server processes (`live_processes`); it loads little, as a step's module should.
"""

from __future__ import annotations

import os
import signal
import time

from pydantic import BaseModel, Field

from crowdloom.models.live import IMPLEMENTATIONS, Context, Refused
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import LiveStep
from crowdloom.tasks.soft_label import SoftLabel


class Pair(BaseModel):
    """The input of `add`."""

    left: float = Field(ge=0)
    right: float = Field(ge=0)


class Sum(BaseModel):
    """The output of `add`."""

    total: float


class Count(BaseModel):
    """The input of the worker steps."""

    to: int = Field(ge=1, le=1000)
    seconds_each: float = 0.0


class Counted(BaseModel):
    """The output of the worker steps."""

    to: int | float
    resumed_at: int = 0
    pid: int = 0
    submission: str | None = None


def add(pair: Pair, context: Context) -> Sum:
    """Inline: a sum; 13 is refused, 99 hangs for longer than the limit, 98 fails."""
    if pair.left == 13:
        raise Refused("Thirteen is not added here.")
    if pair.left == 98:
        raise RuntimeError("a secret of the server")
    for _ in range(300 if pair.left == 99 else 0):
        time.sleep(0.01)
        context.progress(0.5)
    return Sum(total=pair.left + pair.right)


def count(given: Count, context: Context) -> Counted:
    """Count, with a checkpoint after each number, from which another worker goes on."""
    checkpoint = context.scratch / "count.txt"
    first = int(checkpoint.read_text()) if checkpoint.exists() else 0
    for number in range(first, given.to):
        context.progress(number / given.to, f"counted to {number}")
        time.sleep(given.seconds_each)
        checkpoint.write_text(str(number + 1))
    checkpoint.unlink()
    return Counted(to=given.to, resumed_at=first, pid=os.getpid(), submission=context.submission)


def deaf(given: Count, context: Context) -> Counted:
    """Hear neither limit nor cancellation."""
    context.progress(0.1, "deaf from now on")
    time.sleep(60)
    return Counted(to=given.to)


def refuse(given: Count, context: Context) -> Counted:
    """Refuse the input."""
    raise Refused("There are no such classes in this study.")


def fail(given: Count, context: Context) -> Counted:
    """Have a bug."""
    raise KeyError("a secret of the worker")


def die(given: Count, context: Context) -> Counted:
    """Bring down the process, as running out of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)
    return Counted(to=given.to)


def diverge(given: Count, context: Context) -> Counted:
    """Return what JSON cannot say."""
    return Counted(to=float("nan"))


class TinyLive(SoftLabel):
    """The task `tiny-live`: a soft label with live steps."""

    name = "tiny-live"
    live_steps = {
        "add": LiveStep(Pair, Sum, 0.5),
        **{name: LiveStep(Count, Counted, 20, "worker") for name in ("count", "refuse", "fail", "die", "diverge")},
        "deaf": LiveStep(Count, Counted, 0.5, "worker"),
    }


def register() -> None:
    """Make the task and its implementations known in this process."""
    TASKS["tiny-live"] = TinyLive()
    for step in TinyLive.live_steps:
        IMPLEMENTATIONS["tiny-live", step] = f"tiny_live:{step}"


def unregister() -> None:
    """Forget the task again."""
    del TASKS["tiny-live"]
    for step in TinyLive.live_steps:
        del IMPLEMENTATIONS["tiny-live", step]
