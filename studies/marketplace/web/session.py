"""Who is signed in: a signed cookie with the worker's id, and the token that their forms carry."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from flask import g, request, session
from sqlalchemy import Row
from werkzeug.exceptions import Forbidden

from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.marketplace.web.current import current_market
from crowdloom.studies.marketplace.workers import find_worker


class SignInError(CrowdloomError):
    """A page is for signed-in workers only."""

    status = 401


def sign_in(worker: str) -> None:
    """Open the pages for this browser."""
    session.clear()
    session.permanent = True
    session["worker"] = worker
    session["form"] = secrets.token_urlsafe(16)


def signed_in() -> Row[Any] | None:
    """The worker whose browser this is."""
    if "worker" not in g:
        g.worker = None
        if token := session.get("worker"):
            with current_market().store.read() as connection:
                g.worker = find_worker(connection, token)
    found: Row[Any] | None = g.worker
    return found


def needed_worker() -> Row[Any]:
    """The worker whose browser this is. Raises SignInError where nobody is signed in."""
    worker = signed_in()
    if worker is None:
        raise SignInError("Please sign in with the link of your invitation.")
    return worker


def check_form() -> None:
    """Refuse a form that another site sent in the worker's name: pages in frames are other people's."""
    if not hmac.compare_digest(request.form.get("form", ""), session.get("form", "-")):
        raise Forbidden("This form is not from a page of ours, or you signed in anew since. Go back and load it again.")
