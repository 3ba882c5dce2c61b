"""Studies published on a marketplace or on Prolific, and people who take them there: real services over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import select, update

from crowdloom.studies.database import Store, now
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.ledger import Due, payments
from crowdloom.studies.marketplace import Market
from crowdloom.studies.participation import finish_instructions, read_progress
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account, Capabilities
from crowdloom.studies.polling import Polled, poll
from crowdloom.studies.posted import Posted, read_posting
from crowdloom.studies.posting import publish
from crowdloom.studies.publishing import plan_posting, put_up
from crowdloom.studies.review import approve_passing
from crowdloom.studies.tables import Listing, Participant, RemoteSubmission, Response, Submission
from tests.prolific import StandIn
from tests.studies.designs import load, make_design, make_images
from tests.studies.takers import Study

REWARD = {"minutes": 2, "hold_minutes": 30, "reward": "1.20 USD"}


@dataclass
class Comer:
    """Somebody who came by a platform: who, by which submission there, with which query string, to which of ours."""

    person: str
    remote: str
    query: dict[str, str]
    token: str = ""


class Published(Study):
    """A study on a platform; by default one item that two people answer."""

    platform = "link"

    def __init__(self, store: Store, folder: Path, items: int = 1, *, put: bool = True, **changes: Any) -> None:
        self.store, self.folder = store, folder
        small = {"batches": {"size": 1, "responses_per_item": 2}, "people": REWARD}
        self.design: Design = make_design(**(small | changes))
        make_images(folder, items)
        load(store, folder, self.design)
        self.posting = ""
        self._account: Account | None = None
        if put:
            self.publish()

    def publish(self, address: str = "https://lab.example", *, draft: bool = False) -> None:
        """Plan it and put it up, as the command does."""
        with self.store.write() as connection:
            published, _ = plan_posting(connection, self.design.name, self.platform, address)
        self.posting = published.token
        put_up(self.store, self.posting, draft=draft)

    @property
    def posted(self) -> Posted:
        """The posting as it stands."""
        with self.store.read() as connection:
            return read_posting(connection, self.posting)

    @property
    def account(self) -> Account:
        """The account that published it, connected once."""
        self._account = self._account or self.posted.account()
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        """In what its platform differs."""
        return PLATFORMS[self.platform].capabilities

    def listings(self) -> list[Any]:
        """The rows of its listings, oldest first."""
        with self.store.read() as connection:
            return list(
                connection.execute(
                    select(Listing.__table__).where(Listing.posting_id == self.posted.id).order_by(Listing.id)
                )
            )

    def arrive_by(self, query: dict[str, str]) -> str:
        """Consent by this query string, and read on to the questions; the token of the submission."""
        with self.store.write() as connection:
            entry = find_entry(connection, self.posting, query.get("listing"))
            arrival = PLATFORMS[entry.platform].arrive(query, entry.where)
            token = join(connection, entry, str(arrival.participant), arrival)
            finish_instructions(connection, read_progress(connection, token), self.design)
            return token

    def poll(self) -> Polled:
        """Ask the platform."""
        return poll(self.store, self.posted, self.account)

    def remotes(self) -> dict[tuple[str, str], str]:
        """What we know of the platform's submissions: their states, by id and person."""
        with self.store.read() as connection:
            rows = connection.execute(
                select(RemoteSubmission.remote_id, Participant.platform_id, RemoteSubmission.state)
                .join(Participant, Participant.id == RemoteSubmission.participant_id)
                .where(RemoteSubmission.posting_id == self.posted.id)
            )
            return {(row[0], row[1]): row[2] for row in rows}

    def approve_all(self) -> None:
        """Approve here what passes the checks."""
        with self.store.write() as connection:
            approve_passing(connection, self.design.name)

    def ledger(self) -> list[Due]:
        """All payments."""
        with self.store.read() as connection:
            return payments(connection, self.posted)

    def code_of(self, token: str) -> str:
        """Our code of a submission."""
        return str(self.submission(token).pseudonym)

    def be_idle(self, token: str, minutes: int = 6) -> None:
        """So many minutes pass since somebody began (who has answered nothing since)."""
        with self.store.write() as connection:
            assert connection.execute(
                select(Response.id).join(Submission).where(Submission.token == token)
            ).first() is None  # fmt: skip
            connection.execute(
                update(Submission)
                .where(Submission.token == token)
                .values(started_at=now() - timedelta(minutes=minutes))
            )


