"""What a server says when it is ready: where its studies are, and the researcher's one-time link."""

from __future__ import annotations

from sqlalchemy import select

from crowdloom.studies.access import new_access
from crowdloom.studies.database import Store
from crowdloom.studies.tables import Design, Posting, Study


def welcome(store: Store, address: str) -> str:
    """The lines to print, with a fresh one-time link."""
    with store.write() as connection:
        access = new_access(connection)
        postings = connection.execute(
            select(Study.name, Posting.token)
            .join(Design, Design.study_id == Study.id)
            .join(Posting, Posting.design_id == Design.id)
            .where(Posting.state == "open", Posting.platform == "link")
            .order_by(Study.name, Posting.id)
        ).all()
    lines = [f"Serving at {address}  (Ctrl-C ends it)"]
    lines += [f"  take part in {study}: {address}/join/{token}" for study, token in postings]
    lines += [] if postings else ["  no study is open by a direct link; run: crowdloom publish STUDY"]
    lines += [f"  for you, once and within an hour: {address}/researcher/enter/{access}"]
    return "\n".join(lines)
