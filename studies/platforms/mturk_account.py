"""A requester's account on a marketplace that speaks the MTurk protocol, through boto3.

What may be asked twice, since botocore repeats a call whose answer it lost: reads, CreateHITType,
UpdateExpirationForHIT, ApproveAssignment, RejectAssignment, DeleteHIT and the granting of qualifications
come to the same; CreateHITWithHITType, CreateAdditionalAssignmentsForHIT and SendBonus carry a
UniqueRequestToken, which the marketplace remembers for 24 hours; a second qualification type of one name is
refused. NotifyWorkers is none of these, so it is never repeated. What was refused, or is unsure, is looked
up where it can be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import CredentialsError
from crowdloom.studies.platforms.mturk_assignments import Assignments
from crowdloom.studies.platforms.mturk_calls import cents
from crowdloom.studies.platforms.mturk_errors import Calls
from crowdloom.studies.platforms.mturk_hits import Hits
from crowdloom.studies.platforms.mturk_workers import Workers
from crowdloom.studies.platforms.protocol import AccountInfo, Listed, Notice


class MTurkAccount(Hits, Assignments, Workers):
    """What the researcher's commands do on the marketplace; see `Account` in `protocol.py` for what is promised."""

    def create(self, notice: Notice) -> Listed:
        """A HIT; one for a few people only is shown to nobody else, by a qualification of its own."""
        if notice.only_for:
            group = self.ensure_group(f"crowdloom {notice.token}")
            self.add_to_group(group, notice.only_for)
            notice = replace(notice, group=group)
        return super().create(notice)

    def info(self) -> AccountInfo:
        """The last four characters of the access key's id, and the balance that can be spent."""
        answer = self._call("get_account_balance")
        available = cents(self._call.part(answer, "AvailableBalance"))
        return AccountInfo(self._name, self._endpoint, Money(amount=available, currency="USD"))


@lru_cache(maxsize=1)
def _descriptions(folders: str | None) -> Any:
    """What reads Amazon's descriptions of its services and keeps them: most of the time that connecting takes.

    Those in `folders`, as AWS_DATA_PATH has them, go before botocore's own.
    """
    from botocore.loaders import create_loader

    return create_loader(folders)


def connect(endpoint: str, environ: Mapping[str, str]) -> MTurkAccount:
    """The account of the credentials in `environ`, or else of those that boto3 finds by itself.

    Raises CredentialsError where there are none. Nothing is asked of the marketplace yet.
    """
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    core, descriptions = botocore.session.get_session(), _descriptions(environ.get("AWS_DATA_PATH"))
    descriptions.search_paths[:] = dict.fromkeys(descriptions.search_paths)  # every session adds boto3's folder
    core.register_component("data_loader", descriptions)

    given = {
        "aws_access_key_id": environ.get("AWS_ACCESS_KEY_ID"),
        "aws_secret_access_key": environ.get("AWS_SECRET_ACCESS_KEY"),
        "aws_session_token": environ.get("AWS_SESSION_TOKEN"),
        "profile_name": environ.get("AWS_PROFILE"),
    }
    if given["aws_access_key_id"] and given["aws_secret_access_key"]:
        given["profile_name"] = None  # as boto3 itself prefers it
    try:
        session = boto3.session.Session(
            region_name="us-east-1", botocore_session=core, **{name: v for name, v in given.items() if v}
        )
        credentials = session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
    except BotoCoreError as error:
        # Some of these repeat what they found.
        raise CredentialsError(
            f"the AWS credentials cannot be used ({type(error).__name__}); set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from None
    if frozen is None or not frozen.access_key or not frozen.secret_key:
        raise CredentialsError(
            f"there are no complete AWS credentials for {endpoint}; set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        )

    def calls(attempts: int) -> Calls:
        config = Config(
            connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": attempts}
        )
        return Calls(session.client("mturk", endpoint_url=endpoint, config=config), endpoint)

    return MTurkAccount(calls(3), calls(1), endpoint, f"…{frozen.access_key[-4:]}")
