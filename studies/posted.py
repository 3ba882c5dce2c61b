"""A posting as the commands and the pages of the researcher work on it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import StudyError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account
from crowdloom.studies.tables import Design, Posting, Study


@dataclass(frozen=True)
class Posted:
    """A posting as the commands work on it."""

    id: int
    token: str
    platform: str
    state: str
    values: dict[str, Any]
    design_id: int
    version: int
    design: DesignModel
    study_id: int

    @property
    def where(self) -> Mapping[str, Any]:
        """The platform's service, as the posting remembers it."""
        return dict(self.values.get("where", {}))

    @property
    def is_forgotten(self) -> bool:
        """Whether its people's ids were erased; then the platform, which knows them, is asked no more."""
        return bool(self.values.get("forgotten"))

    def account(self) -> Account:
        """The researcher's account there. Raises CredentialsError without credentials."""
        return PLATFORMS[self.platform].connect(self.where, os.environ)


def find_postings(connection: Connection, study: str, platform: str | None = None) -> list[Posted]:
    """The postings of a study on platforms (imports aside), newest first. Raises StudyError for an unknown study."""
    if connection.execute(select(Study.id).where(Study.name == study)).first() is None:
        names = ", ".join(connection.scalars(select(Study.name).order_by(Study.name))) or "none"
        raise StudyError(f"no study is called {study!r}; there are: {names}")
    rows = connection.execute(
        _POSTED.where(Study.name == study, Posting.platform.in_([platform] if platform else list(PLATFORMS))).order_by(
            Posting.id.desc()
        )
    ).all()
    return [_posted(row) for row in rows]


_POSTED = (
    select(
        Posting.id,
        Posting.token,
        Posting.platform,
        Posting.state,
        Posting.values,
        Posting.design_id,
        Design.version,
        Design.values.label("design"),
        Design.study_id,
    )
    .join(Design, Design.id == Posting.design_id)
    .join(Study, Study.id == Design.study_id)
)


def read_posting(connection: Connection, token: str) -> Posted:
    """The posting with this token."""
    return _posted(connection.execute(_POSTED.where(Posting.token == token)).one())


def _posted(row: Row[Any]) -> Posted:
    said = row._mapping  # `values` is a method of a row, too
    return Posted(**(dict(said) | {"design": DesignModel.model_validate(said["design"])}))
