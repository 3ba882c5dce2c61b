"""What boto3 raises, as our errors, with the vendor's code kept.

`PlatformRefusedError` promises that nothing was changed. botocore tries again by itself, so the error that
it raises in the end may be the answer to a second attempt after a first one that took effect: a call counts
as refused only if no attempt of it was lost or answered by a failure of the server.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from crowdloom.studies.errors import CredentialsError, PlatformError, PlatformRefusedError, PlatformUnsureError

_THROTTLED = ("Throttl", "RequestLimitExceeded", "TooManyRequests", "SlowDown")
_NO_ACCESS = {
    "AccessDenied",
    "AccessDeniedException",
    "AWS.NotAuthorized",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_LONGEST = 300  # characters of the vendor's message that ours repeats


class Calls:
    """Calls of one boto3 client; every error leaves as one of ours."""

    def __init__(self, client: Any, where: str) -> None:
        self._client = client
        self._where = where
        self._call = threading.local()
        # Comes after every attempt, the repeated ones too.
        client.meta.events.register("response-received.mturk", self._note_attempt)

    def _note_attempt(self, parsed_response: Any, exception: Any, **_: Any) -> None:
        if exception is not None or _is_fault(parsed_response):
            self._call.lost = True

    def __call__(self, operation: str, **values: Any) -> dict[str, Any]:
        """Call an operation, named as boto3 names it. Raises the errors that `studies.platforms.protocol` names."""
        self._call.lost = False
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(**values)
        except Exception as error:  # noqa: BLE001 - botocore lets through what its libraries raise
            ours = self._ours(error, operation)
            # The vendor's words about credentials may repeat parts of them.
            raise ours from (None if isinstance(ours, CredentialsError) else error)
        return answer

    def pages(self, operation: str, part: str, **values: Any) -> Iterator[dict[str, Any]]:
        """The rows of a list that comes in pages; `part` is its name in the answer."""
        page = self(operation, MaxResults=100, **values)
        while True:
            yield from self.part(page, part)
            if not page.get("NextToken"):
                return
            page = self(operation, MaxResults=100, NextToken=page["NextToken"], **values)

    def part(self, answer: dict[str, Any], name: str) -> Any:
        """A part of an answer. Raises PlatformUnsureError where it is missing: the answer was torn."""
        if name not in answer:
            raise PlatformUnsureError(f"{self._where} answered without {name}; look there what became of the call")
        return answer[name]

    def _ours(self, error: Exception, operation: str) -> PlatformError:
        from botocore import exceptions

        doing = operation.replace("_", " ")
        if isinstance(error, exceptions.ParamValidationError):
            return PlatformRefusedError(f"{doing} was not sent, since its values are wrong: {_short(str(error))}")
        if isinstance(error, _no_credentials()):
            return CredentialsError(
                "no usable AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        if isinstance(error, exceptions.ClientError):
            return self._answered(error.response, doing)
        return PlatformUnsureError(
            f"{self._where} gave no answer to {doing} ({type(error).__name__}), so nobody can know whether it was "
            "done; look there, or ask again"
        )

    def _answered(self, response: dict[str, Any], doing: str) -> PlatformError:
        given = response.get("Error", {})
        code = str(response.get("TurkErrorCode") or given.get("Code") or "") or None
        said = f"({_short(str(given.get('Message') or response.get('Message') or code))})"
        if self._call.lost:
            return PlatformUnsureError(
                f"{self._where} failed at {doing} {said}, so nobody can know whether it was done; look there, or "
                "ask again",
                code=code,
            )
        if {given.get("Code"), code} & _NO_ACCESS:
            return CredentialsError(
                f"{self._where} does not accept the AWS credentials for {doing} ({code}); check the key and its rights",
                code=code,
            )
        if str(given.get("Code")).startswith(_THROTTLED):
            return PlatformRefusedError(
                f"{self._where} is asked too often and did not {doing} {said}; wait a minute and ask again", code=code
            )
        return PlatformRefusedError(f"{self._where} refused to {doing} {said}", code=code)


def _is_fault(response: dict[str, Any]) -> bool:
    error, status = response.get("Error", {}), response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if str(error.get("Code")).startswith(_THROTTLED):
        return False
    return bool(status >= 500 or error.get("Code") == "ServiceFault")


def _no_credentials() -> tuple[type[Exception], ...]:
    from botocore import exceptions

    return (
        exceptions.NoCredentialsError,
        exceptions.PartialCredentialsError,
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.NoAuthTokenError,
        exceptions.TokenRetrievalError,
        exceptions.SSOError,
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
