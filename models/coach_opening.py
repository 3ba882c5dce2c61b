"""The step of a coached trial that a worker runs: the coach is prepared, where that takes only seconds."""

from __future__ import annotations

from crowdloom.models.coach_preparing import ready_coach
from crowdloom.models.coach_steps import asked_trial, of_the_coach, state
from crowdloom.models.live import Context
from crowdloom.tasks.coach_records import Nothing, State


def begin(given: Nothing, context: Context) -> State:
    """Prepare the coach, if it was not before, and say how the trial stands.

    Cancelled or killed, the next call goes on after the last whole epoch. Raises Refused for a coach that has to be
    prepared by its command, and as `coach_steps.state`.
    """
    _, options = asked_trial(context)
    with of_the_coach():
        ready_coach(options.coach, context.progress)
    return state(given, context)
