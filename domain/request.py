"""DataSubjectRequest: one right, asked once, with its own clock and its own outcome.

Its rules cannot be got round by any caller: no personal data before identity (Art. 12(6)),
no closing without the letter that explains what was kept or refused (Art. 12(4)), no refusal
without a human name, no extension without its notice in time (Art. 12(3)).

Its fields are in `request_state`; each of the other `request_…` modules holds one concern of it,
from its events to its rules. Here it is put together, and every event has its public name.
"""

# mypy: implicit-reexport

from __future__ import annotations

from domain.request_afterwards import RequestAfterwards
from domain.request_breach import RequestBreach
from domain.request_clock import MOST_QUESTION_REMINDERS as MOST_QUESTION_REMINDERS
from domain.request_identity import MOST_IDENTITY_FAILURES as MOST_IDENTITY_FAILURES
from domain.request_mistakes import RequestMistakes
from domain.request_receiving import RequestReceiving
from domain.request_state import Consultation as Consultation
from domain.request_state import Status as Status
from domain.vocabulary import Missed as Missed
from domain.vocabulary import PauseReason as PauseReason
from domain.vocabulary import RefusalGround as RefusalGround


class DataSubjectRequest(RequestReceiving, RequestMistakes, RequestBreach, RequestAfterwards):
    TOPIC = "request"

    # Every event by its public name: `DataSubjectRequest.PauseOpened` is told in `request_clock`.
    # Imported here each stays one class; nested in a base class the library would double it.
    from domain.request_advice import AdviceWeighed, OfficerAdvised, OfficerConsulted
    from domain.request_afterwards import (
        ContentDestroyed,
        Ended,
        HandedToArchive,
        SuppressedAgain,
    )
    from domain.request_answering import (
        AnswerFetched,
        AnswerSent,
        Closed,
        DeliveryFailed,
        Fulfilled,
        Reopened,
        Withdrawn,
    )
    from domain.request_breach import (
        BreachAuthoritySettled,
        BreachDescribed,
        BreachPersonSettled,
        DisclosureReported,
    )
    from domain.request_clock import (
        DeadlineExtended,
        DeadlineRecomputed,
        ExtensionDecided,
        PauseEnded,
        PauseOpened,
        PromiseMissed,
        QuestionReminded,
        ReminderDue,
        SilenceNoticed,
        StatutoryMissed,
        SuspensionReliedOn,
        TargetMissed,
    )
    from domain.request_deciding import (
        Approved,
        DataCollected,
        MatchConfirmed,
        MatchRejected,
        RecordsArchived,
        Refused,
    )
    from domain.request_identity import (
        AuthorityAwaited,
        AuthoritySettled,
        ClarificationRequested,
        Clarified,
        IdentifiersTaken,
        IdentityFailed,
        IdentityRequested,
        IdentityVerified,
        VerificationNotNeeded,
    )
    from domain.request_mistakes import (
        ExtensionTakenBack,
        IdentityRevoked,
        TakenBack,
        Unlinked,
    )
    from domain.request_receiving import (
        Acknowledged,
        Assigned,
        Linked,
        ReceiptCorrected,
        Received,
        Reclassified,
        Referred,
    )
    from domain.request_state import Event
