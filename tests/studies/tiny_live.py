"""A tiny live task for the tests: one inline step, and worker steps that go well or badly.

Importable by worker and server processes (`live_processes`); it loads little, as a step's module should.
"""

from __future__ import annotations

import os
import random
import signal
import time

from pydantic import BaseModel, Field

from crowdloom.analysis.files import whole_file
from crowdloom.models.live import IMPLEMENTATIONS, Context, Refused
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Call, LiveStep, Person, Trial
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


class Seen(BaseModel):
    """The output of `see` and `look`: what they know of the trial."""

    trial_id: str | None
    seed: str | None
    image: str | None
    options: str | None


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
        with whole_file(checkpoint) as part:  # its process may be killed at any time
            part.write_text(str(number + 1))
    checkpoint.unlink()
    return Counted(to=given.to, resumed_at=first, pid=os.getpid(), submission=context.submission)


def see(pair: Pair, context: Context) -> Seen:
    """Inline: the trial whose page asks."""
    trial = context.trial
    return Seen(
        trial_id=context.trial_id,
        seed=trial and trial.seed,
        image=trial and trial.image,
        options=trial and type(trial.options).__name__,
    )


def look(given: Count, context: Context) -> Seen:
    """The same in a worker, in so many seconds."""
    time.sleep(given.seconds_each)
    return see(Pair(left=0, right=0), context)


def deaf(given: Count, context: Context) -> Counted:
    """Hear neither limit nor cancellation."""
    context.progress(0.1, "deaf from now on")
    time.sleep(60)
    return Counted(to=given.to)


def refuse(given: Count, context: Context) -> Counted:
    """Refuse the input, for a reason that is the researcher's."""
    raise Refused("There are no such classes in this study.") from OSError("the classes' file is gone")


def fail(given: Count, context: Context) -> Counted:
    """Have a bug."""
    raise KeyError("a secret of the worker")


def die(given: Count, context: Context) -> Counted:
    """Bring down the process, as running out of memory does."""
    os.kill(os.getpid(), signal.SIGKILL)
    return Counted(to=given.to)


def hoard(given: Count, context: Context) -> Counted:
    """Take 10 MiB for each number, and keep them for as long as the step runs."""
    hoarded = []
    for number in range(given.to):
        hoarded.append(b"1" * (10 * 2**20))
        context.progress(number / given.to, f"{10 * number} MiB")
        time.sleep(given.seconds_each)
    return Counted(to=len(hoarded), pid=os.getpid())


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
        "hoard": LiveStep(Count, Counted, 20, "worker", memory_mib=400),
        "see": LiveStep(Pair, Seen, 2, unrecorded=("left", "output")),
        "look": LiveStep(Count, Seen, 20, "worker"),
    }

    def simulate_live(self, call: Call, person: Person, trial: Trial, rng: random.Random) -> dict[str, list[str]]:
        """Name the first class of the page, as probable as a sum and a count say, if the steps know the trial."""
        total = call("add", {"left": 20, "right": 30})["total"]
        counted = call("count", {"to": 10})["to"]
        assert call("look", {"to": 1})["seed"] == trial.seed
        self.went_through += 1
        return {
            "top1": [trial.class_order[0]],
            "top1_probability": [f"{total + counted:g}"],
            "top2": ["no-alternative"],
        }

    went_through = 0
    """How many trials were gone through so."""


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
