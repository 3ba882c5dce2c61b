"""The requester API's operations: one line each, by what they do to the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crowdloom.studies.marketplace.operations import (
    assignments,
    hit_types,
    hits,
    qualification_types,
    qualifications,
    workers,
)
from crowdloom.studies.marketplace.operations.call import Call

Operation = Callable[[Call], dict[str, Any]]

READING: dict[str, Operation] = {
    "GetAccountBalance": workers.balance,
    "GetAssignment": assignments.get,
    "GetFileUploadURL": assignments.file_upload_url,
    "GetHIT": hits.get,
    "GetQualificationScore": qualifications.get_score,
    "GetQualificationType": qualification_types.get,
    "ListAssignmentsForHIT": assignments.list_for_hit,
    "ListBonusPayments": assignments.list_bonuses,
    "ListHITs": hits.list_all,
    "ListHITsForQualificationType": hits.list_for_qualification_type,
    "ListQualificationRequests": qualifications.list_requests,
    "ListQualificationTypes": qualification_types.list_all,
    "ListReviewPolicyResultsForHIT": hits.list_review_results,
    "ListReviewableHITs": hits.list_reviewable,
    "ListWorkerBlocks": workers.list_blocks,
    "ListWorkersWithQualificationType": qualifications.list_workers,
    "SendTestEventNotification": workers.send_test_event,
    "UpdateNotificationSettings": workers.update_notifications,
}

WRITING: dict[str, Operation] = {
    "AcceptQualificationRequest": qualifications.accept_request,
    "ApproveAssignment": assignments.approve,
    "AssociateQualificationWithWorker": qualifications.associate,
    "CreateAdditionalAssignmentsForHIT": hits.add_assignments,
    "CreateHIT": hits.create,
    "CreateHITType": hit_types.create,
    "CreateHITWithHITType": hits.create_with_type,
    "CreateQualificationType": qualification_types.create,
    "CreateWorkerBlock": workers.block,
    "DeleteHIT": hits.delete,
    "DeleteQualificationType": qualification_types.delete,
    "DeleteWorkerBlock": workers.unblock,
    "DisassociateQualificationFromWorker": qualifications.disassociate,
    "NotifyWorkers": workers.notify,
    "RejectAssignment": assignments.reject,
    "RejectQualificationRequest": qualifications.reject_request,
    "SendBonus": assignments.send_bonus,
    "UpdateExpirationForHIT": hits.update_expiration,
    "UpdateHITReviewStatus": hits.update_review_status,
    "UpdateHITTypeOfHIT": hit_types.update_of_hit,
    "UpdateQualificationType": qualification_types.change,
}
