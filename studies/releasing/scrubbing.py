"""Taking out of texts that people wrote what would say who somebody is."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from crowdloom.studies.errors import IdentityError
from crowdloom.studies.identities import reveal
from crowdloom.studies.tables import Design, Invitation, Participant, Posting, RemoteSubmission, Study, Submission

REMOVED = "[removed]"
# Both look at a run of letters from its beginning only, so that a long one takes no longer than it is.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(r"(?<![0-9A-Fa-f:.])[0-9A-Fa-f:.]{3,}[0-9A-Fa-f:]")
_WORD = re.compile(r"[\w-]+")
_JOINT = re.compile(r"([-_]+)")
_SHORTEST = 3  # letters of an id: shorter ones are words of every text


class Scrubber:
    """Replaces e-mail addresses, IP addresses and the names given, in any case, where they stand as whole words.

    Words are also what is joined to others by - and _.

    >>> Scrubber({"A1B2C3"}).clean("A1B2C3 (ann@example.org) wrote from 192.0.2.7 at 12:30")
    '[removed] ([removed]) wrote from [removed] at 12:30'
    """

    def __init__(self, names: Collection[str]) -> None:
        long_enough = {name for name in names if len(name) >= _SHORTEST}
        words = {name for name in long_enough if _WORD.fullmatch(name)}
        others = sorted(long_enough - words, key=len, reverse=True)
        pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in others)
        self._others = re.compile(pattern, re.IGNORECASE) if others else None
        self._words = {name.casefold() for name in words}
        self._most_parts = max((len(_JOINT.split(name)) for name in words), default=0)

    def clean(self, text: str) -> str:
        """The text without them."""
        if self._others is not None:
            text = self._others.sub(REMOVED, text)
        text = _EMAIL.sub(REMOVED, text)
        text = _ADDRESS.sub(lambda found: REMOVED if _is_address(found[0]) else found[0], text)
        return _WORD.sub(lambda found: self._without_names(found[0]), text)

    def _without_names(self, word: str) -> str:
        """A word without those of its parts that are a name, alone or together with those after them."""
        parts, kept, at = _JOINT.split(word), [], 0
        while at < len(parts):
            for end in range(min(at + self._most_parts, len(parts)), at, -1):
                if "".join(parts[at:end]).casefold() in self._words:
                    kept.append(REMOVED)
                    at = end
                    break
            else:
                kept.append(parts[at])
                at += 1
        return "".join(kept)

    def clean_all(self, value: Any) -> Any:
        """A JSON value with all its texts cleaned."""
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return {name: self.clean_all(part) for name, part in value.items()}
        return [self.clean_all(part) for part in value] if isinstance(value, list | tuple) else value


ADDRESSES = Scrubber(())
"""For what the researchers wrote before anybody came: e-mail and IP addresses alone."""


def _is_address(text: str) -> bool:
    bare = text.strip(".:")  # a sentence may end with it, and a port follow
    for written in (text, text.rstrip(".:"), bare, bare.rpartition(":")[0]):
        try:
            ipaddress.ip_address(written)
        except ValueError:
            continue
        return True
    return False


def read_scrubber(connection: Connection, study: str) -> Scrubber:
    """A scrubber of all that the store calls the people of a study, on their platforms and here."""
    of_study = (
        select(
            Participant.platform,
            Participant.platform_id,
            Participant.pseudonym,
            Submission.pseudonym.label("code"),
            Submission.token,
        )
        .join(Submission, Submission.participant_id == Participant.id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
    )
    names: set[str] = set()
    for row in connection.execute(of_study):
        names |= {row.pseudonym, row.code, row.token}
        if row.platform_id is not None:
            names |= _spellings(study, row.platform, row.platform_id)
    postings = (
        select(Posting.id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
    )
    for column, table in (
        (RemoteSubmission.remote_id, RemoteSubmission),
        (RemoteSubmission.code, RemoteSubmission),
        (Invitation.token, Invitation),
    ):
        found = connection.scalars(select(column).where(table.posting_id.in_(postings), column.is_not(None)))
        names.update(str(name) for name in found)
    return Scrubber(names)


def _spellings(study: str, platform: str, stored: str) -> set[str]:
    """How a person's platform id may be written; without the key of sealed ids nobody can know what they are."""
    try:
        platform_id = reveal(platform, stored)
    except IdentityError:
        return {stored}
    return {stored, platform_id, platform_id.removeprefix(f"{study}:")}
