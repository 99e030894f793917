"""The steps of hard deletion, in their order: one line each.

What reads sealed values stands before the keys are destroyed, and the keys go before the rows (clause H8).
"""

from __future__ import annotations

from application.asking_again import AskProvidersAgain
from application.billing_erasure import CancelSubscription, DeletePayer
from application.call_records import DeleteCallRecords
from application.carrier_copies import DeleteCarrierCopies
from application.completion_mail import KeepAddress, SendCompletionMail
from application.erasure import DeleteRows, DestroyKeys, RecordIntent, VerifyNothingLeft
from application.erasure_step import ErasureStep
from application.line_release import ReleaseNumbers
from application.mail import EraseMailAddress
from application.object_erasure import DeleteObjects
from application.port_following import CancelPorts
from application.voicemail_deletion import DeleteRecordings

ERASURE_STEPS: tuple[type[ErasureStep], ...] = (
    RecordIntent,
    CancelSubscription,
    DeleteCarrierCopies,
    DeleteRecordings,
    CancelPorts,
    ReleaseNumbers,
    DeleteCallRecords,
    DeletePayer,
    EraseMailAddress,
    AskProvidersAgain,
    KeepAddress,
    DestroyKeys,
    DeleteObjects,
    DeleteRows,
    VerifyNothingLeft,
    SendCompletionMail,
)


def check_order(steps: tuple[type[ErasureStep], ...]) -> None:
    """Raise ValueError for a step that reads sealed values and stands after the keys are destroyed."""
    keys = steps.index(DestroyKeys)
    for step in steps[keys:]:
        if step.needs_keys:
            raise ValueError(step.name)


check_order(ERASURE_STEPS)
