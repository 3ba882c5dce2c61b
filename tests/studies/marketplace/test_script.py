"""A script as labs have them, for boto3 and unchanged: it calls every operation that a study needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from botocore.session import get_session

from crowdloom.studies.marketplace.operations import READING, WRITING
from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import external_question, hit_values, html_question, requester

REQUIREMENTS = [
    {
        "QualificationTypeId": "00000000000000000071",
        "Comparator": "EqualTo",
        "LocaleValues": [{"Country": "US"}],
        "ActionsGuarded": "DiscoverPreviewAndAccept",
    },
    {"QualificationTypeId": "000000000000000000L0", "Comparator": "GreaterThanOrEqualTo", "IntegerValues": [98]},
    {"QualificationTypeId": "00000000000000000040", "Comparator": "GreaterThanOrEqualTo", "IntegerValues": [3000]},
    {"QualificationTypeId": "00000000000000000060", "Comparator": "EqualTo", "IntegerValues": [1]},
]


def test_every_operation_of_the_model_is_answered() -> None:
    """The two registries together are botocore's list of operations, and no operation stands in both."""
    names = get_session().get_service_model("mturk").operation_names
    assert sorted([*READING, *WRITING]) == sorted(names)


def test_a_study_from_hit_type_to_bonus(both: Running) -> None:
    """HIT type, HITs of both kinds of question, answers, review, bonus, extension, expiry, deletion."""
    client, market = both.client, both.market
    assert both.money() == ("10000.00", "0.00")
    values = hit_values(QualificationRequirements=REQUIREMENTS)
    common = {name: values[name] for name in values if name not in ("LifetimeInSeconds", "MaxAssignments", "Question")}
    hit_type = client.create_hit_type(**common)["HITTypeId"]
    assert client.create_hit_type(**common)["HITTypeId"] == hit_type
    assert client.create_hit_type(**{**common, "Reward": "0.51"})["HITTypeId"] != hit_type
    hit = client.create_hit_with_hit_type(
        HITTypeId=hit_type,
        MaxAssignments=2,
        LifetimeInSeconds=3600,
        Question=external_question(),
        RequesterAnnotation="batch 7",
        UniqueRequestToken="study-1-batch-7",
    )["HIT"]
    assert (hit["HITTypeId"], hit["Reward"], hit["HITStatus"]) == (hit_type, "0.50", "Assignable")
    assert hit["QualificationRequirements"] == REQUIREMENTS
    assert hit["Expiration"] - hit["CreationTime"] == timedelta(hours=1)
    other = client.create_hit(**{**values, "Question": html_question("<b>é &amp; ü</b>", 300)})["HIT"]
    assert other["HITGroupId"] == hit["HITGroupId"], "equal values are one group"
    assert [found["HITId"] for found in client.list_hits()["HITs"]] == [other["HITId"], hit["HITId"]]

    people = [market.add_worker(approved=3000, percent=99)[0] for _ in range(2)]
    given = [market.accept(hit["HITId"], person) for person in people]
    assert both.status(hit["HITId"]) == "Unassignable"
    market.submit(given[0], {"digit": "<7>", "why": "größe"})
    assert client.get_hit(HITId=hit["HITId"])["HIT"]["NumberOfAssignmentsPending"] == 1
    (found,) = client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
    answers = {answer[0].text: answer[1].text for answer in ElementTree.fromstring(found["Answer"].encode())}
    assert answers == {"digit": "<7>", "why": "größe"}
    assert found["AutoApprovalTime"] - found["SubmitTime"] == timedelta(days=2)
    market.submit(given[1], {"digit": "1"})
    assert both.status(hit["HITId"]) == "Reviewable"
    assert [one["HITId"] for one in client.list_reviewable_hits(HITTypeId=hit_type)["HITs"]] == [hit["HITId"]]
    client.update_hit_review_status(HITId=hit["HITId"])
    assert client.list_reviewable_hits()["NumResults"] == 0
    assert client.list_reviewable_hits(Status="Reviewing")["NumResults"] == 1
    client.update_hit_review_status(HITId=hit["HITId"], Revert=True)

    client.approve_assignment(AssignmentId=given[0], RequesterFeedback="Thank you")
    client.reject_assignment(AssignmentId=given[1], RequesterFeedback="Not a digit")
    one = client.get_assignment(AssignmentId=given[0])
    assert (one["Assignment"]["AssignmentStatus"], one["HIT"]["HITId"]) == ("Approved", hit["HITId"])
    rejected = client.list_assignments_for_hit(HITId=hit["HITId"], AssignmentStatuses=["Rejected"])["Assignments"]
    assert [(one["AssignmentId"], one["RequesterFeedback"]) for one in rejected] == [(given[1], "Not a digit")]
    client.approve_assignment(AssignmentId=given[1], OverrideRejection=True)
    client.send_bonus(WorkerId=people[0], AssignmentId=given[0], BonusAmount="0.41", Reason="among the best")
    (bonus,) = client.list_bonus_payments(HITId=hit["HITId"])["BonusPayments"]
    assert (bonus["BonusAmount"], bonus["Reason"], bonus["WorkerId"]) == ("0.41", "among the best", people[0])
    assert [market.paid(person) for person in people] == [91, 50]

    client.create_additional_assignments_for_hit(
        HITId=hit["HITId"], NumberOfAdditionalAssignments=3, UniqueRequestToken="more-1"
    )
    assert both.numbers(hit["HITId"]) == (0, 3, 2)
    client.update_expiration_for_hit(HITId=hit["HITId"], ExpireAt=datetime(2015, 1, 1, tzinfo=UTC))
    assert both.status(hit["HITId"]) == "Reviewable"
    cheaper = client.create_hit_type(**{**common, "Reward": "0.20"})["HITTypeId"]
    client.update_hit_type_of_hit(HITId=other["HITId"], HITTypeId=cheaper)
    assert client.get_hit(HITId=other["HITId"])["HIT"]["Reward"] == "0.20"
    client.delete_hit(HITId=hit["HITId"])
    assert client.get_hit(HITId=hit["HITId"])["HIT"]["HITStatus"] == "Disposed"
    assert [found["HITId"] for found in client.list_hits()["HITs"]] == [other["HITId"]]
    assert client.list_review_policy_results_for_hit(HITId=other["HITId"])["HITId"] == other["HITId"]


