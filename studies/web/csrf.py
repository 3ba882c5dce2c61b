"""That a form was sent from these pages: a token of the browser's session goes with every POST.

The session's cookie is SameSite=Lax and signed, so another site cannot read the token and cannot set one.
"""

from __future__ import annotations

import hmac
import secrets

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

_KEY = "csrf"


def csrf_token() -> str:
    """The token of this browser's session, made when it is first asked for."""
    if _KEY not in session:
        session[_KEY] = secrets.token_urlsafe(24)
    token: str = session[_KEY]
    return token


def sent_from_here() -> bool:
    """Whether the form of this request carries the session's token."""
    known = session.get(_KEY)
    given = request.form.get("csrf", "")
    return isinstance(known, str) and hmac.compare_digest(known.encode(), given.encode())


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie; `Secure` wherever the request came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether the browser may send the cookie by https only."""
        return request.is_secure or super().get_cookie_secure(app)
