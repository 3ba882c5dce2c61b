"""How the marketplace refuses: as AWS's JSON protocol says it, and as sentences for workers."""

from __future__ import annotations

from crowdloom.studies.errors import CrowdloomError, StudyError


class ApiError(CrowdloomError):
    """An answer of the requester API that is an error: `kind` is its `__type`, `code` its TurkErrorCode."""

    kind = "RequestError"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = None if code is None else f"AWS.MechanicalTurk.{code}"


class RequestError(ApiError):
    """The request cannot be done as it is; nothing was changed."""


class ServiceFaultError(ApiError):
    """The service failed; the caller may try again."""

    kind = "ServiceFault"
    status = 500


class ThrottledError(ApiError):
    """Too many requests in a short time; SDKs wait and try again."""

    kind = "ThrottlingException"

    def __init__(self) -> None:
        super().__init__("Rate exceeded")


class AccessError(ApiError):
    """Who asks is not known, or has not signed the request as they must; `kind` says which."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class WorkError(CrowdloomError):
    """A worker cannot do what they asked for; the sentence is for them."""

    status = 409


class NoSuchPageError(StudyError):
    """A worker asked for a HIT or an assignment that is not there for them."""


def unknown(what: str, token: str) -> RequestError:
    """The error for an id that names nothing of the caller's; `what` is HIT, Assignment, QualificationType …."""
    return RequestError(f"{what} {token} does not exist.", f"{what}DoesNotExist")


def wrong_state(what: str, state: str, allowed: str) -> RequestError:
    """The error for something that is not in a state that an operation asks for; worded as MTurk's."""
    return RequestError(
        f"This {what} is currently in the state '{state}'. This operation can be called with a status of: {allowed}",
        f"Invalid{what}State",
    )
