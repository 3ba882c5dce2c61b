"""What is refused, and how: by the service model, by the documentation, by the state of things."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import error_code, external_question, hit_values, requester

NOTIFICATION = {"Destination": "a@b.org", "Transport": "Email", "Version": "2014-08-15", "EventTypes": ["Ping"]}


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("get_hit", {"HITId": "3NONE"}, "HITDoesNotExist"),
        ("delete_hit", {"HITId": "3NONE"}, "HITDoesNotExist"),
        ("list_assignments_for_hit", {"HITId": "3NONE"}, "HITDoesNotExist"),
        (
            "create_additional_assignments_for_hit",
            {"HITId": "3N", "NumberOfAdditionalAssignments": 1},
            "HITDoesNotExist",
        ),
        ("get_assignment", {"AssignmentId": "3NONE"}, "AssignmentDoesNotExist"),
        ("approve_assignment", {"AssignmentId": "3NONE"}, "AssignmentDoesNotExist"),
        ("get_qualification_type", {"QualificationTypeId": "3NONE"}, "QualificationTypeDoesNotExist"),
        ("accept_qualification_request", {"QualificationRequestId": "3N"}, "QualificationRequestDoesNotExist"),
        ("create_worker_block", {"WorkerId": "AX1", "Reason": "r"}, "WorkerDoesNotExist"),
        ("list_bonus_payments", {}, "MissingParameter"),
        ("list_hits", {"NextToken": "nonsense"}, "InvalidNextToken"),
        ("get_hit", {"HITId": "with space"}, "ParameterValidationError"),
        ("get_hit", {"HITId": "3NEWLINE\n"}, "ParameterValidationError"),
        ("get_hit", {"HITId": "A" * 65}, "ParameterValidationError"),
        ("list_hits", {"MaxResults": 101}, "ParameterValidationError"),
        ("list_reviewable_hits", {"Status": "Assignable"}, "ParameterValidationError"),
        (
            "send_test_event_notification",
            {"Notification": NOTIFICATION, "TestEventType": "Ping"},
            "InvalidTransportEndpoint",
        ),
        (
            "notify_workers",
            {"Subject": "s", "MessageText": "m", "WorkerIds": ["AX1"] * 101},
            "ParameterValidationError",
        ),
    ],
)
def test_refusals(shop: Running, operation: str, parameters: dict[str, Any], code: str) -> None:
    """Unknown ids, values against the model, and what has no meaning here, each with its TurkErrorCode."""
    assert error_code(shop.client, operation, **parameters) == code


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Reward": "1.234"}, "ParameterValidationError"),
        ({"Reward": "-1"}, "ParameterValidationError"),
        ({"Reward": "9" * 30}, "ParameterValidationError"),
        ({"Title": "t" * 129}, "ParameterValidationError"),
        ({"Title": "\x00"}, "ParameterValidationError"),
        ({"MaxAssignments": 0}, "ParameterValidationError"),
        ({"MaxAssignments": 2**40}, "ParameterValidationError"),
        ({"LifetimeInSeconds": 29}, "ParameterValidationError"),
        ({"AssignmentDurationInSeconds": 31_536_001}, "ParameterValidationError"),
        ({"AutoApprovalDelayInSeconds": 2_592_001}, "ParameterValidationError"),
        ({"RequesterAnnotation": "a" * 256}, "ParameterValidationError"),
        ({"HITLayoutId": "3LAYOUT"}, "HITLayoutDoesNotExist"),
        ({"HITReviewPolicy": {"PolicyName": "SimplePlurality/2011-09-01"}}, "ParameterValidationError"),
        ({"Question": "<html/>"}, "XMLParseError"),
        ({"Reward": "6000", "MaxAssignments": 2}, "InsufficientFunds"),
        (
            {"QualificationRequirements": [{"QualificationTypeId": "3X", "Comparator": "Exists"}]},
            "QualificationTypeDoesNotExist",
        ),
    ],
)
def test_hits_that_cannot_be(shop: Running, changed: dict[str, Any], code: str) -> None:
    """A HIT with a value out of range is refused, and nothing is left of it: no HIT, no money on hold."""
    assert error_code(shop.client, "create_hit", **hit_values(**changed)) == code
    assert shop.client.list_hits()["HITs"] == []
    assert shop.money() == ("10000.00", "0.00")


@pytest.mark.parametrize(
    "requirement",
    [
        {"QualificationTypeId": "00000000000000000071", "Comparator": "EqualTo", "IntegerValues": [1]},
        {"QualificationTypeId": "00000000000000000071", "Comparator": "LessThan", "LocaleValues": [{"Country": "US"}]},
        {"QualificationTypeId": "00000000000000000040", "Comparator": "EqualTo", "LocaleValues": [{"Country": "US"}]},
        {"QualificationTypeId": "00000000000000000040", "Comparator": "EqualTo", "IntegerValues": [1, 2]},
        {"QualificationTypeId": "00000000000000000040", "Comparator": "In", "IntegerValues": list(range(16))},
        {"QualificationTypeId": "00000000000000000040", "Comparator": "Exists", "IntegerValues": [1]},
        {"QualificationTypeId": "00000000000000000040", "Comparator": "GreaterThan"},
    ],
)
def test_requirements_that_make_no_sense(shop: Running, requirement: dict[str, Any]) -> None:
    """A comparator with values that it does not take is refused."""
    values = hit_values(QualificationRequirements=[requirement])
    assert error_code(shop.client, "create_hit", **values) == "ParameterValidationError"


def test_guards_do_not_combine(shop: Running) -> None:
    """ActionsGuarded and the older RequiredToPreview together are refused, with MTurk's words."""
    requirement = {
        "QualificationTypeId": "00000000000000000060",
        "Comparator": "Exists",
        "ActionsGuarded": "Accept",
        "RequiredToPreview": True,
    }
    values = hit_values(QualificationRequirements=[requirement])
    assert error_code(shop.client, "create_hit", **values) == "InvalidParameterCombination"


