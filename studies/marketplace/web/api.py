"""The requester API over HTTP: POST / in AWS's JSON 1.1 protocol."""

from __future__ import annotations

import json
import logging
import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from crowdloom.studies.errors import StoreError
from crowdloom.studies.marketplace.clock import epoch
from crowdloom.studies.marketplace.errors import AccessError, ApiError, ServiceFaultError, ThrottledError
from crowdloom.studies.marketplace.faults import AFTER, API_KINDS
from crowdloom.studies.marketplace.market import Market
from crowdloom.studies.marketplace.model import TARGET, check_output, read_input
from crowdloom.studies.marketplace.operations import READING, WRITING
from crowdloom.studies.marketplace.operations.call import Call
from crowdloom.studies.marketplace.requesters import count_request, find_requester, open_account
from crowdloom.studies.marketplace.signatures import read_signature, verify
from crowdloom.studies.marketplace.web.current import current_market, next_fault
from crowdloom.studies.marketplace.web.dropping import drop

blueprint = Blueprint("api", __name__)
CONTENT_TYPE = "application/x-amz-json-1.1"


@blueprint.post("/")
def answer() -> Response:
    """Answer one call of an operation."""
    try:
        return _respond(_call(), 200)
    except ApiError as error:
        failure: dict[str, Any] = {"__type": error.kind, "Message": str(error)}
        if error.code is not None:
            failure["TurkErrorCode"] = error.code
        return _respond(failure, error.status)
    except RequestEntityTooLarge:
        return _respond({"__type": "RequestEntityTooLargeException", "Message": "The request is too large."}, 413)
    except StoreError as error:
        logging.getLogger(__name__).error("%s", error)
        return _fault("The service is unavailable for the moment.")
    except Exception as error:
        logging.getLogger(__name__).error("unexpected error in %s", request.headers.get("X-Amz-Target"), exc_info=error)
        return _fault("The service failed; this is its fault, not yours.")


def _fault(message: str) -> Response:
    return _respond(
        {"__type": "ServiceFault", "Message": message, "TurkErrorCode": "AWS.MechanicalTurk.ServiceFault"}, 500
    )


def _respond(values: dict[str, Any], status: int) -> Response:
    response = Response(json.dumps(values, default=_time), status, content_type=CONTENT_TYPE)
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response


def _time(value: object) -> float:
    if isinstance(value, datetime):
        return epoch(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _call() -> dict[str, Any]:
    market = current_market()
    operation = _operation()
    now = market.settle()
    requester = _authenticate(market, now)
    rate = current_app.config["MARKET_RATE"]
    if rate is not None:
        with market.store.write() as connection:
            count_request(connection, requester, rate, now)
    fault = next_fault(market, operation, API_KINDS)
    if fault == "throttle":
        raise ThrottledError
    if fault == "500":
        raise ServiceFaultError("This failure was asked for; nothing was done.", "ServiceFault")
    if fault == "drop":
        drop()
    try:
        return _run(market, operation, requester, now)
    finally:
        if fault in AFTER:
            _fail_after(fault)


def _fail_after(fault: str) -> None:
    if fault == "effect-then-drop":
        drop()
    raise ServiceFaultError("This failure was asked for; what the request asked for was done.", "ServiceFault")


def _run(market: Market, operation: str, requester: int, now: datetime) -> dict[str, Any]:
    parameters = read_input(operation, _body())
    if operation in WRITING:
        with market.store.write() as connection:
            answered = WRITING[operation](Call(connection, requester, now, parameters))
            check_output(operation, answered)  # before the commit: what cannot be said is not done
    else:
        with market.store.read() as connection:
            answered = READING[operation](Call(connection, requester, now, parameters))
        check_output(operation, answered)
    return answered


def _operation() -> str:
    target = request.headers.get("X-Amz-Target", "")
    operation = target.removeprefix(TARGET)
    if not target.startswith(TARGET) or (operation not in READING and operation not in WRITING):
        raise AccessError("UnknownOperationException", f"There is no operation {target!r}.")
    return operation


def _body() -> Any:
    try:
        return json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError) as error:
        raise AccessError("SerializationException", "The request is not JSON.") from error


def _authenticate(market: Market, now: datetime) -> int:
    """The row of the account that signed the request.

    An account with a secret is always held to it. One without is opened for whoever asks, where that was allowed.
    """
    signature = read_signature(request.headers.get("Authorization"))
    with market.store.read() as connection:
        found = find_requester(connection, signature.access_key)
    is_open = current_app.config["MARKET_OPEN"]
    if found is None and is_open:
        with market.store.write() as connection:
            open_account(connection, signature.access_key, now)
            found = find_requester(connection, signature.access_key)
    if found is None or (found.secret is None and not is_open):
        raise AccessError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if found.secret is not None:
        verify(
            signature,
            found.secret,
            method=request.method,
            path=request.path,
            query=request.query_string.decode(errors="replace"),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.get_data(),
            now=market.clock(),  # callers know nothing of `advance`
        )
    return int(found.id)
