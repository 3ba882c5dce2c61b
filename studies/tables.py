"""The schema, to be read in one go, and therefore in one long file. Migrations stand beside it in `migrations/`.

Conventions: `id` is an internal integer that never leaves the server; whatever
appears in a URL, an export or a release is a random `token` or `pseudonym`.
Times are UTC. Money is an integer number of minor units plus a currency.
The tables of `APPEND_ONLY` are: triggers refuse UPDATE and DELETE. `recording` is, too, but that people may have it
deleted: a trigger lets DELETE through where an event says that it was asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Connection,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UTCDateTime(TypeDecorator[datetime]):
    """Time-zone aware UTC in Python, whatever the database keeps (SQLite keeps no zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored; use datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows only for INTEGER keys


class Table(DeclarativeBase):
    """The base of all tables; `Table.metadata` is the schema of a fresh database."""

    type_annotation_map = {
        dict[str, Any]: JSON,
        list[Any]: JSON,
        datetime: UTCDateTime,
        bytes: LargeBinary,
        float: Float,  # said here because SQLAlchemy 2.0 and 2.1 differ in what they take for granted
    }


def _id() -> Mapped[int]:
    return mapped_column(Key, primary_key=True, autoincrement=True)


def _to(column: str, **options: Any) -> Mapped[Any]:
    return mapped_column(Key, ForeignKey(column), **options)


def _to_response(name: str) -> Mapped[Any]:
    """A column that came later to its table: SQLite adds a reference to a table only under a name."""
    return mapped_column(Key, ForeignKey("response.id", name=name))


def _unique_where(condition: str, name: str, *columns: str) -> Index:
    where = text(condition)
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


class Study(Table):
    """What is asked, over all versions of its design."""

    __tablename__ = "study"
    id: Mapped[int] = _id()
    name: Mapped[str] = mapped_column(String(100), unique=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime]


class Design(Table):
    """One frozen version of a study's design; a change is a new row."""

    __tablename__ = "design"
    __table_args__ = (UniqueConstraint("study_id", "version"),)
    id: Mapped[int] = _id()
    study_id: Mapped[int] = _to("study.id")
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))  # of the design and of the items it was loaded with
    task: Mapped[str] = mapped_column(String(50))
    source: Mapped[str] = mapped_column(Text)  # the TOML as written
    values: Mapped[dict[str, Any]]  # the design as validated
    created_at: Mapped[datetime]


class Condition(Table):
    """One arm of a design; a study without arms has one, called `default`."""

    __tablename__ = "condition"
    __table_args__ = (UniqueConstraint("design_id", "name"),)
    id: Mapped[int] = _id()
    design_id: Mapped[int] = _to("design.id")
    name: Mapped[str] = mapped_column(String(100))
    values: Mapped[dict[str, Any]]


class Media(Table):
    """Content-addressed bytes; `content` is empty where `location` names an S3 object."""

    __tablename__ = "media"
    __table_args__ = (CheckConstraint("(content IS NULL) <> (location IS NULL)", name="media_is_somewhere"),)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    mime: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes | None]
    location: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class Item(Table):
    """A stimulus of a study: `media` as it came, `shown` as the pages show it."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("study_id", "key", "content_sha256"),)
    id: Mapped[int] = _id()
    study_id: Mapped[int] = _to("study.id")
    key: Mapped[str] = mapped_column(String(200))
    content_sha256: Mapped[str] = mapped_column(String(64))  # of the media and the attributes
    token: Mapped[str] = mapped_column(String(32), unique=True)
    media: Mapped[str | None] = mapped_column(ForeignKey("media.sha256"))
    shown: Mapped[str | None] = mapped_column(ForeignKey("media.sha256"))
    width: Mapped[int | None]  # of `shown`, in pixels, so that its room is held before it comes
    height: Mapped[int | None]
    reference: Mapped[str | None] = mapped_column(String(200))  # the class that the source gives it
    difficulty: Mapped[float | None] = mapped_column(Float)
    attributes: Mapped[dict[str, Any]]


class Batch(Table):
    """The items that one participant sees, in the design's order."""

    __tablename__ = "batch"
    __table_args__ = (UniqueConstraint("condition_id", "number"),)
    id: Mapped[int] = _id()
    condition_id: Mapped[int] = _to("condition.id")
    number: Mapped[int]