class OnLink(Published):
    """By the direct link."""

    def publish(self, address: str = "https://lab.example", *, draft: bool = False) -> None:
        with self.store.write() as connection:
            self.posting = publish(connection, self.design.name, "link").token

    def take(self, person: str) -> Comer:
        """Somebody comes and answers everything."""
        query = {"participant": person}
        comer = Comer(person, "", query, self.arrive_by(query))
        self.answer(comer.token)
        return comer


class OnMTurk(Published):
    """On the marketplace."""

    platform = "mturk"
    market: Market
    address: str

    def worker(self) -> str:
        """A new worker."""
        return self.market.add_worker()[0]

    def accept(self, worker: str | None = None, listing: Any = None) -> Comer:
        """A worker accepts a HIT (the first, or this listing's) and is about to open our page."""
        listing = listing or self.listings()[0]
        worker = worker or self.worker()
        assignment = self.market.accept(listing.remote_id, worker)
        query = {
            "assignmentId": assignment,
            "hitId": listing.remote_id,
            "workerId": worker,
            "turkSubmitTo": self.address,
            "listing": listing.token,
        }
        return Comer(worker, assignment, query)

    def come(self, worker: str | None = None, listing: Any = None) -> Comer:
        """A worker accepts and consents."""
        comer = self.accept(worker, listing)
        comer.token = self.arrive_by(comer.query)
        return comer

    def give_back(self, comer: Comer) -> None:
        """They return it there, of which we hear nothing."""
        self.market.give_back(comer.remote, comer.person)

    def hand_in(self, comer: Comer, **answers: str) -> None:
        """Their browser posts the form of our last page."""
        self.market.submit(comer.remote, {"code": self._code("completed"), **answers})

    def take(self, worker: str | None = None, listing: Any = None) -> Comer:
        """A worker does the whole thing."""
        comer = self.come(worker, listing)
        self.answer(comer.token)
        self.hand_in(comer)
        return comer

    def paid(self, comer: Comer) -> list[tuple[str, int]]:
        """What the marketplace paid them."""
        return [(one.kind, one.amount) for one in self.market.payments() if one.worker_id == comer.person]

    def _code(self, outcome: str) -> str:
        return str(self.posted.values["codes"][outcome])


class OnProlific(Published):
    """On Prolific's stand-in."""

    platform = "prolific"
    prolific: StandIn

    def worker(self) -> str:
        """A new participant."""
        return self.prolific.add_participant()

    def accept(self, worker: str | None = None) -> Comer:
        """A participant takes a place and is about to open our page."""
        worker = worker or self.worker()
        url = self.prolific.arrive(self.listings()[0].remote_id, worker)
        query = dict(parse_qsl(urlsplit(url).query))
        return Comer(worker, query["SESSION_ID"], query)

    def come(self, worker: str | None = None) -> Comer:
        """A participant takes a place and consents."""
        comer = self.accept(worker)
        comer.token = self.arrive_by(comer.query)
        return comer

    def give_back(self, comer: Comer) -> None:
        """They return it there."""
        self.prolific.give_back(comer.remote)

    def hand_in(self, comer: Comer, outcome: str = "completed") -> None:
        """They come back to Prolific with the code of an outcome."""
        self.prolific.complete(comer.remote, str(self.posted.values["codes"][outcome]))

    def take(self, worker: str | None = None) -> Comer:
        """A participant does the whole thing."""
        comer = self.come(worker)
        self.answer(comer.token)
        self.hand_in(comer)
        return comer

    def paid(self, comer: Comer) -> list[tuple[str, int]]:
        """What Prolific paid them."""
        return self.prolific.paid(comer.person)


class Faulty:
    """A real account behind one call that breaks: before it reaches the platform, or after it took effect."""

    def __init__(self, account: Any, operation: str, error: Exception, *, after: bool = False) -> None:
        self._account, self._operation, self._error, self._after = account, operation, error, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._account, name)
        if name != self._operation:
            return call

        def breaking(*arguments: Any, **options: Any) -> Any:
            if self._after:
                call(*arguments, **options)
            raise self._error

        return breaking
