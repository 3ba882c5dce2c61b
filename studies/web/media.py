"""`/media/<sha256>`: the same bytes for ever, so that browsers may keep them."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from crowdloom.studies.media import get_media
from crowdloom.studies.web.stores import current_store

blueprint = Blueprint("media", __name__)


@blueprint.get("/media/<token:sha256>")
def show(sha256: str) -> Response:
    """The bytes with this digest."""
    found = get_media(current_store(), sha256)
    if found is None:
        abort(404)
    content, mime = found
    response = Response(content, mimetype=mime)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    # Uploaded bytes are never run, even if somebody opens them by themselves.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
