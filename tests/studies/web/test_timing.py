"""What is kept of time beside an answer, and that it never costs the answer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from crowdloom.studies.database import Store
from crowdloom.studies.tables import Response
from tests.studies.studies_for_tests import answer, begin, open_small


def test_timing_is_kept(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """The browser's record and the server's clock stand beside the answer."""
    base = begin(client, open_small(store, tmp_path), "ann")
    page = client.get(base).text
    shown_at = re.search(r'name="shown_at" value="([^"]+)"', page)
    assert shown_at
    timing = json.dumps({"rt_ms": 1234.4, "focus": [[10, "blur"]], "first_input_ms": 300})
    answer(client, base, timing=timing, shown_at=shown_at[1])
    answer(client, base, timing="", shown_at=shown_at[1])
    with store.read() as connection:
        rows = connection.execute(select(Response.rt_ms, Response.timing).order_by(Response.id)).all()
    assert (rows[0].rt_ms, rows[0].timing["focus"], rows[0].timing["shown_at"]) == (1234, [[10, "blur"]], shown_at[1])
    assert 0 <= rows[1].rt_ms < 60_000


@pytest.mark.parametrize(
    "timing",
    [
        "{",
        "[]",
        '{"rt_ms": NaN}',
        '{"rt_ms": 1e999}',
        '{"rt_ms": -5}',
        '{"rt_ms": "soon"}',
        '{"rt_ms": true}',
        '{"rt_ms": ' + "9" * 400 + "}",
        "[" * 9_000,
        '{"x": "' + "a" * 30_000 + '"}',
        '{"rt_ms": 10, "x": "\\u0000\\ud800"}',
    ],
)
def test_a_broken_timing_loses_no_answer(store: Store, client: FlaskClient, tmp_path: Path, timing: str) -> None:
    """Whatever a browser sends as timing, the answer is stored."""
    base = begin(client, open_small(store, tmp_path), "ann")
    assert answer(client, base, timing=timing, shown_at="yesterday") == 303
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Response)) == 1
