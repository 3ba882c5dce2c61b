"""Pages of a list: a NextToken says after which row to go on, so that what is added meanwhile moves nothing.

As on MTurk every page with rows has a NextToken, and an empty page ends the list: there are clients that
ask for the token without looking whether there is one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from sqlalchemy import Connection, Row, Select

from crowdloom.studies.marketplace.errors import RequestError

_DEFAULT = 10


def read_page(
    connection: Connection, query: Select[Any], key: Any, parameters: dict[str, Any], *, newest_first: bool = False
) -> tuple[list[Row[Any]], str | None]:
    """One page of a query that is ordered by the integer column `key`, and the token of the next one.

    Raises RequestError for a token that we did not give for these parameters.
    """
    size = parameters.get("MaxResults", _DEFAULT)
    asked = {name: value for name, value in parameters.items() if name not in ("NextToken", "MaxResults")}
    if (token := parameters.get("NextToken")) is not None:
        after = _read(token, asked)
        query = query.where(key < after if newest_first else key > after)
    order = key.desc() if newest_first else key
    rows = list(connection.execute(query.add_columns(key.label("page_key")).order_by(order).limit(size)))
    return rows, _write(rows[-1].page_key, asked) if rows else None


def _write(after: int, asked: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{after}:{_digest(after, asked)}".encode()).decode()


def _read(token: str, asked: dict[str, Any]) -> int:
    try:
        number, _, digest = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        after = int(number)
    except (ValueError, binascii.Error):
        after, digest = 0, ""
    if digest != _digest(after, asked):
        raise RequestError("NextToken is not one that this operation gave for these parameters.", "InvalidNextToken")
    return after


def _digest(after: int, asked: dict[str, Any]) -> str:
    text = json.dumps([after, asked], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def listed(name: str, rows: list[dict[str, Any]], token: str | None) -> dict[str, Any]:
    """The answer of a List operation."""
    answer: dict[str, Any] = {"NumResults": len(rows), name: rows}
    if token is not None:
        answer["NextToken"] = token
    return answer
