"""The MTurk protocol: HITs on a marketplace that speaks it, its workers in a frame over our pages.

Amazon closed the public service on 2026-09-30; its addresses stand here for who still reaches them, and
any other marketplace is named by `AWS_ENDPOINT_URL_MTURK`. The account is in `mturk_account.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crowdloom.studies.design import Design
from crowdloom.studies.errors import OptionError, PlaceError
from crowdloom.studies.platforms.mturk_requirements import MOST_REQUIREMENTS, count_requirements
from crowdloom.studies.platforms.origins import is_same_origin, read_origin, spellings
from crowdloom.studies.platforms.protocol import Arrival, Capabilities, Ending, Fee, HandBack
from crowdloom.tasks import TASKS

if TYPE_CHECKING:
    from crowdloom.studies.platforms.mturk_account import MTurkAccount

PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
MANY_PLACES = 10
"""From so many assignments on, a HIT costs a second fee, and a smaller one cannot grow so far."""

_PUBLIC = {
    "production": {
        "endpoint": "https://mturk-requester.us-east-1.amazonaws.com",
        "submit_to": ["https://www.mturk.com"],
        "frames": ["https://www.mturk.com", "https://worker.mturk.com"],
    },
    "sandbox": {
        "endpoint": "https://mturk-requester-sandbox.us-east-1.amazonaws.com",
        "submit_to": ["https://workersandbox.mturk.com"],
        "frames": ["https://workersandbox.mturk.com"],
    },
}
_LONGEST_TITLE = 128
_MOST_PLACES = 30  # that one requirement names
_LONGEST_DESCRIPTION = 2_000


class MTurk:
    """The platform `mturk`."""

    name = "mturk"
    capabilities = Capabilities(
        pays=True,
        groups=True,
        messages=True,
        listing_per_batch=True,
        deletes=True,
        approves_rejected=True,
        currencies=("USD",),
    )
    fields = ("assignmentId", "hitId", "workerId", "turkSubmitTo")

    def where(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """The requester API's `endpoint`, and the origins to which workers may be sent back, `submit_to`.

        Raises OptionError where the environment names no marketplace, or none that can be used.
        """
        endpoint, public = environ.get("AWS_ENDPOINT_URL_MTURK"), environ.get("CROWDLOOM_MTURK")
        if public and endpoint:
            raise OptionError("AWS_ENDPOINT_URL_MTURK and CROWDLOOM_MTURK each name a marketplace; unset one of them")
        if public and public not in _PUBLIC:
            raise OptionError(f"CROWDLOOM_MTURK is {public!r}; set it to sandbox or production")
        if public:
            endpoint = str(_PUBLIC[public]["endpoint"])
        if not endpoint:
            raise OptionError(
                "no MTurk marketplace is named, and Amazon closed the public one on 2026-09-30; set "
                "AWS_ENDPOINT_URL_MTURK to the address of yours (`crowdloom marketplace` starts one)"
            )
        origin = read_origin(endpoint.rstrip("/"))
        if origin is None:
            # It may hold a password, so it is not repeated.
            raise OptionError(
                "AWS_ENDPOINT_URL_MTURK is no plain address; write it as https://HOST or http://HOST:PORT, "
                "without user name, path or query"
            )
        known = next((place for place in _PUBLIC.values() if place["endpoint"] == str(origin)), None)
        if known is not None:
            return {"endpoint": str(origin), "submit_to": list(known["submit_to"])}
        return {"endpoint": str(origin), "submit_to": [str(origin), *_further_origins(environ)]}

    def frame_ancestors(self, where: Mapping[str, Any]) -> Sequence[str]:
        """The marketplace's own origins; of this very machine under both of its names."""
        for place in _PUBLIC.values():
            if where.get("endpoint") == place["endpoint"]:
                return tuple(place["frames"])
        return tuple(dict.fromkeys(name for given in where.get("submit_to", ()) for name in spellings(given)))

    def arrive(self, query: Mapping[str, str], where: Mapping[str, Any]) -> Arrival:
        """Who arrives: the four fields that the marketplace appends. Without a worker it is a preview.

        Raises PlaceError for ids that MTurk never gives, and for an address to hand in at that is not the
        marketplace's: a page that posted there would be an open redirect.
        """
        given = {name: query.get(name, "") for name in self.fields}
        assignment, hit, worker = given["assignmentId"], given["hitId"], given["workerId"]
        if hit and not re.fullmatch(r"[A-Z0-9]{1,64}", hit, re.ASCII):
            raise _strange("hitId")
        if assignment == PREVIEW or not worker:
            return Arrival(participant=None, listing=hit or None, preview=True)
        if not re.fullmatch(r"[A-Z0-9]{1,64}", assignment, re.ASCII):
            raise _strange("assignmentId")
        if not re.fullmatch(r"A[A-Z0-9]{1,63}", worker, re.ASCII):
            raise _strange("workerId")
        return_to = read_origin(given["turkSubmitTo"])
        allowed = [read_origin(origin) for origin in where.get("submit_to", ())]
        if return_to is None or not any(origin and is_same_origin(return_to, origin) for origin in allowed):
            raise PlaceError(
                "This page was not opened by the marketplace on which the study is published; open the HIT there again."
            )
        return Arrival(worker, assignment, hit or None, return_to=str(return_to))

    def hand_back(self, ending: Ending, where: Mapping[str, Any]) -> HandBack | None:
        """The form that hands the assignment in. Who did not take part is to return the HIT, by MTurk's own button."""
        arrival = ending.arrival
        if arrival.return_to is None or arrival.submission is None or ending.outcome in ("no_consent", "screened_out"):
            return None
        fields = {
            "assignmentId": arrival.submission,
            "submission": ending.submission or "",  # MTurk wants at least one field more
            "outcome": ending.outcome,
            "code": ending.code,
        }
        return HandBack(f"{arrival.return_to}/mturk/externalSubmit", fields)

    def fee(self, rewards: Sequence[int], bonuses: int, design: Design) -> Fee:
        """20 % of every reward (40 % on a HIT of 10 places or more) and of every bonus, each 1 cent at least.

        The sum of the bonuses counts as so many of the design's bonus, where it has one.
        """
        reward = design.people.reward.amount if design.people.reward else 0
        on_rewards = sum(places * _fifth(reward) * (2 if places >= MANY_PLACES else 1) for places in rewards)
        each = design.bonus.amount.amount if design.bonus and design.bonus.amount.amount else bonuses
        number, rest = divmod(bonuses, each) if each else (0, 0)
        on_bonuses = number * _fifth(each) + (_fifth(rest) if rest else 0)
        sentence = (
            "The marketplace takes 20 % of each reward and bonus, 20 % of the reward more on HITs of "
            f"{MANY_PLACES} places or more, and 0.01 USD at least."
        )
        return Fee(on_rewards, on_bonuses, sentence)

    def check_design(self, design: Design) -> str | None:
        """What MTurk cannot do with this design (one sentence), or None."""
        return next(_problems(design), None)

    def connect(self, where: Mapping[str, Any], environ: Mapping[str, str]) -> MTurkAccount:
        """The account of the credentials that boto3 finds in its usual places. Raises CredentialsError for none."""
        from crowdloom.studies.platforms.mturk_account import connect

        return connect(str(where["endpoint"]), environ)