def test_people_and_qualifications(both: Running) -> None:
    """Qualification types and what workers hold of them; blocks; messages; requests."""
    client, market = both.client, both.market
    kind = client.create_qualification_type(
        Name="Condition A", Description="Took part in A.", Keywords="digits", QualificationTypeStatus="Active"
    )["QualificationType"]["QualificationTypeId"]
    assert client.get_qualification_type(QualificationTypeId=kind)["QualificationType"]["IsRequestable"] is True
    changed = client.update_qualification_type(QualificationTypeId=kind, Description="Took part in condition A.")
    assert changed["QualificationType"]["Description"] == "Took part in condition A."
    found = client.list_qualification_types(Query="condition digits", MustBeRequestable=True, MustBeOwnedByCaller=True)
    assert [one["QualificationTypeId"] for one in found["QualificationTypes"]] == [kind]
    assert client.list_qualification_types(MustBeRequestable=False)["NumResults"] == 7
    assert (
        requester(both.address, "other").list_qualification_types(MustBeRequestable=True, MustBeOwnedByCaller=True)[
            "QualificationTypes"
        ]
        == []
    )

    hit = both.hit(QualificationRequirements=[{"QualificationTypeId": kind, "Comparator": "DoesNotExist"}])
    assignment, worker = both.submitted(hit)
    client.approve_assignment(AssignmentId=assignment)
    client.associate_qualification_with_worker(QualificationTypeId=kind, WorkerId=worker, IntegerValue=7)
    score = client.get_qualification_score(QualificationTypeId=kind, WorkerId=worker)["Qualification"]
    assert (score["IntegerValue"], score["Status"]) == (7, "Granted")
    assert client.list_workers_with_qualification_type(QualificationTypeId=kind)["NumResults"] == 1
    assert client.list_hits_for_qualification_type(QualificationTypeId=kind)["HITs"][0]["HITId"] == hit
    client.disassociate_qualification_from_worker(QualificationTypeId=kind, WorkerId=worker, Reason="by mistake")
    revoked = client.list_workers_with_qualification_type(QualificationTypeId=kind, Status="Revoked")
    assert [one["WorkerId"] for one in revoked["Qualifications"]] == [worker]

    stranger, _ = market.add_worker()
    told = client.notify_workers(Subject="Part two", MessageText="Come back.", WorkerIds=[worker, stranger, "AX1"])
    failed = {one["WorkerId"] for one in told["NotifyWorkersFailureStatuses"]}
    assert failed == {stranger, "AX1"}
    client.create_worker_block(WorkerId=stranger, Reason="random clicks")
    client.create_worker_block(WorkerId=stranger, Reason="random answers")
    assert client.list_worker_blocks()["WorkerBlocks"] == [{"WorkerId": stranger, "Reason": "random answers"}]
    client.delete_worker_block(WorkerId=stranger)
    client.delete_worker_block(WorkerId=stranger)
    assert client.list_worker_blocks()["NumResults"] == 0
    client.update_notification_settings(HITTypeId=client.get_hit(HITId=hit)["HIT"]["HITTypeId"], Active=False)
    client.delete_qualification_type(QualificationTypeId=kind)
    assert client.list_qualification_types(MustBeRequestable=True)["NumResults"] == 0
