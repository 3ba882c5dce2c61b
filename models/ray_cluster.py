"""A Ray cluster to compute on: one that is there, or one of our own for as long as it is needed."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crowdloom.models.errors import ArgumentError, first_line


@contextmanager
def connected(processors: int, address: str | None = None) -> Iterator[Any]:
    """Gives the module `ray`, connected until the end of the block.

    Where the caller is connected already, that connection is used and stays; else that to `address`, such as
    "10.0.0.1:6379" or "ray://10.0.0.1:10001"; else to that of $RAY_ADDRESS; else a cluster of `processors` is started
    on this machine, and ended. Raises ArgumentError (`engine`) where Ray is not installed or the cluster cannot be
    reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise ArgumentError(
            'the engine ray needs Ray, which is not installed; run: pip install "crowdloom[cluster]"', "engine"
        ) from error
    if ray.is_initialized():
        yield ray
        return
    where = f"the Ray cluster at {address}"
    if address is None and (address := os.environ.get("RAY_ADDRESS")):
        where = f"the Ray cluster at {address} (from $RAY_ADDRESS)"
    elif address is None:
        where = "a Ray cluster on this machine"
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            _knock(address)
            ray.init(address, **quiet)
        else:
            ray.init("local", num_cpus=processors, include_dashboard=False, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        raise ArgumentError(
            f"{where} cannot be reached ({first_line(error)}); see what `ray status` says there", "engine"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError at once where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=10).close()
