"""`crowdloom serve`: the pages under gunicorn, with threads.

Threads, because an event stream holds one for as long as it is open: two streams on two single-threaded
workers would block every page. Each worker opens the store for itself, after the fork.
"""

from __future__ import annotations

import secrets
import signal
import socket
from collections.abc import Callable
from importlib import import_module
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from crowdloom.studies.database import open_store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.live import check_steps
from crowdloom.studies.scratch import tidy_scratch

APP = "crowdloom.studies.web:create_app"
"""The factory of the app, called in each worker with its store and the key that all of them share."""


def serve(
    url: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 2,
    threads: int = 16,
    on_ready: Callable[[str], None] = print,
    app: str = APP,
) -> None:
    """Serve a store's studies until SIGTERM or SIGINT; requests that have begun are answered first.

    `port` 0 takes a free one. `on_ready` gets the address once connections are taken there. The key of
    the researcher's cookie is made here and known to these workers only: where several servers stand
    behind one address, the researcher's pages are to be opened at the server that printed their link.
    Raises StoreError where the store cannot be opened, OptionError where the address cannot be had,
    LiveStepError where a step of a task has no implementation.
    """
    if workers < 1 or threads < 2:
        raise OptionError(f"--workers {workers} --threads {threads}: at least one worker with two threads is needed")
    check_steps()
    store = open_store(url)
    try:
        address = store.url
        tidy_scratch(store)
    finally:
        store.close()  # a connection must not be carried over a fork
    secret = secrets.token_hex(32)
    module, _, factory = app.partition(":")
    make = getattr(import_module(module), factory)  # once, before the fork: each worker would import the same
    import_module("numpy")  # likewise, and only what is loaded can have its threads limited

    def load() -> Any:
        return make(open_store(address, create=False), secret)

    run_server(
        load,
        host=host,
        port=port,
        workers=workers,
        threads=threads,
        on_ready=on_ready,
        prepare_worker=_prepare_worker,
    )


def run_server(
    load: Callable[[], Any],
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    on_ready: Callable[[str], None],
    prepare_worker: Callable[[Any], None] = lambda _worker: None,
) -> None:
    """Run the app that `load` makes, once in each worker process, until SIGTERM or SIGINT.

    `prepare_worker` gets gunicorn's worker once its app is made. Raises OptionError where the address cannot be had.
    """
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    ready = f"http://{shown}:{listener.getsockname()[1]}"
    _Server(
        load,
        {
            "bind": f"fd://{listener.detach()}",  # gunicorn closes it, so it must be ours no more
            "workers": workers,
            "threads": threads,
            "worker_class": "gthread",
            "timeout": 60,
            "graceful_timeout": 15,
            "keepalive": 5,
            "loglevel": "warning",
            "when_ready": lambda _arbiter: on_ready(ready),
            "post_worker_init": prepare_worker,
            "control_socket_disable": True,
        },
    ).run()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        raise OptionError(f"cannot listen on {host} port {port}: {error}; give another --host or --port") from error


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's own way to be run by a program: settings from a dict, the app made in each worker."""

    def __init__(self, load: Callable[[], Any], settings: dict[str, Any]) -> None:
        self._load_app, self._given = load, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._given.items():
            if name in self.cfg.settings:  # older versions have no control socket to disable
                self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load_app()


def _prepare_worker(worker: Any) -> None:
    """Leave half of the threads to the pages, and end the event streams when the worker is to stop.

    NumPy gets one thread: requests run beside each other anyway, and where all processors are busy, threads that wait
    for each other at small products of matrices take 17 times as long.
    """
    threadpool_limits(1, user_api="blas")
    streams = worker.wsgi.extensions["crowdloom_streams"]
    streams.limit = max(worker.cfg.threads // 2, 1)
    stop = signal.getsignal(signal.SIGTERM)

    def end_streams_first(number: int, frame: FrameType | None) -> None:
        streams.closing.set()
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, end_streams_first)
