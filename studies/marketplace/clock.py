"""The marketplace's time: a callable of the process, and how far the database says that it was moved on."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace.tables import Marketplace

_FURTHEST = timedelta(days=3650)


def read_offset(connection: Connection) -> timedelta:
    """How far the clock was moved on, in all."""
    return timedelta(seconds=connection.scalar(select(Marketplace.clock_offset_s)) or 0)


def move_on(connection: Connection, seconds: int) -> None:
    """Move the clock on, for all processes. Raises OptionError for going back, and for more than ten years."""
    if seconds < 0:
        raise OptionError(f"the clock goes on only; {seconds} s would take it back")
    if read_offset(connection) + timedelta(seconds=seconds) > _FURTHEST:
        raise OptionError(f"the clock can be moved on by {_FURTHEST.days} days in all")
    connection.execute(update(Marketplace).values(clock_offset_s=Marketplace.clock_offset_s + seconds))


def epoch(time: datetime) -> float:
    """Seconds since 1970, as the JSON protocol writes times; whole milliseconds, which is what SDKs keep."""
    return round(time.timestamp(), 3)
