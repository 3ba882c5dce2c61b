"""Drawings of interactions, for the pages of coders and researchers."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from crowdloom.studies.coding_interactions import read_interaction
from crowdloom.studies.coding_units import CodedItem
from crowdloom.studies.errors import StudyError
from crowdloom.studies.interaction_drawing import SIZE, STAGES, draw
from crowdloom.studies.web.stores import current_store
from crowdloom.tasks.protocol import View


def drawings_at(address: Callable[[str], str]) -> dict[str, View]:
    """The drawings by their captions; `address` says where each is."""
    return {caption: View(address(stage), (SIZE, SIZE)) for stage, caption in STAGES.items()}


def drawing_of(item: CodedItem, stage: str) -> Response:
    """One drawing of an interaction. Raises StudyError for an item."""
    if item.interaction is None:
        raise StudyError("Only interactions have drawings.")
    with current_store().read() as connection:
        shown = read_interaction(connection, item.interaction)
    return Response(draw(shown.interaction, stage, shown.record.classes), mimetype="image/svg+xml")