class BatchItem(Table):
    """An item at its position (from 0) in a batch."""

    __tablename__ = "batch_item"
    batch_id: Mapped[int] = _to("batch.id", primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    item_id: Mapped[int] = _to("item.id", index=True)


class Posting(Table):
    """A design published on a platform; `token` is what its link carries."""

    __tablename__ = "posting"
    id: Mapped[int] = _id()
    design_id: Mapped[int] = _to("design.id", index=True)
    platform: Mapped[str] = mapped_column(String(20))
    token: Mapped[str] = mapped_column(String(32), unique=True)
    state: Mapped[str] = mapped_column(String(10))  # draft | open | paused | closed
    values: Mapped[dict[str, Any]]  # where: the platform's service; codes: completion codes by outcome
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Listing(Table):
    """What a platform knows of a posting by an id of its own: a HIT, a Prolific study.

    Written before the platform is asked, so that after a crash it is found again by its token. A listing
    with a batch hands out just this one; one with a submission is for its participant alone, who completed
    it and could not hand it in. `places` is how many the platform is to have in all.
    """

    __tablename__ = "listing"
    id: Mapped[int] = _id()
    posting_id: Mapped[int] = _to("posting.id", index=True)
    batch_id: Mapped[int | None] = _to("batch.id")
    submission_id: Mapped[int | None] = _to("submission.id")
    token: Mapped[str] = mapped_column(String(32), unique=True)
    remote_id: Mapped[str | None] = mapped_column(String(100), index=True)
    state: Mapped[str] = mapped_column(String(10))  # planned | draft | open | paused | closed
    places: Mapped[int]
    content: Mapped[str | None] = mapped_column(Text)  # the question as sent, where it needs no server of ours
    created_at: Mapped[datetime]


class Invitation(Table):
    """A personal link to a posting by the direct link; its token is the participant's platform id."""

    __tablename__ = "invitation"
    id: Mapped[int] = _id()
    posting_id: Mapped[int] = _to("posting.id", index=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    created_at: Mapped[datetime]


class ParticipantGroup(Table):
    """The group that a platform keeps of the people of a study (a qualification, a participant group)."""

    __tablename__ = "participant_group"
    __table_args__ = (UniqueConstraint("study_id", "platform", "service"),)
    id: Mapped[int] = _id()
    study_id: Mapped[int] = _to("study.id")
    platform: Mapped[str] = mapped_column(String(20))
    service: Mapped[str] = mapped_column(String(200))
    remote_id: Mapped[str] = mapped_column(String(100))


class Participant(Table):
    """A person. The only table with a platform id; all else knows the pseudonym."""

    __tablename__ = "participant"
    __table_args__ = (UniqueConstraint("platform", "platform_id"),)
    id: Mapped[int] = _id()
    pseudonym: Mapped[str] = mapped_column(String(32), unique=True)
    platform: Mapped[str] = mapped_column(String(20))
    platform_id: Mapped[str | None] = mapped_column(Text)  # sealed where there is a key; empty once forgotten
    created_at: Mapped[datetime]


class Submission(Table):
    """One participant's pass through one batch.

    state: started -> completed; or refused (no consent), failed_check (the
    comprehension check), left (said so). A place may be lost in the meantime:
    `surplus` says that the answers came without one.
    """

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("posting_id", "participant_id", "attempt"),
        Index("submission_by_participant", "participant_id"),
    )
    id: Mapped[int] = _id()
    token: Mapped[str] = mapped_column(String(64), unique=True)  # in the participant's URL, never exported
    pseudonym: Mapped[str] = mapped_column(String(32), unique=True)  # in exports
    posting_id: Mapped[int] = _to("posting.id")
    participant_id: Mapped[int] = _to("participant.id")
    batch_id: Mapped[int | None] = _to("batch.id", index=True)
    attempt: Mapped[int] = mapped_column(server_default="1")
    state: Mapped[str] = mapped_column(String(20))
    surplus: Mapped[bool] = mapped_column(server_default=text("false"))
    copy_of: Mapped[int | None] = _to("submission.id")  # an import kept a session that stands twice in its file
    item_order: Mapped[list[Any]]  # [[item id, repeat index], …] as shown
    class_order: Mapped[list[Any]]
    checks_failed: Mapped[int] = mapped_column(server_default="0")
    stage: Mapped[str] = mapped_column(String(20))  # instructions | check | trials | questionnaire-N | debrief | done
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    review: Mapped[str | None] = mapped_column(String(20))  # approved | rejected | returned
    reviewed_at: Mapped[datetime | None]


class RemoteSubmission(Table):
    """What a platform says of a submission: only the platform sets it, our view of it comes from polling.

    Unique on (posting, id, participant), because MTurk gives an assignment id to another person after
    a return. Several may lead to one submission of ours: somebody gave one back and took another.
    """

    __tablename__ = "remote_submission"
    __table_args__ = (UniqueConstraint("posting_id", "remote_id", "participant_id"),)
    id: Mapped[int] = _id()
    posting_id: Mapped[int] = _to("posting.id")
    listing_id: Mapped[int | None] = _to("listing.id")
    participant_id: Mapped[int] = _to("participant.id", index=True)
    submission_id: Mapped[int | None] = _to("submission.id", index=True)
    remote_id: Mapped[str | None] = mapped_column(String(100))  # empty once forgotten
    return_to: Mapped[str | None] = mapped_column(Text)  # where the browser hands it in
    state: Mapped[str] = mapped_column(String(20))  # arrived | active | submitted | approved | rejected | returned | …
    vendor_state: Mapped[str | None] = mapped_column(String(30))
    code: Mapped[str | None] = mapped_column(String(100))  # the completion code handed in
    grouped: Mapped[bool] = mapped_column(server_default=text("false"))  # in the study's group there
    arrived_at: Mapped[datetime | None]  # when its link was last opened: that is the one to hand in
    started_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]  # when the platform was last asked


