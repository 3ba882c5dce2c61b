"""What the participant's POST is compared with: a Flask route that adds and commits one ORM row, and no more."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, Response, jsonify, request
from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from crowdloom.studies.database import Store, now
from crowdloom.studies.tables import UTCDateTime
from crowdloom.studies.web.live import Streams


class Base(DeclarativeBase):
    """A schema of its own, in the same database."""


class Row(Base):
    """The posted form as it came, and when."""

    __tablename__ = "bench_row"
    id: Mapped[int] = mapped_column(primary_key=True)
    form: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)


def bare_app(store: Store, secret_key: str) -> Flask:
    """The app, over the same engine as ours: the same driver, pool and pragmas."""
    app = Flask(__name__)
    app.extensions["crowdloom_streams"] = Streams(limit=1)  # our server asks each of its apps for them

    @app.post("/rows")
    def add() -> Response:
        with Session(store.engine) as session:
            session.add(Row(form=request.form.to_dict(), at=now()))
            session.commit()
        return jsonify(stored=True)

    return app
