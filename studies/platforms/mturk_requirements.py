"""Whom a HIT lets in, as MTurk's qualification requirements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowdloom.studies.design import Design

MOST_REQUIREMENTS = 10
LOCALE = "00000000000000000071"
APPROVAL_PERCENT = "000000000000000000L0"
APPROVED_HITS = "00000000000000000040"
ADULT = "00000000000000000060"


def only_for_group(group: str) -> list[dict[str, Any]]:
    """The requirement that shows a HIT to nobody but the people of a group."""
    return [_requirement(group, "Exists", "DiscoverPreviewAndAccept")]


def requirements(design: Design, excluded_groups: Sequence[str], group: str | None) -> list[dict[str, Any]]:
    """The requirements of a design's HITs.

    Workers who lack one of the design's qualifications still see the HIT and what it asks for, as is the
    custom; one for adults shows them no more than its title; one of a study that excludes theirs is not
    shown at all, so that they learn nothing of the other condition. `group` is the study's own: where each
    batch is a HIT and everybody may do one, who has done one sees no further.
    """
    wanted = design.mturk.qualifications
    found: list[dict[str, Any]] = []
    if wanted.locale:
        places = [dict(zip(("Country", "Subdivision"), code.split("-"), strict=False)) for code in wanted.locale]
        found.append(_requirement(LOCALE, "In", "Accept", LocaleValues=places))
    for kind, least in ((APPROVAL_PERCENT, wanted.approval_percent), (APPROVED_HITS, wanted.approved_hits)):
        if least is not None:
            found.append(_requirement(kind, "GreaterThanOrEqualTo", "Accept", IntegerValues=[least]))
    if wanted.adult:
        found.append(_requirement(ADULT, "EqualTo", "PreviewAndAccept", IntegerValues=[1]))
    own = [group] if group and _one_batch_each(design) else []
    for kind in dict.fromkeys([*excluded_groups, *own]):
        found.append(_requirement(kind, "DoesNotExist", "DiscoverPreviewAndAccept"))
    return found


def count_requirements(design: Design) -> int:
    """How many requirements a design's HITs have, once every excluded study has a group."""
    groups = [f"group {name}" for name in design.eligibility.exclude_studies]
    return len(requirements(design, groups, "own"))


def _one_batch_each(design: Design) -> bool:
    return design.mturk.delivery != "server" and design.people.submissions_per_participant == 1


def _requirement(kind: str, comparator: str, guards: str, **values: Any) -> dict[str, Any]:
    return {"QualificationTypeId": kind, "Comparator": comparator, "ActionsGuarded": guards, **values}
