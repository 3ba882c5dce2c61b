"""The study that `crowdloom hill simulate` runs: one scenario, as many simulated people as are asked for."""

from __future__ import annotations

from typing import Any

from crowdloom.studies.catalogue import find_design
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import OptionError

STUDY = "hill-simulation"


def simulated_design(scenario: str, people: int) -> tuple[Design, str]:
    """A design of the paper's sessions on one scenario, with a place for each of so many people; and its JSON.

    Questions and instructions are those of the catalogue's `latent-session`. Raises OptionError for a scenario that
    there is not, and for fewer than one person.
    """
    from crowdloom.models.errors import ModelError
    from crowdloom.models.latent_scenarios import scenario as scenario_of

    if people < 1:
        raise OptionError(f"--participants {people}: at least one is needed")
    try:
        classes = scenario_of(scenario).classes
    except ModelError as error:
        raise OptionError(f"--scenario {scenario}: {error}") from error
    values: dict[str, Any] = read_design(find_design("latent-session"))[0].dump()
    values["people"].pop("reward", None)  # nobody is paid
    design = Design.model_validate(
        values
        | {
            "name": STUDY,
            "classes": classes,
            "items": {"source": "scenarios", "names": [scenario]},
            "batches": {"size": 1, "responses_per_item": people},
            "rehearsal": {"people": people},
        }
    )
    return design, design.model_dump_json(indent=2)
