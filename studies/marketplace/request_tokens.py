"""UniqueRequestToken: within 24 hours, one token of one requester does one thing of a kind once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, delete, select

from crowdloom.studies.database import insert_new
from crowdloom.studies.marketplace.tables import RequestToken

KEPT = timedelta(hours=24)


def use_token(
    connection: Connection, requester: int, operation: str, token: str | None, result: str, now: datetime
) -> str | None:
    """Note that a token is used, in the transaction of what it is used for; None if that may go ahead.

    Otherwise what the first request with this token led to. Two requests at once cannot both go ahead:
    the second waits for the first one's transaction, by the table's key.
    """
    if token is None:
        return None
    ours = (
        RequestToken.requester_id == requester,
        RequestToken.operation == operation,
        RequestToken.token == token,
    )
    connection.execute(delete(RequestToken).where(*ours, RequestToken.used_at <= now - KEPT))
    noted = connection.execute(
        insert_new(connection, cast(Any, RequestToken)).returning(RequestToken.result),
        {"requester_id": requester, "operation": operation, "token": token, "result": result, "used_at": now},
    )
    if noted.first() is not None:
        return None
    return connection.scalars(select(RequestToken.result).where(*ours)).one()
