"""The interactions of sessions in a latent space, as the units that coders put into categories."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from crowdloom.studies.coding_units import CodedInteraction, CodedItem
from crowdloom.studies.tables import Response, Submission
from crowdloom.tasks.latent_records import Interaction, SessionRecord


def find_interactions(connection: Connection, items: Mapping[int, CodedItem]) -> list[CodedItem]:
    """The interactions of all sessions with these items, which are given by their internal ids in any version.

    Those that were trained after the time was over are left out: nobody arranged anything. Answers without a session,
    as after the import of a release that had none, have no interactions.
    """
    rows = connection.execute(
        select(
            Response.id,
            Response.item_id,
            Response.repeat_index,
            Response.submission_id,
            Response.answer,
            Submission.pseudonym,
        )
        .join(Submission, Submission.id == Response.submission_id)
        .where(Response.item_id.in_(items))
        .order_by(Response.id)
    ).all()
    found = []
    for row in rows:
        item = items[row.item_id]
        done = row.answer.get("session", {}).get("interactions", ())
        numbers = [one["number"] for one in done if not one["without_person"]]
        for number in numbers:
            interaction = CodedInteraction(
                response_id=row.id,
                submission=row.pseudonym,
                submission_id=row.submission_id,
                item=item.key,
                repeat_index=row.repeat_index,
                number=number,
                of=len(numbers),
            )
            key = f"{item.key} {number} of {row.pseudonym}"
            digest = hashlib.sha256(f"{item.token} {interaction.session} {number}".encode()).hexdigest()
            found.append(replace(item, id=row.item_id, token=digest[:32], key=key, interaction=interaction))
    return found


@dataclass(frozen=True)
class ShownInteraction:
    """What coders see of an interaction."""

    record: SessionRecord
    interaction: Interaction
    strategy: str
    """What the participant wrote about their strategy in the whole session."""


def read_interaction(connection: Connection, coded: CodedInteraction) -> ShownInteraction:
    """What a session has of an interaction."""
    answer = connection.execute(select(Response.answer).where(Response.id == coded.response_id)).scalar_one()
    record = SessionRecord.model_validate(answer["session"])
    return ShownInteraction(
        record, next(one for one in record.interactions if one.number == coded.number), answer["strategy"]
    )
