"""People on a marketplace that speaks the MTurk protocol: qualifications and messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crowdloom.studies.errors import PlatformError, PlatformRefusedError
from crowdloom.studies.platforms.mturk_calls import Requester, one_by_one, or_none

_WORKERS_AT_ONCE = 100
_LONGEST_SUBJECT, _LONGEST_TEXT = 200, 4096


class Workers(Requester):
    """Groups of workers, as qualification types of the account's own, and messages to workers."""

    def ensure_group(self, name: str) -> str:
        """The qualification type of this name among the account's own; workers cannot ask for it."""
        known = self._group(name)
        if known is not None:
            return known
        try:
            answer = self._call(
                "create_qualification_type",
                Name=name,
                Description="Took part in a study of this requester, who grants it without being asked.",
                QualificationTypeStatus="Active",
            )
            return str(self._call.part(answer, "QualificationType")["QualificationTypeId"])
        except PlatformError:
            # Somebody else made it at this very moment, or our own call had its effect.
            if (made := or_none(lambda: self._group(name))) is not None:
                return made
            raise

    def _group(self, name: str) -> str | None:
        own = self._call.pages(
            "list_qualification_types", "QualificationTypes", MustBeRequestable=False, MustBeOwnedByCaller=True
        )
        return next((str(kind["QualificationTypeId"]) for kind in own if kind["Name"] == name), None)

    def add_to_group(self, group: str, participants: Sequence[str]) -> None:
        """Grant the qualification, without the mail that MTurk sends otherwise."""

        def grant(worker: str) -> None:
            self._call(
                "associate_qualification_with_worker",
                QualificationTypeId=group,
                WorkerId=worker,
                IntegerValue=1,
                SendNotification=False,
            )

        one_by_one(grant, participants)

    def remove_from_group(self, group: str, participants: Sequence[str]) -> None:
        """Take the qualification back; MTurk tells the worker, without a reason."""

        def revoke(worker: str) -> None:
            self._confirmed(
                lambda: self._call(
                    "disassociate_qualification_from_worker", QualificationTypeId=group, WorkerId=worker
                ),
                lambda: worker not in self._members(group),
            )

        one_by_one(revoke, participants)

    def _members(self, group: str) -> set[str]:
        rows = self._call.pages(
            "list_workers_with_qualification_type", "Qualifications", QualificationTypeId=group, Status="Granted"
        )
        return {row["WorkerId"] for row in rows}

    def message(self, participants: Sequence[str], subject: str, text: str, listing: str | None = None) -> None:
        """Write to workers, 100 at a time. Raises PlatformError that names those who could not be written to."""
        if len(subject) > _LONGEST_SUBJECT or len(text) > _LONGEST_TEXT:
            raise PlatformRefusedError(
                f"the message has {len(subject)} and {len(text)} characters; MTurk takes {_LONGEST_SUBJECT} in the "
                f"subject and {_LONGEST_TEXT:,} in the text"
            )

        failed: list[dict[str, Any]] = []

        def write(workers: Sequence[str]) -> None:
            answer = self._once("notify_workers", Subject=subject, MessageText=text, WorkerIds=list(workers))
            failed.extend(answer.get("NotifyWorkersFailureStatuses") or [])

        starts = range(0, len(participants), _WORKERS_AT_ONCE)
        one_by_one(write, [participants[start : start + _WORKERS_AT_ONCE] for start in starts])
        if failed:
            names = ", ".join(str(status.get("WorkerId")) for status in failed[:10])
            raise PlatformError(
                f"{len(failed)} of {len(participants)} workers were not written to ({names}"
                f"{' …' if len(failed) > 10 else ''}); MTurk writes only to those whose work you reviewed",
                code=failed[0].get("NotifyWorkersFailureCode"),
            )
