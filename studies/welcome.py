"""What a server says when it is ready: where its studies and coaches are, and the researcher's one-time link."""

from __future__ import annotations

from sqlalchemy import select

from crowdloom.studies.access import new_access
from crowdloom.studies.database import Store
from crowdloom.studies.tables import Design, Posting, Study
from crowdloom.tasks.coach import CoachTask


def welcome(store: Store, address: str) -> str:
    """The lines to print, with a fresh one-time link."""
    with store.write() as connection:
        access = new_access(connection)
        postings = connection.execute(
            select(
                Study.name, Study.token.label("study"), Posting.token, Design.values["task"].as_string().label("task")
            )
            .join(Design, Design.study_id == Study.id)
            .join(Posting, Posting.design_id == Design.id)
            .where(Posting.state == "open", Posting.platform == "link")
            .order_by(Study.name, Posting.id)
        ).all()
    lines = [f"Serving at {address}  (Ctrl-C ends it)"]
    lines += [f"  take part in {posting.name}: {address}/join/{posting.token}" for posting in postings]
    lines += [] if postings else ["  no study is open by a direct link; run: crowdloom publish STUDY"]
    lines += [f"  for you, once and within an hour: {address}/researcher/enter/{access}"]
    coached = {posting.study: posting.name for posting in postings if posting.task == CoachTask.name}
    lines += [
        f"  then, sliders that set the coach of {name}: {address}/researcher/study/{study}/coach"
        for study, name in coached.items()
    ]
    return "\n".join(lines)
