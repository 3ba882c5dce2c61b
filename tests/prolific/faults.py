"""Faults on purpose: of which operation, of which kind, how often."""

from __future__ import annotations

from tests.prolific.state import RefusedError, State

BEFORE = ("500", "drop", "hang", "throttle", "lost-submit")
"""Before any effect: a failure, no answer, none for a long time, a refusal as one too many; `lost-submit` is for
`complete`."""
AFTER = ("effect-then-500", "effect-then-drop", "effect-then-hang", "effect-then-torn")
"""After the effect: a failure, no answer, none for a long time (in which who asked can be killed), half an answer."""


def add_fault(state: State, operation: str, kind: str, times: int) -> None:
    """Let the next `times` calls of an operation (its id in the description, or `complete`) go wrong."""
    if kind not in (*BEFORE, *AFTER):
        raise RefusedError(400, 1, f"there is no fault {kind}; there are: {', '.join((*BEFORE, *AFTER))}")
    state.put("fault", {"operation": operation, "kind": kind, "times": times})


def take_fault(state: State, operation: str, kinds: tuple[str, ...]) -> str | None:
    """The oldest fault of these kinds that is still to come, which is then one less."""
    for fault in state.all("fault", operation=operation):
        if fault["kind"] in kinds and fault["times"] > 0:
            state.put("fault", {**fault, "times": fault["times"] - 1})
            return str(fault["kind"])
    return None