class Place(Table):
    """The right to fill one of the R submissions that a batch wants.

    state: open (nobody's), held (until `held_until`), filled (its submission is complete and counts).
    """

    __tablename__ = "place"
    __table_args__ = (
        UniqueConstraint("batch_id", "number"),
        UniqueConstraint("submission_id"),
        CheckConstraint("(state = 'open') = (submission_id IS NULL)", name="open_places_are_nobodys"),
        Index("place_by_state", "batch_id", "state"),
    )
    id: Mapped[int] = _id()
    batch_id: Mapped[int] = _to("batch.id")
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(10))
    submission_id: Mapped[int | None] = _to("submission.id")
    held_until: Mapped[datetime | None]


class Response(Table):
    """One answer to one item. `answer` is the record; `packed` holds the task's typed columns."""

    __tablename__ = "response"
    __table_args__ = (UniqueConstraint("submission_id", "item_id", "repeat_index"),)
    id: Mapped[int] = _id()
    submission_id: Mapped[int] = _to("submission.id")
    item_id: Mapped[int] = _to("item.id", index=True)
    repeat_index: Mapped[int]  # 0 for the first answer, 1 … for repeats
    position: Mapped[int]  # from 0, in the order shown
    answer: Mapped[dict[str, Any]]
    packed: Mapped[bytes | None]
    rt_ms: Mapped[int | None]
    timing: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # see static/timing.js
    answered_at: Mapped[datetime]


class Event(Table):
    """Anything else that happened: consent, checks, debrief answers, a second answer, a screen imported."""

    __tablename__ = "event"
    id: Mapped[int] = _id()
    submission_id: Mapped[int | None] = _to("submission.id", index=True)
    kind: Mapped[str] = mapped_column(String(50))
    values: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Job(Table):
    """Long work: taken by a worker under a lease, kept alive by its heartbeat.

    state: queued -> running -> done | failed | cancelled.
    """

    __tablename__ = "job"
    __table_args__ = (Index("job_queue", "state", "id"),)
    id: Mapped[int] = _id()
    token: Mapped[str] = mapped_column(String(32), unique=True)
    submission_id: Mapped[int | None] = _to("submission.id", index=True)
    task: Mapped[str] = mapped_column(String(50))
    step: Mapped[str] = mapped_column(String(50))
    state: Mapped[str] = mapped_column(String(10))
    input: Mapped[dict[str, Any]]
    progress: Mapped[float] = mapped_column(server_default="0")
    message: Mapped[str | None] = mapped_column(Text)
    output: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(server_default="0")
    cancel_asked: Mapped[bool] = mapped_column(server_default=text("false"))
    time_limit_s: Mapped[float]
    worker: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    trial: Mapped[str | None] = mapped_column(String(50))  # what its page's form carries, where a trial's page asked


