"""Live steps: which function answers which step of which task, and what it is handed.

An implementation is a function `step(input, context) -> output` of the pydantic models that the task
declares (`crowdloom.tasks.protocol.LiveStep`). It raises `Refused` with one clear sentence for input
that it must refuse; the participant reads that sentence, and the log has the error that it was raised from, if any.
Anything else that it raises is a bug: the participant reads only that it did not work, and the log has the traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from crowdloom.tasks.protocol import Trial

IMPLEMENTATIONS: dict[tuple[str, str], str] = {
    ("latent-session", "state"): "crowdloom.models.latent_steps:state",
    ("latent-session", "open"): "crowdloom.models.latent_session:begin",
    ("latent-session", "keep"): "crowdloom.models.latent_steps:keep",
    ("latent-session", "train"): "crowdloom.models.latent_session:train",
    ("latent-session", "discard"): "crowdloom.models.latent_steps:discard",
    ("latent-session", "item"): "crowdloom.models.latent_steps:item",
    ("coach", "state"): "crowdloom.models.coach_steps:state",
    ("coach", "open"): "crowdloom.models.coach_opening:begin",
    ("coach", "given"): "crowdloom.models.coach_steps:given",
    ("coach", "read"): "crowdloom.models.coach_steps:read",
}
"""(task, step) -> "module:function". Names, not functions: a module is imported when its step first runs,
so that the pages and the command line never load what only a worker needs."""


class Cancelled(Exception):  # noqa: N818 - no error, an end that was asked for
    """Raised inside a step by `Context.progress` when nobody waits for its output any more."""


class Refused(ValueError):  # noqa: N818 - reads as what happened
    """Raised by a step that cannot use its input; the message is one sentence for the participant."""


def _nobody_listens(fraction: float, message: str) -> None:
    pass


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Context:
    """What a step is handed beside its input.

    `submission` is the pseudonym of the submission that asked, `condition` its arm; both are None for
    work that belongs to none. `trial` is the trial whose page asked, with the study's options, and `trial_id` what its
    form carries; None where the page named none. `asked_at` is when a worker's step was asked for, in seconds since
    1970; None for a step that nobody had to wait for.

    >>> Context(Path(".")).progress(0.5, "half-way")
    """

    folder: Path
    submission: str | None = None
    condition: str | None = None
    trial: Trial | None = None
    trial_id: str | None = None
    asked_at: float | None = None
    report: Callable[[float, str], None] = field(default=_nobody_listens, repr=False)
    stopped: Callable[[], bool] = field(default=_never, repr=False)

    @property
    def scratch(self) -> Path:
        """A folder of that submission alone, made when it is first asked for.

        It stays between the steps and attempts of a submission that is under way: a checkpoint written
        there lets a step that died with its worker go on where it stopped.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    @property
    def cancelled(self) -> bool:
        """Whether the step should end now: the participant cancelled it, or its time is over."""
        return self.stopped()

    def check(self) -> None:
        """Raises Cancelled where the step should end; for work that has no progress of its own to tell."""
        if self.stopped():
            raise Cancelled

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far the step is (0 to 1) and in a few words what it does.

        Call it often, it costs little. Raises Cancelled where the step should end.
        """
        self.check()
        self.report(min(max(float(fraction), 0.0), 1.0), message)


def implementation(target: str) -> Callable[[Any, Context], BaseModel]:
    """The function that "module:function" names, imported now.

    >>> implementation("crowdloom.models.live:implementation") is implementation
    True
    """
    module, _, name = target.partition(":")
    function: Callable[[Any, Context], BaseModel] = getattr(import_module(module), name)
    return function
