"""The steps of a session that take milliseconds: they read and write its folder and never load PyTorch."""

from __future__ import annotations

from crowdloom.models.latent_items import item as item_of
from crowdloom.models.latent_items import preparation
from crowdloom.models.latent_refusals import of_the_scenario
from crowdloom.models.latent_session_files import (
    asked_trial,
    begun,
    check_movements,
    check_points,
    session_folder,
    state_of,
    wrong_number,
)
from crowdloom.models.live import Context, Refused
from crowdloom.tasks.latent_records import (
    MOST_MOVEMENTS,
    Draft,
    Found,
    ItemInput,
    ItemPicture,
    KeepInput,
    Kept,
    Nothing,
    SessionState,
)

LOOK_S = 1.0
"""How long giving up waits for others, who perhaps only look how the session stands."""


def state(given: Nothing, context: Context) -> Found:
    """The session as it stands; None where there is none. Raises Refused where its files are damaged."""
    _, options, _ = asked_trial(context)
    folder = session_folder(context)
    session = folder.read()
    return Found(state=session and state_of(folder, session, options.minutes))


def keep(given: KeepInput, context: Context) -> Kept:
    """Keep an arrangement that is not trained yet, and the movements that led to it.

    Where movements are missing between those that were kept and `first`, nothing is kept and the page learns from the
    answer where to go on. Raises Refused for another interaction, number of points or class than are there.
    """
    folder = session_folder(context)
    now = begun(folder).state
    if given.number != now.number or now.number > now.interactions:
        raise wrong_number(given.number, now)
    check_points(len(given.x), now)
    check_movements(given.movements, now)
    draft = folder.read_draft(now.number)
    kept = draft.movements if draft else []
    if given.first > len(kept):
        return Kept(movements=len(kept))
    movements = kept[: given.first] + given.movements
    if len(movements) > MOST_MOVEMENTS:
        raise Refused(f"There are more than {MOST_MOVEMENTS:,} movements in this interaction; train now.")
    folder.write_draft(now.number, Draft(x=given.x, y=given.y, alpha=given.alpha, movements=movements))
    return Kept(movements=len(movements))


def discard(given: Nothing, context: Context) -> SessionState:
    """Give up a paused training: the network is as before it, and the arrangement stays.

    Without one, nothing changes. Raises Refused while it is trained.
    """
    _, options, _ = asked_trial(context)
    folder = session_folder(context)
    session = begun(folder)
    with folder.held(LOOK_S):
        folder.drop_plan()
    return state_of(folder, session, options.minutes)


def item(given: ItemInput, context: Context) -> ItemPicture:
    """The training example behind a point. Raises Refused where there is no such point, or the scenario is gone."""
    folder = session_folder(context)
    session = begun(folder)
    examples = folder.read_shown(len(session.state.x))
    if given.point >= len(examples):
        raise Refused(f"There is no point {given.point}; the {len(examples):,} points are counted from 0.")
    with of_the_scenario():
        return item_of(preparation(session.state.scenario, session.preparation), int(examples[given.point]))
