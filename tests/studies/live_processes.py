"""Real worker and server processes that know the tiny live task, and submissions of it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tiny_live
from flask import Flask
from sqlalchemy import insert
from threadpoolctl import threadpool_info

from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.tables import Design, Participant, Posting, Study, Submission
from crowdloom.studies.web import create_app

HERE = Path(__file__).parent


def make_app(store: Store, secret_key: str) -> Flask:
    """The web app with the tiny task, for `serve`."""
    tiny_live.register()
    app = create_app(store, secret_key)
    app.add_url_rule("/blas-threads", view_func=blas_threads)
    return app


def blas_threads() -> list[int]:
    """How many threads NumPy's products of matrices take in this process, for each library that computes such."""
    return [of["num_threads"] for of in threadpool_info() if of["user_api"] == "blas"]


def new_submission(store: Store, state: str = "started") -> tuple[str, int]:
    """A submission of the tiny task: its token and id."""
    with store.write() as connection:

        def add_row(table: Any, **values: Any) -> int:
            row = connection.execute(insert(table).values(**values).returning(table.id))
            return int(row.scalar_one())

        study = add_row(Study, name=new_token(), token=new_token(), created_at=now())
        design = add_row(
            Design, study_id=study, version=1, sha256="", task="tiny-live", source="", values={}, created_at=now()
        )
        posting = add_row(
            Posting, design_id=design, platform="link", token=new_token(), state="open", values={}, created_at=now()
        )
        participant = add_row(Participant, pseudonym=new_token(), platform="link", created_at=now())
        token = new_token(24)
        id_ = add_row(
            Submission,
            token=token,
            pseudonym=new_token(),
            posting_id=posting,
            participant_id=participant,
            state=state,
            item_order=[],
            class_order=[],
            stage="trials",
            started_at=now(),
        )
    return token, id_


@contextmanager
def python(code: str, scratch: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process that knows the tiny task; killed at the end of the block if it still runs."""
    setup = f"import sys; sys.path.insert(0, {str(HERE)!r}); import tiny_live; tiny_live.register(); "
    process = subprocess.Popen(
        [sys.executable, "-c", setup + code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"CROWDLOOM_SCRATCH": str(scratch)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def worker(store: Store, scratch: Path, *, log: Path | None = None, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A real worker process on a store, which writes its log to a file."""
    code = f"from crowdloom.studies.worker import run_worker; run_worker({store.url!r}, **{options!r})"
    if log is not None:
        code = f"import logging; logging.basicConfig(filename={str(log)!r}, level=logging.INFO); {code}"
    with python(code, scratch) as process:
        yield process


@contextmanager
def server(store: Store, scratch: Path, **options: Any) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A real gunicorn on a free port: its address and its process."""
    code = (
        "from crowdloom.studies.server import serve; say = lambda address: print(address, flush=True); "
        f"serve({store.url!r}, port=0, app='live_processes:make_app', on_ready=say, **{options!r})"
    )
    with python(code, scratch) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), "the server did not start"
        try:
            yield address, process
        finally:
            process.terminate()
            process.wait(20)


def eventually(what: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until `what()` is true, and return it."""
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.03)
    return value
