"""What the rest of the code may ask a platform; differences are said by values, not by `isinstance`.

A `Platform` is what the pages need of it: pure, without any network. Its `connect` gives an `Account`,
through which the researcher's commands speak with the platform. Both halves of a platform stand in one
file, which maps the vendor's words and errors to ours at its edge:

    PlatformRefusedError   the platform refused, and nothing changed there
    PlatformUnsureError    nobody can know whether anything changed there (a time-out, a 500, a torn answer)
    CredentialsError       the credentials are missing or not accepted
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from crowdloom.studies.design import Design
from crowdloom.studies.design_types import Money

Outcome = Literal["completed", "failed_attention_check", "no_consent", "screened_out"]
"""How a participation ended, as the completion code says it."""

ListingState = Literal["draft", "open", "paused", "closed"]
RemoteState = Literal["active", "submitted", "approved", "rejected", "returned", "timed_out", "screened_out"]
"""`active`: accepted, not handed in; only platforms with `lists_active` ever show it."""


LISTING_CANNOT_GROW = "LISTING_CANNOT_GROW"
"""The code of the refusal to make a listing larger than its platform allows; another is needed beside it."""


@dataclass(frozen=True)
class Capabilities:
    """In what a platform differs from the others."""

    pays: bool = False
    """Whether it moves money; where not, payments are recorded by hand."""
    drafts: bool = False
    """Whether a listing can be looked at before it is public."""
    pauses: bool = False
    groups: bool = False
    """Whether it keeps participants of one study out of another before they arrive."""
    messages: bool = False
    requests_return: bool = False
    lists_active: bool = False
    listing_per_batch: bool = False
    """Whether a design may ask it to hand out the batches itself, one listing each."""
    reason_min: int = 1
    """The fewest characters of a rejection's reason."""
    rejection_categories: tuple[str, ...] = ()
    """One of them goes with a rejection; empty where the platform knows none."""
    approvals_at_once: int = 1
    """How many submissions one call approves, wholly or not at all."""
    deletes: bool = False
    """Whether a closed listing can be taken off it for good."""
    approves_rejected: bool = False
    """Whether a rejection can be taken back."""
    bonuses_at_once: int = 1
    """How many bonuses one call pays."""
    bonus_settles: timedelta = timedelta(0)
    """How long a bonus that was asked for may still come although the platform shows none. Zero where
    asking again with the same token is harmless."""
    currencies: tuple[str, ...] = ()
    """The currencies it pays in; empty: any."""
    hourly_minimum: Mapping[str, int] = field(default_factory=dict)
    """By currency, in minor units: what it demands per hour."""
    identifies: bool = True
    """Whether it vouches for who arrives; a bare link does not."""


@dataclass(frozen=True)
class Arrival:
    """Who arrives, as the query string of the platform's link says."""

    participant: str | None
    """The platform's id of the person; None for a preview, or where the link carries none."""
    submission: str | None = None
    """The platform's id of what they are about to do (assignment, session)."""
    listing: str | None = None
    """The platform's id of the listing that they came from."""
    preview: bool = False
    return_to: str | None = None
    """The origin to which the participant's browser is to hand in; checked against an allow-list."""


@dataclass(frozen=True)
class Ending:
    """How a participation ended, as the way back to the platform needs to know it."""

    outcome: Outcome
    arrival: Arrival
    design: Design
    code: str
    """The posting's completion code for this outcome; of the direct link the submission's own code."""
    submission: str | None = None
    """Our code of the submission; None where nobody began."""


@dataclass(frozen=True)
class HandBack:
    """How the participant's browser gets back to the platform: a link to follow, or a form to post."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict)
    """Of the form; empty for a link."""
    code: str | None = None
    """A completion code to show beside it."""


@dataclass(frozen=True)
class Fee:
    """What a platform takes: minor units, and one sentence that says how it comes about."""

    on_rewards: int
    on_bonuses: int
    sentence: str


@dataclass(frozen=True)
class Notice:
    """What is published: one listing of a posting, as the platform is to show it."""

    token: str
    """Ours, random, unique for the listing: by it a listing is found again after a crash, and asking
    twice with it makes one listing."""
    posting: str
    """The posting's token."""
    study: str
    design: Design
    url: str
    """The https address that participants are to open; the platform's own placeholders are not in it yet."""
    places: int
    excluded_listings: Sequence[str] = ()
    """The platform's ids of listings of studies whose participants are kept out."""
    excluded_groups: Sequence[str] = ()
    """The platform's ids of the groups of these studies."""
    group: str | None = None
    """The platform's id of this study's own group, into which who takes part is put."""
    codes: Mapping[Outcome, str] = field(default_factory=dict)
    """The posting's completion codes."""
    html: str | None = None
    """A self-contained question, for a listing that needs no server of ours."""
    only_for: Sequence[str] = ()
    """The platform's ids of the only people who may see and take it; empty: everybody who is eligible."""


@dataclass(frozen=True)
class Listed:
    """A listing as the platform has it now."""

    remote_id: str
    state: ListingState
    vendor_state: str
    places: int
    """In all, taken or not."""
    url: str | None = None
    """Where a person sees it on the platform, if there is such a page."""
    gone: bool = False
    """It was deleted there and cannot be asked for any more."""