class Recording(Table):
    """A piece of what a participant said aloud at a trial; several pieces in their order are one recording, a file.

    A recording ends with the page or with a click, and the next has the next number. Nothing of a piece changes, and
    it is deleted only once an event `audio_deleted` of the submission says so.
    """

    __tablename__ = "recording"
    __table_args__ = (UniqueConstraint("submission_id", "item_id", "repeat_index", "number", "chunk"),)
    id: Mapped[int] = _id()
    submission_id: Mapped[int] = _to("submission.id")
    item_id: Mapped[int] = _to("item.id")
    repeat_index: Mapped[int]
    number: Mapped[int]  # of the recording at this trial, from 1
    chunk: Mapped[int]  # of the piece in its recording, from 0
    at: Mapped[datetime]  # when the piece begins, by the server's clock
    offset_ms: Mapped[int]  # the same by the page's clock, since the page was opened
    mime: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes]


class Payment(Table):
    """Money owed or sent: written before any call that sends it; one row per submission and purpose.

    state: pending -> sent (written before the call) -> confirmed (the platform shows it) | unknown (nobody can
    know; the platform is asked, never paid again blindly) | pending again (it was certainly not paid) |
    cancelled (no longer owed, never sent).
    """

    __tablename__ = "payment"
    __table_args__ = (UniqueConstraint("submission_id", "purpose"), Index("payment_by_state", "state"))
    id: Mapped[int] = _id()
    submission_id: Mapped[int] = _to("submission.id")
    remote_submission_id: Mapped[int | None] = _to("remote_submission.id")  # which one the platform pays
    purpose: Mapped[str] = mapped_column(String(20))  # reward | bonus | top_up
    token: Mapped[str] = mapped_column(String(32), unique=True)  # by which the platform knows a repeated call
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(10))
    reference: Mapped[str | None] = mapped_column(String(100))  # the platform's own, where it gives one
    message: Mapped[str | None] = mapped_column(Text)  # what went wrong last, the vendor's code included
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]


class HookEvent(Table):
    """A platform's event that was taken: the same one again changes nothing."""

    __tablename__ = "hook_event"
    platform: Mapped[str] = mapped_column(String(20), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    kind: Mapped[str] = mapped_column(String(50))
    received_at: Mapped[datetime]


class Exclusion(Table):
    """A submission left out of the analysis, with its reason; the data stay."""

    __tablename__ = "exclusion"
    __table_args__ = (UniqueConstraint("submission_id"),)
    id: Mapped[int] = _id()
    submission_id: Mapped[int] = _to("submission.id")
    reason: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class LabelSet(Table):
    """Labels built one way from one study: how, from which responses, and the file's digest."""

    __tablename__ = "label_set"
    id: Mapped[int] = _id()
    study_id: Mapped[int] = _to("study.id", index=True)
    token: Mapped[str] = mapped_column(String(32), unique=True)
    recipe: Mapped[dict[str, Any]]  # variety, gamma, aggregate, repeats
    responses: Mapped[int]
    left_out: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))  # of the label array
    created_at: Mapped[datetime]


class TrainingRun(Table):
    """What came of training one network with one seed on one set of labels; `study_id` is empty where no study's were.

    The digest is of all that decides the result. Tables of several experiments may ask for the same run, so it stands
    once for each row of a table; the two indexes say so, as an empty `study_id` equals no other.
    """

    __tablename__ = "training_run"
    __table_args__ = (
        _unique_where("study_id IS NOT NULL", "training_run_of_study", "study_id", "experiment", "row", "digest"),
        _unique_where("study_id IS NULL", "training_run_of_nobody", "experiment", "row", "digest"),
    )
    id: Mapped[int] = _id()
    study_id: Mapped[int | None] = _to("study.id")
    token: Mapped[str] = mapped_column(String(32), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    experiment: Mapped[str] = mapped_column(Text)
    row: Mapped[str] = mapped_column(Text)
    network: Mapped[str] = mapped_column(String(50))
    seed: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))  # done | failed
    metrics: Mapped[dict[str, Any]]  # {evaluation: {metric: value, or null where it is not defined}}
    record: Mapped[dict[str, Any]]  # all that it takes to do it again
    error: Mapped[str | None] = mapped_column(Text)  # why it failed
    seconds: Mapped[float]
    created_at: Mapped[datetime]


