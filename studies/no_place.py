"""Why there is no place for somebody, in words for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from crowdloom.studies.allocation import choose_batch, places_left

if TYPE_CHECKING:
    from crowdloom.studies.entry import Entry


def why_no_place(connection: Connection, entry: Entry, attempts: int, person: int | None = None) -> str:
    """In words for the participant, why no batch was there for them who have begun `attempts` submissions before."""
    # Only their condition may keep them from a batch; of that they are not told.
    if person is not None and choose_batch(connection, entry.design_id, person, entry.batch_id) is not None:
        if entry.batch_id is not None:
            return "This part of the study is for other participants. Please return it; thank you for your interest."
        return f"The {_items(entry)} that are still open are for other participants. Thank you for your interest."
    places = places_left(connection, entry.design_id)
    if places["open"] and attempts:
        return f"You have already judged all the {_items(entry)} that are still open. Thank you!"
    if places["held"]:
        return (
            "All places are taken at this moment. One may become free if somebody leaves: "
            "please try again a little later with the same link."
        )
    return "This study has all the answers it needs. Thank you for your interest."


def _items(entry: Entry) -> str:
    return "parts" if entry.design.items.source in ("scenarios", "classes") else "images"
