"""Two studies that exclude each other, and everybody knocks at both at the same moment."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from crowdloom.studies.database import Store
from crowdloom.studies.rehearsal import serving
from tests.studies.designs import load, make_design, make_images
from tests.studies.takers import Study
from tests.studies.test_guarantee import rows

PEOPLE = 200
NAMES = ("one", "other")


def exclusive(store: Store, folder: Path) -> list[str]:
    """Two studies of one item, with places for half of the people each; the tokens of their links."""
    make_images(folder, 1)
    for name in NAMES:
        load(store, folder, make_design(name=name, batches={"size": 1, "responses_per_item": PEOPLE // 2}))
    studies = []
    for name, excluded in zip(NAMES, reversed(NAMES), strict=True):
        studies.append(
            Study(
                store,
                folder,
                items=1,
                name=name,
                title=f"Study {name}",  # a new version, now that the other one is there to be excluded
                batches={"size": 1, "responses_per_item": PEOPLE // 2},
                eligibility={"exclude_studies": [excluded]},
            )
        )
    return [study.posting for study in studies]


def test_nobody_is_in_both_and_every_place_is_used(store: Store, tmp_path: Path) -> None:
    """Two hundred people, each sending both consent forms at once, to two processes that know nothing of each other."""
    postings = exclusive(store, tmp_path)
    barrier = threading.Barrier(PEOPLE * 2)
    answers: list[tuple[str, str, int]] = []
    with serving(store.url, workers=2) as address:
        parts = urlsplit(address)

        def consent(person: str, posting: str) -> None:
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
            barrier.wait()
            form = urlencode({"participant": person, "decision": "agree"})
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", f"/join/{posting}", form, kind)
            answers.append((person, posting, connection.getresponse().status))
            connection.close()

        threads = [
            threading.Thread(target=consent, args=(f"p{number}", posting))
            for number in range(PEOPLE)
            for posting in postings
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(answers) == PEOPLE * 2
    assert {status for _, _, status in answers} == {303, 409}
    let_in = Counter(person for person, _, status in answers if status == 303)
    assert set(let_in.values()) == {1}
    assert len(let_in) == PEOPLE
    both = rows(
        store,
        "SELECT participant_id FROM submission WHERE state <> 'refused' GROUP BY participant_id HAVING count(*) > 1",
    )
    assert both == []
    held = rows(
        store,
        "SELECT place.batch_id, place.state, count(*) FROM place JOIN batch ON batch.id = place.batch_id "
        "JOIN condition ON condition.id = batch.condition_id JOIN posting ON posting.design_id = condition.design_id "
        "GROUP BY place.batch_id, place.state",
    )
    assert [row[1:] for row in held] == [("held", PEOPLE // 2)] * 2
