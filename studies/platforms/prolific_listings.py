"""Studies on Prolific: created once for each token, published, paused, filled up, stopped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from crowdloom.studies.errors import PlatformError, PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.platforms.prolific_api import PAGE, NotFoundError, look, part
from crowdloom.studies.platforms.prolific_study import read_study, study_body
from crowdloom.studies.platforms.prolific_values import check_id
from crowdloom.studies.platforms.prolific_workspace import ProlificWorkspace
from crowdloom.studies.platforms.protocol import Listed, Notice


class ProlificListings(ProlificWorkspace):
    """What an account can do with studies; submissions and payments come on top."""

    def create(self, notice: Notice) -> Listed:
        """A draft, or the study that carries this notice's token already."""
        reward = notice.design.people.reward
        if reward is None:
            raise PlatformRefusedError("Prolific needs a reward; give one as people.reward")
        self._check_currency(reward)
        project = notice.design.prolific.project
        self._check_project(project)
        if (found := self._find(notice, project)) is not None:
            return found
        doing = "create the study"
        try:
            return self._listed(self._api.call("POST", "studies/", doing, body=study_body(notice)).data, doing)
        except PlatformUnsureError:
            if (found := look(lambda: self._find(notice, project))) is not None:
                return found
            raise

    def find(self, notice: Notice) -> Listed | None:
        """The study whose internal name has the notice's token in it, if there is one."""
        return self._find(notice, notice.design.prolific.project)

    def open(self, listing: str) -> Listed:
        """Publish a draft or go on with what is paused. A closed one is opened by adding places (`set_places`)."""
        now = self.listing(listing)
        if now.state == "open":
            return now
        if now.state == "closed":
            raise PlatformRefusedError(f"study {listing} is closed on Prolific; add places, which opens it again")
        if now.vendor_state == "SCHEDULED":
            raise PlatformRefusedError(
                f"study {listing} is scheduled on Prolific to be published; cancel that there first"
            )
        return self._move(now, "PUBLISH" if now.state == "draft" else "START", "open")

    def pause(self, listing: str) -> Listed:
        """Pause what is open; a draft and what is closed let nobody in anyway, and a full study is refused."""
        now = self.listing(listing)
        return self._move(now, "PAUSE", "paused") if now.state == "open" else now

    def set_places(self, listing: str, places: int) -> Listed:
        """Raise the places. A full study, and one that was stopped, thereby goes on; a paused one stays paused.

        Fewer places than before are refused without a call, since Prolific only goes up.
        """
        now = self.listing(listing)
        if places == now.places:
            return now
        if places < now.places and now.state != "draft":
            raise PlatformRefusedError(
                f"study {listing} has {now.places} places, and Prolific lets nobody lower them to {places}; close it"
            )
        doing = "change the places"
        body = {"total_available_places": places}
        try:
            return self._listed(
                self._api.call("PATCH", f"studies/{check_id(listing)}/", doing, body=body, repeat=True).data
            )
        except PlatformUnsureError:
            if (after := look(lambda: self.listing(listing))) is not None and after.places == places:
                return after
            raise

    def close(self, listing: str) -> Listed:
        """Stop for good; a draft is deleted. A full study that Prolific does not let stop lets nobody in either."""
        try:
            now = self.listing(listing)
        except NotFoundError:
            return Listed(listing, "closed", "DELETED", 0, gone=True)
        if now.state == "draft":
            return self._delete(now)
        if now.state == "closed":
            return now
        try:
            return self._move(now, "STOP", "closed")
        except PlatformRefusedError:
            if now.vendor_state == "AWAITING REVIEW":
                return replace(now, state="closed")
            raise

    def delete(self, listing: str) -> Listed:
        """Refused: Prolific keeps its studies; a draft is deleted by closing it."""
        raise PlatformRefusedError(f"Prolific keeps the study {listing} for good; only drafts can be deleted")

    def listing(self, listing: str) -> Listed:
        """The study as it stands. One that is full is still open, its `vendor_state` being AWAITING REVIEW."""
        return self._listed(self._api.get(f"studies/{check_id(listing)}/", "look at the study"))

    def _delete(self, draft: Listed) -> Listed:
        path, doing = f"studies/{check_id(draft.remote_id)}/", "delete the draft"
        try:
            if draft.vendor_state == "SCHEDULED":
                body = {"action": "CANCEL_PUBLISH"}
                self._api.call("POST", f"{path}transition/", "cancel the scheduled publication", body=body)
            self._api.call("DELETE", path, doing)
        except PlatformError:
            if not look(lambda: self._is_gone(draft.remote_id)):
                raise
        return replace(draft, state="closed", vendor_state="DELETED", gone=True)

    def _is_gone(self, listing: str) -> bool:
        try:
            self.listing(listing)
        except NotFoundError:
            return True
        return False

    def _move(self, now: Listed, action: str, wanted: str) -> Listed:
        """One transition, sent once; whether it came about is read where that is not clear."""
        doing = f"{action.lower()} the study"
        path = f"studies/{check_id(now.remote_id)}/transition/"
        try:
            return self._listed(self._api.call("POST", path, doing, body={"action": action}).data)
        except (PlatformRefusedError, PlatformUnsureError):
            if (after := look(lambda: self.listing(now.remote_id))) is not None and after.state == wanted:
                return after
            raise

    def _find(self, notice: Notice, project: str | None) -> Listed | None:
        path, doing = "studies/", "look for the study"
        query: dict[str, str | int] = {}
        if project is not None:
            path = f"projects/{check_id(project)}/studies/"
            query = {"page": 1, "page_size": PAGE, "ordering": "-date_created"}
        for row in self._api.pages(path, doing, **query):
            # Not the whole name, which may be changed there.
            if notice.token in str(row.get("internal_name")):
                return self.listing(str(part(row, "id", doing)))
        return None

    def _listed(self, study: Any, doing: str = "look at the study") -> Listed:
        for name in ("id", "status", "total_available_places"):
            part(study, name, doing)
        try:
            return read_study(study, self._app)
        except ValueError as error:
            raise PlatformUnsureError(f"Prolific gives the study a state that is not known: {error}") from None