def test_what_belongs_to_others_does_not_exist(shop: Running) -> None:
    """Another requester sees neither the HIT nor its assignments, and cannot pay or delete them."""
    hit = shop.hit(MaxAssignments=1)
    assignment, worker = shop.submitted(hit)
    other = requester(shop.address, "other")
    assert error_code(other, "get_hit", HITId=hit) == "HITDoesNotExist"
    assert error_code(other, "approve_assignment", AssignmentId=assignment) == "AssignmentDoesNotExist"
    bonus = {"WorkerId": worker, "AssignmentId": assignment, "BonusAmount": "1", "Reason": "r"}
    assert error_code(other, "send_bonus", **bonus) == "AssignmentDoesNotExist"
    assert other.list_hits()["HITs"] == []
    assert shop.market.payments() == []


def test_system_qualifications_are_nobodys(shop: Running) -> None:
    """A requester can read the system's types, not give or change them."""
    adult = "00000000000000000060"
    assert shop.client.get_qualification_type(QualificationTypeId=adult)["QualificationType"]["Name"] == "Adult"
    assert error_code(shop.client, "delete_qualification_type", QualificationTypeId=adult) == "PermissionDenied"
    values = {"Name": "Mine", "Description": "d", "QualificationTypeStatus": "Active"}
    shop.client.create_qualification_type(**values)
    assert error_code(shop.client, "create_qualification_type", **values) == "QualificationTypeAlreadyExists"
    tested = {**values, "Name": "Tested", "Test": "<QuestionForm/>", "TestDurationInSeconds": 60}
    assert error_code(shop.client, "create_qualification_type", **tested) == "ParameterValidationError"


def post(address: str, operation: str, body: bytes) -> httpx.Response:
    """A signed request of any bytes, which boto3 would not send."""
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"MTurkRequesterServiceV20170117.{operation}",
    }
    signed = AWSRequest(method="POST", url=f"{address}/", data=body, headers=headers)
    SigV4Auth(Credentials("lab", "s"), "mturk-requester", "us-east-1").add_auth(signed)
    return httpx.post(f"{address}/", content=body, headers=dict(signed.headers))


@pytest.mark.parametrize(
    ("operation", "body", "kind"),
    [
        ("GetHIT", b"{", "SerializationException"),
        ("GetHIT", b"[]", "RequestError"),
        ("GetHIT", b"{}", "RequestError"),
        ("GetHIT", b'{"HITId": 7}', "RequestError"),
        ("GetHIT", b'{"HITId": "3A", "Other": 1}', "RequestError"),
        ("GetHIT", b"[" * 100_000, "SerializationException"),
        ("ListHITs", b'{"MaxResults": true}', "RequestError"),
        ("UpdateExpirationForHIT", b'{"HITId": "3A", "ExpireAt": 1e300}', "RequestError"),
        ("UpdateExpirationForHIT", b'{"HITId": "3A", "ExpireAt": NaN}', "RequestError"),
        ("DropTables", b"{}", "UnknownOperationException"),
    ],
)
def test_what_no_sdk_sends(shop: Running, operation: str, body: bytes, kind: str) -> None:
    """Bytes from a script of one's own get an answer in the protocol, never a page or a traceback."""
    answer = post(shop.address, operation, body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/x-amz-json-1.1")
    assert json.loads(answer.content)["__type"] == kind


def test_a_request_without_end(shop: Running) -> None:
    """Megabytes are refused before they are read."""
    answer = post(shop.address, "GetHIT", b" " * 5_000_000)
    assert (answer.status_code, answer.json()["__type"]) == (413, "RequestEntityTooLargeException")


def test_nulls_count_as_left_out(shop: Running) -> None:
    """A null, which some languages' SDKs send, is no value."""
    assert post(shop.address, "ListHITs", b'{"MaxResults": null}').json() == {"NumResults": 0, "HITs": []}


def test_a_question_at_the_limit(shop: Running) -> None:
    """65,535 bytes pass and one more does not, counted as bytes."""
    empty = external_question().replace("</ExternalQuestion>", "<!----></ExternalQuestion>")
    fill = 65_535 - len(empty.encode())
    fits = empty.replace("<!---->", f"<!--{'é' * (fill // 2)}{'x' * (fill % 2)}-->")
    shop.hit(Question=fits)
    longer = fits.replace("-->", "x-->")
    assert error_code(shop.client, "create_hit", **hit_values(Question=longer)) == "ParameterValidationError"
