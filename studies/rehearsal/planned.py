"""What a design's plan finds in the answers of a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True)
class PlanFound:
    """A hypothesis of the plan, and what came of it."""

    name: str
    claim: str
    found: bool | None
    """None where it could not be tested."""
    p: float | None
    p_corrected: float | None
    sentence: str


def plan_found(connection: Connection, study: str, version: int) -> list[PlanFound]:
    """Each hypothesis of this version's plan, carried out as `crowdloom analyse` does; none without a plan."""
    from crowdloom.studies.analysing.material import read_material
    from crowdloom.studies.analysing.results import find_results

    return [
        PlanFound(
            one.hypothesis.name,
            one.hypothesis.claim,
            one.found,
            one.result.p,
            one.p_corrected,
            one.sentence(),
        )
        for one in find_results(read_material(connection, study, version)).tested
    ]