@dataclass(frozen=True)
class Remote:
    """A submission as the platform has it now."""

    id: str
    listing: str
    participant: str
    state: RemoteState
    vendor_state: str
    started_at: datetime | None = None
    submitted_at: datetime | None = None
    code: str | None = None
    """The completion code that the participant handed in."""
    answer: str | None = None
    """What came back with it, as the platform gives it (MTurk: the Answer XML)."""
    bonuses: Sequence[int] | None = None
    """The bonuses paid for it, in minor units; None where they must be asked for by `bonuses`."""


@dataclass(frozen=True)
class Bonus:
    """A bonus to be paid: the ledger's token, whom for what, how much, and the words that go with it."""

    token: str
    submission: str
    participant: str
    amount: Money
    reason: str


@dataclass(frozen=True)
class PaidBonus:
    """A bonus as the platform has it; `token` where the platform's record tells which of ours it is."""

    submission: str
    amount: int
    token: str | None = None


@dataclass(frozen=True)
class AccountInfo:
    """Whose account it is, where, and what is in it."""

    name: str
    where: str
    """The service's address, never with a credential."""
    balance: Money | None = None


class Account(Protocol):
    """A researcher's account on a platform. Every method may raise the errors named at the top.

    Calls are safe to repeat: a second approval, closing what is closed, creating with a token that was
    used are successes. The one exception is `pay_bonuses`, which the ledger calls once.
    """

    def info(self) -> AccountInfo:
        """Check the credentials; whose account it is and its balance."""

    def create(self, notice: Notice) -> Listed:
        """A new listing (a draft, where the platform has drafts), or the one that was created with this token."""

    def find(self, notice: Notice) -> Listed | None:
        """The listing that was created with this notice's token, if there is one."""

    def open(self, listing: str) -> Listed:
        """Make a draft public, or resume a paused listing."""

    def pause(self, listing: str) -> Listed:
        """Let nobody new in for the time being."""

    def set_places(self, listing: str, places: int) -> Listed:
        """Raise the places of a listing to this number in all.

        Refused with the code `LISTING_CANNOT_GROW` where the platform cannot go so far.
        """

    def close(self, listing: str) -> Listed:
        """Let nobody new in any more; who has begun may finish."""

    def delete(self, listing: str) -> Listed:
        """Take a closed listing off the platform for good. Refused while something of it is not reviewed."""

    def listing(self, listing: str) -> Listed:
        """A listing as it stands."""

    def submissions(self, listing: str) -> Iterator[Remote]:
        """All submissions to a listing that the platform shows, page by page."""

    def submission(self, remote_id: str) -> Remote:
        """One submission as it stands."""

    def approve(self, remote_ids: Sequence[str]) -> None:
        """Approve submissions, which pays their rewards. Approving one that is approved changes nothing."""

    def override_rejection(self, remote_id: str) -> None:
        """Approve a submission that was rejected. Refused where the platform does not allow it (any more)."""

    def reject(self, remote_id: str, reason: str, category: str | None = None) -> None:
        """Reject a submission; nothing is paid. `reason` has been checked against the capabilities."""

    def request_return(self, remote_id: str, reason: str) -> None:
        """Ask a participant to return a submission."""

    def prepare_bonuses(self, listing: str, bonuses: Sequence[Bonus]) -> str:
        """Set up bonuses without paying any; the reference by which `pay_bonuses` pays them."""

    def pay_bonuses(self, reference: str, bonuses: Sequence[Bonus]) -> None:
        """Pay what was set up under this reference. Not safe to repeat; see `bonuses`."""

    def bonuses(self, listing: str, remote_ids: Sequence[str]) -> Sequence[PaidBonus]:
        """The bonuses that the platform shows as paid for these submissions."""

    def ensure_group(self, name: str) -> str:
        """The id of the group of this name, which is made where there is none."""

    def add_to_group(self, group: str, participants: Sequence[str]) -> None:
        """Put people into a group, without telling them."""

    def remove_from_group(self, group: str, participants: Sequence[str]) -> None:
        """Take people out of a group."""

    def message(self, participants: Sequence[str], subject: str, text: str, listing: str | None = None) -> None:
        """Write to people."""


class Platform(Protocol):
    """A source of participants, as the pages and the command line know it."""

    @property
    def name(self) -> str:
        """The name on the command line and in the store."""

    @property
    def capabilities(self) -> Capabilities:
        """In what it differs from the others."""

    @property
    def fields(self) -> Sequence[str]:
        """The fields of its query string that `arrive` reads; the consent form carries them on."""

    def where(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """The service that the environment names, as the posting is to remember it (never a credential)."""

    def frame_ancestors(self, where: Mapping[str, Any]) -> Sequence[str]:
        """The origins that may show a posting's pages in a frame; empty for a platform that does not frame."""

    def arrive(self, query: Mapping[str, str], where: Mapping[str, Any]) -> Arrival:
        """Who arrives with this query string. Raises PlaceError where it cannot be the platform's."""

    def hand_back(self, ending: Ending, where: Mapping[str, Any]) -> HandBack | None:
        """The way back to the platform; None where there is none, and a page of ours is the end."""

    def fee(self, rewards: Sequence[int], bonuses: int, design: Design) -> Fee:
        """What it takes: `rewards` are the places of each listing (all at the design's reward), `bonuses` the
        sum of all bonuses in minor units."""

    def check_design(self, design: Design) -> str | None:
        """What keeps this design from being published here (one sentence), or None."""

    def connect(self, where: Mapping[str, Any], environ: Mapping[str, str]) -> Account:
        """The researcher's account. Raises CredentialsError where the environment has no credentials."""