class Release(Table):
    """A versioned, anonymised data set that was given away; with its date and key it can be built again."""

    __tablename__ = "release"
    __table_args__ = (UniqueConstraint("study_id", "version"),)
    id: Mapped[int] = _id()
    study_id: Mapped[int] = _to("study.id")
    version: Mapped[int]
    key: Mapped[bytes]  # of the pseudonyms in it, never exported
    options: Mapped[dict[str, Any]]  # licence, free_text, images, creators, design
    sha256: Mapped[str] = mapped_column(String(64))  # of the content: tables, labels and design
    manifest: Mapped[dict[str, Any]]  # counts, and files: the digest of each
    created_at: Mapped[datetime]


class Coder(Table):
    """A researcher who puts a study's items into categories; the token is in their personal link."""

    __tablename__ = "coder"
    __table_args__ = (UniqueConstraint("study_id", "name"),)
    id: Mapped[int] = _id()
    study_id: Mapped[int] = _to("study.id")
    name: Mapped[str] = mapped_column(String(100))
    token: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]


class Coding(Table):
    """The category that a coder gave an item, or one interaction of an answer; of several rows the newest counts."""

    __tablename__ = "coding"
    __table_args__ = (Index("coding_by_coder", "coder_id", "item_id"),)
    id: Mapped[int] = _id()
    item_id: Mapped[int] = _to("item.id")
    coder_id: Mapped[int] = _to("coder.id")
    category: Mapped[str] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime]
    response_id: Mapped[int | None] = _to_response("coding_response_id_fkey")  # where interactions are coded
    interaction: Mapped[int | None]


class Adjudication(Table):
    """The category that was decided for an item or an interaction, after its codes; the newest row counts."""

    __tablename__ = "adjudication"
    id: Mapped[int] = _id()
    item_id: Mapped[int] = _to("item.id", index=True)
    category: Mapped[str] = mapped_column(String(20))
    decided_by: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]
    response_id: Mapped[int | None] = _to_response("adjudication_response_id_fkey")
    interaction: Mapped[int | None]


class Access(Table):
    """A one-time link to the researcher's pages; only its digest is kept."""

    __tablename__ = "access"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


APPEND_ONLY = ("response", "event", "coding", "adjudication")


def append_only(dialect: str, table: str) -> list[str]:
    """The statements that make a table refuse UPDATE and DELETE, on SQLite and on PostgreSQL."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()",
    ]


def deleted_when_asked(dialect: str) -> list[str]:
    """The statements that make `recording` refuse UPDATE, and DELETE without an event that says who asked for it."""
    asked = "SELECT 1 FROM event WHERE event.submission_id = OLD.submission_id AND event.kind = 'audio_deleted'"
    refusal = "recording is deleted only after an event audio_deleted"
    if dialect == "sqlite":
        return [
            "CREATE TRIGGER recording_no_update BEFORE UPDATE ON recording "
            "BEGIN SELECT RAISE(ABORT, 'recording is append-only'); END",
            f"CREATE TRIGGER recording_no_delete BEFORE DELETE ON recording WHEN NOT EXISTS ({asked}) "
            f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END",
        ]
    return [
        "CREATE FUNCTION recording_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'recording is append-only'; END $$",
        "CREATE TRIGGER recording_append_only BEFORE UPDATE OR TRUNCATE ON recording "
        "FOR EACH STATEMENT EXECUTE FUNCTION recording_append_only()",
        "CREATE FUNCTION recording_deleted_when_asked() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NOT EXISTS ({asked}) THEN RAISE EXCEPTION '{refusal}'; END IF; RETURN OLD; END $$",
        "CREATE TRIGGER recording_deleted_when_asked BEFORE DELETE ON recording "
        "FOR EACH ROW EXECUTE FUNCTION recording_deleted_when_asked()",
    ]


@event.listens_for(Table.metadata, "after_create")
def _add_triggers(target: object, connection: Connection, **_: object) -> None:
    for table in APPEND_ONLY:
        for statement in append_only(connection.dialect.name, table):
            connection.exec_driver_sql(statement)
    for statement in deleted_when_asked(connection.dialect.name):
        connection.exec_driver_sql(statement)
