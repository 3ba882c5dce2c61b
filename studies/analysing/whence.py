"""What the report of a study says that was read from a release: which one, and what no release holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crowdloom.analysis.latent_report import Material as Sessions
from crowdloom.analysis.report import Block, Facts, Prose
from crowdloom.studies.analysing.material import Planned
from crowdloom.studies.releasing.whence import Whence


def frozen(planned: Planned) -> str:
    """When a plan was frozen, in words."""
    if planned.published is None:
        return "never: this version was not published, so the plan could still have been changed"
    if isinstance(planned.published, datetime):
        return f"{planned.published:%Y-%m-%d %H:%M} UTC, when this plan was first published"
    return f"{planned.published:%Y-%m-%d} UTC, when this plan was first published, as the release says"


def hashed(planned: Planned) -> str:
    """Of what the hash of a plan is."""
    if planned.cleaned:
        return "SHA-256 of the plan as it was published; the release has it without an address, so its own is another"
    return "SHA-256 of the plan as the design says it"


def whence_blocks(whence: Whence | None, sessions: Sessions | None = None) -> Iterator[Block]:
    """Which release a study came from, and what its report therefore cannot say; nothing where it came from none."""
    if whence is None:
        return
    yield Facts(
        [
            ("release", f"{whence.study}, version {whence.version}", "which this study was read from"),
            ("content", whence.sha256, "SHA-256 of the release's content"),
        ]
    )
    lacking = [
        "times of day",
        "the platforms that people came by",
        "payments, so that this report does not say what people earned by the hour",
    ]
    if not whence.free_text:
        lacking.append("answers in free text, and the reasons for which submissions were excluded by hand")
    if sessions is not None:
        lacking.append("where single points lay, so that no interaction is shown in pictures")
    if not whence.images:
        lacking.append("the items' images, so that none are shown")
    yield Prose(f"What the release does not hold: {'; '.join(lacking)}. All other numbers are those of the study.")
