"""AWS Signature Version 4: reading what a request is signed with, and verifying it with an account's secret."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, unquote

from crowdloom.studies.marketplace.errors import AccessError

SKEW = timedelta(minutes=15)
_HEADER = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,]{1,128})/(?P<date>\d{8})/(?P<region>[\w-]+)/(?P<service>[\w-]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[\w;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Signature:
    """What the Authorization header of a request says."""

    access_key: str
    date: str
    region: str
    service: str
    headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        """What the derived key is good for."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_signature(header: str | None) -> Signature:
    """Read an Authorization header. Raises AccessError where there is none, or of another kind."""
    if not header:
        raise AccessError("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _HEADER.fullmatch(header.strip())
    if found is None:
        raise AccessError("IncompleteSignatureException", "The Authorization header is not AWS4-HMAC-SHA256.")
    return Signature(
        found["key"],
        found["date"],
        found["region"],
        found["service"],
        tuple(found["headers"].split(";")),
        found["signature"],
    )


def verify(
    signature: Signature,
    secret: str,
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> None:
    """Hold a signature against the request. Raises AccessError where it was not made with this secret just now."""
    if not {"host", "x-amz-date"} <= set(signature.headers) or any(name not in headers for name in signature.headers):
        raise _mismatch()
    stamp = headers["x-amz-date"]
    try:
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _mismatch() from error
    if abs(now - signed_at) > SKEW or not stamp.startswith(signature.date):
        when = "expired" if signed_at < now else "not yet current"
        raise AccessError(
            "InvalidSignatureException", f"Signature {when}: {stamp} is not within 15 min of {now:%Y%m%dT%H%M%SZ}"
        )
    canonical = "\n".join(
        (
            method,
            quote(unquote(path), safe="/~"),
            "&".join(sorted(query.split("&"))),
            *(f"{name}:{' '.join(headers[name].split())}" for name in signature.headers),
            "",
            ";".join(signature.headers),
            hashlib.sha256(body).hexdigest(),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{signature.scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in signature.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.new(key, to_sign.encode(), "sha256").hexdigest(), signature.signature):
        raise _mismatch()


def _mismatch() -> AccessError:
    return AccessError(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
    )