def _problems(design: Design) -> Iterator[str]:
    people, options = design.people, design.mturk
    if people.reward is None or people.reward.currency != "USD":
        got = f"people.reward is {people.reward}" if people.reward else "people.reward is missing"
        yield f'MTurk pays in US dollars: {got}; write one such as "0.60 USD"'
    if (count := count_requirements(design)) > MOST_REQUIREMENTS:
        yield (
            f"a HIT takes at most {MOST_REQUIREMENTS} qualification requirements, and mturk.qualifications with "
            f"eligibility.exclude_studies come to {count}; take some of them out"
        )
    if len(options.qualifications.locale) > _MOST_PLACES:
        yield (
            f"mturk.qualifications.locale names {len(options.qualifications.locale)} countries and states; "
            f"MTurk takes {_MOST_PLACES}"
        )
    if len(design.title) > _LONGEST_TITLE:
        yield f"title has {len(design.title)} characters; MTurk shows at most {_LONGEST_TITLE}"
    if options.description and len(options.description) > _LONGEST_DESCRIPTION:
        yield f"mturk.description has {len(options.description):,} characters; MTurk takes {_LONGEST_DESCRIPTION:,}"
    if options.delivery == "server" and people.submissions_per_participant > 1:
        yield (
            "people.submissions_per_participant is above 1, and a worker does a HIT only once; "
            'set mturk.delivery = "batches", which makes a HIT of each batch'
        )
    if options.delivery == "html":
        yield from _needs_our_server(design)


def _needs_our_server(design: Design) -> Iterator[str]:
    """What a page that is delivered whole cannot do, though the design asks for it."""
    if TASKS[design.task].live_steps:
        yield f'the task {design.task} needs our server between its steps; set mturk.delivery = "server"'
    if design.background:
        yield 'background questions are asked by our own pages alone; leave them out, or set mturk.delivery = "server"'
    if any(questionnaire.after == "item" for questionnaire in design.questionnaires):
        yield 'questionnaires after each item are asked by our own pages alone; set mturk.delivery = "server"'
    if design.batches.order == "counterbalanced":
        yield 'a counterbalanced order is given out by our own pages alone; set mturk.delivery = "server"'


def _further_origins(environ: Mapping[str, str]) -> list[str]:
    origins = []
    for written in filter(None, (part.strip() for part in environ.get("CROWDLOOM_MTURK_SUBMIT_TO", "").split(","))):
        origin = read_origin(written.rstrip("/"))
        if origin is None:
            raise OptionError(
                f"CROWDLOOM_MTURK_SUBMIT_TO has {urlsplit(written).hostname or 'something'!r} in it, which is not "
                "written as an origin; write https://HOST or http://HOST:PORT, several with commas between them"
            )
        origins.append(str(origin))
    return origins


def _strange(field: str) -> PlaceError:
    return PlaceError(f"The link has no {field} such as the marketplace gives; open the HIT there again.")


def _fifth(amount: int) -> int:
    """20 %, to the nearest cent, and 1 cent at least."""
    return max((amount + 2) // 5, 1)
