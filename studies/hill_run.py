"""A whole study of HILL with simulated people: its networks prepared, its sessions trained, its analysis written.

`crowdloom hill demo` and `crowdloom hill simulate` are this, with a design of their own each.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import OptionError
from crowdloom.studies.tables import Item, Response, Study, Submission
from crowdloom.studies.whole_run import ANALYSIS, DATABASE, Say, WholeRun, take_part
from crowdloom.tasks.latent_session import SAID

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class HillRun(WholeRun):
    """What a run made, and where."""

    strategies: pd.DataFrame
    """What sessions gained, by the strategy of their participant; see `analysis.latent_strategy_gains`."""


def run_study(
    folder: Path, design: DesignModel, source: str, *, people: int, seed: int = 0, say: Say, show: Say
) -> HillRun:
    """Run the study of a design in a folder, in a database of its own there.

    `say` is told each step in a sentence, `show` what is being done within it. Raises OptionError where a scenario
    cannot be had, and as `rehearse`.
    """
    for name in design.items.names or ():
        say(f"Preparing {name}: its network learns alone at first, which is kept for the next time.")
        _prepare(name, show)
    with closing(open_store(str(folder / DATABASE))) as store:
        say(f"Simulated people take part over HTTP, {people} of them, and workers train for them.")
        rehearsal = take_part(store, design, source, folder, people=people, seed=seed, show=show)
        say("The same trainings are done without a person, and the analysis is written.")
        return HillRun(folder, rehearsal, *_analyse(store, design.name, folder / ANALYSIS, show))


def _prepare(name: str, show: Say) -> None:
    from crowdloom.models.errors import ModelError
    from crowdloom.models.latent_cache import prepared

    try:
        prepared(name, progress=lambda fraction, message: show(f"{name}: {message}"))
    except ModelError as error:
        raise OptionError(str(error)) from error


def _analyse(store: Store, study: str, folder: Path, show: Say) -> tuple[Sequence[str], pd.DataFrame]:
    from crowdloom.analysis.latent_strategy_gains import strategy_gains
    from crowdloom.studies.hill_analysing import write_hill_analysis

    analysis = write_hill_analysis(
        store, study, folder, show=lambda done, of: show(f"{done} of {of} trainings without a person")
    )
    with store.read() as connection:
        return analysis.sentences(), strategy_gains(analysis.gains, said_strategies(connection, study))


def said_strategies(connection: Connection, study: str) -> dict[tuple[str, str], str]:
    """The strategies of simulated people, by submission and item: what they wrote says which it was."""
    names = {said: name for name, said in SAID.items()}
    rows = connection.execute(
        select(Submission.pseudonym, Item.key, Response.answer)
        .join(Submission, Submission.id == Response.submission_id)
        .join(Item, Item.id == Response.item_id)
        .join(Study, Study.id == Item.study_id)
        .where(Study.name == study)
    )
    found = {(row.pseudonym, row.key): names.get(row.answer["strategy"]) for row in rows}
    return {key: name for key, name in found.items() if name is not None}
