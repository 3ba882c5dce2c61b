"""Platforms' webhooks: an event that is the platform's own is noted, and `crowdloom watch` asks the platform at once.

Nothing is set from an event, so one that comes twice, late, in another order or never does no harm.
"""

from __future__ import annotations

import os
from pathlib import Path

from flask import Blueprint, Response, jsonify, request

from crowdloom.studies.database import insert_new, now
from crowdloom.studies.platforms.prolific_hooks import verify_event
from crowdloom.studies.tables import HookEvent
from crowdloom.studies.web.stores import current_store

blueprint = Blueprint("hooks", __name__, url_prefix="/hooks")
VARIABLE = "PROLIFIC_WEBHOOK_SECRET"


def _secret() -> str:
    """The secret of Prolific's webhooks: from the environment, or from the file that it names."""
    file = os.environ.get(f"{VARIABLE}_FILE")
    return os.environ.get(VARIABLE) or (Path(file).read_text(encoding="utf-8").strip() if file else "")


@blueprint.post("/prolific")
def prolific() -> Response | tuple[Response, int]:
    """An event of Prolific's: 200 whether it is new or known, 401 or 400 where it is none."""
    event = verify_event(dict(request.headers), request.get_data(), _secret(), now())
    row = {"platform": "prolific", "event_id": event.id, "kind": event.kind, "received_at": now()}
    with current_store().write() as connection:
        connection.execute(insert_new(connection, HookEvent), row)
    return jsonify(taken=event.id)
