"""Mistakes of ours and the way back from each; the log keeps the mistake too (Art. 5(1)(d), 5(2)).

What has left cannot be called back: it is put right by another letter, or reported as a breach.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from domain.calendar import Calendar
from domain.deadlines import Deadlines, act_by
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.request_answering import RequestAnswering
from domain.request_deciding import RequestDeciding
from domain.request_identity import IdentifiersTaken
from domain.request_state import Event, Status
from domain.staff import human
from domain.vocabulary import PauseReason


class TakenBack(Event):
    """A decision was undone before the person was told of it."""

    TOPIC = "request.taken-back"
    was: Status
    status: Status
    by: str

    def apply(self, aggregate: RequestMistakes) -> None:
        aggregate.status = self.status
        aggregate.refusal, aggregate.dropped = None, False
        aggregate.answer, aggregate.answered_at, aggregate.delivery_failed = None, None, None
        if self.was is Status.APPROVED:
            aggregate.decisions = {}
            aggregate.approved_by = aggregate.approval_note = None


class ExtensionTakenBack(Event):
    """More time was decided on, and its notice was taken back before it left."""

    TOPIC = "request.extension-taken-back"
    by: str

    def apply(self, aggregate: RequestMistakes) -> None:
        aggregate.extension_decided_by, aggregate.extension_reasons = None, ()


class IdentityRevoked(Event):
    """Somebody was taken for somebody else; what was found for them is forgotten."""

    TOPIC = "request.identity-revoked"
    person: PersonalRef
    reason: str
    by: str

    def apply(self, aggregate: RequestMistakes) -> None:
        aggregate.status = Status.RECEIVED
        aggregate.identity = aggregate.identity_waived = None
        aggregate.requester = self.person
        aggregate.forget_found(self.timestamp)
        aggregate.answer, aggregate.answered_at, aggregate.delivery_failed = None, None, None


class Unlinked(Event):
    """Two requests were taken for one; each has its own receipt again."""

    TOPIC = "request.unlinked"
    to: UUID
    by: str
    received_at: datetime
    received_on: date
    dates: Deadlines
    act_by: date | None

    def apply(self, aggregate: RequestMistakes) -> None:
        aggregate.linked = tuple(one for one in aggregate.linked if one != self.to)
        aggregate.received_at, aggregate.received_on = self.received_at, self.received_on
        aggregate.dates, aggregate.act_by = self.dates, self.act_by


class RequestMistakes(RequestDeciding, RequestAnswering):
    @property
    def can_be_taken_back(self) -> bool:
        """Whether a decision stands that nobody outside knows of and nothing was done about."""
        if self.status is Status.APPROVED:
            return self.right.gives_a_copy
        return self.status in {Status.REFUSED, Status.REFERRED}

    @property
    def identity_can_be_revoked(self) -> bool:
        """Whether nothing has gone to whoever was taken for the person, or it is known where."""
        if not self.is_identified or self.right.acts_at_once or not self.right.is_statutory:
            return False
        if self.answer is not None and self.delivery_failed is None:
            return False
        return self.status in {Status.VERIFIED, Status.COLLECTED} or (
            self.status is Status.APPROVED and self.right.gives_a_copy
        )

    # Commands

    def take_back(self, *, by: str, at: datetime) -> None:
        """Undo an approval, a refusal or a referral of which the person has not been told.

        The approval of anything that changes systems is acted on at once, so it stays.
        """
        if not self.can_be_taken_back:
            raise NotAllowedNow(
                f"request {self.id} is {self.status.value}: there is no decision to take back,"
                " or it has been acted on"
            )
        back = Status.COLLECTED if self.status is Status.APPROVED else self._back_to_work()
        self.trigger_event(TakenBack, was=self.status, status=back, by=human(by), timestamp=at)

    def take_back_extension(self, *, by: str, at: datetime) -> None:
        if self.extension_decided_by is None or self.extended:
            raise NotAllowedNow(f"the time of request {self.id} is not about to be extended")
        self.trigger_event(ExtensionTakenBack, by=human(by), timestamp=at)

    def take_back_question(self, *, reason: PauseReason, at: datetime) -> None:
        """The question was taken back before it left: nobody keeps anybody waiting."""
        self._end_pause(reason, at)

    def revoke_identity(self, *, person: PersonalRef, reason: str, by: str, at: datetime) -> None:
        """The check was wrong: nothing is found or sent before it is made again (Art. 12(6)).

        `person` is whoever asks, with nothing proven.
        """
        if not self.identity_can_be_revoked:
            raise NotAllowedNow(
                f"request {self.id} is {self.status.value}: what has left is reported as a breach,"
                " and what was done to systems stays done"
            )
        self.trigger_event(
            IdentityRevoked, person=person, reason=code(reason), by=human(by), timestamp=at
        )

    def correct_address(self, *, person: PersonalRef, by: str, at: datetime) -> None:
        """Where the person is reached was wrong; nothing more is proven by putting it right."""
        if self.ended:
            raise NotAllowedNow(f"request {self.id} has ended")
        self.trigger_event(IdentifiersTaken, person=person, by=human(by), timestamp=at)

    def unlink(
        self,
        *,
        to: UUID,
        receipt: tuple[datetime, date],
        calendar: Calendar,
        by: str,
        at: datetime,
    ) -> None:
        """They are two requests after all; `receipt` is what counts without that link.

        It can only be its own or an earlier one: a mistake gives nobody more time.
        """
        if to not in self.linked:
            raise NotAllowedNow(f"request {self.id} is not linked to that one")
        received_at, received_on = receipt
        if received_on > self.own_receipt[1]:
            raise DomainError("without the link the request has its own receipt, or an earlier one")
        if self.ended or not self.status.is_open:
            received_at, received_on = self.received_at, self.received_on
        self.trigger_event(
            Unlinked,
            to=to,
            by=human(by),
            received_at=received_at,
            received_on=received_on,
            dates=self._dates(calendar, received_on=received_on),
            act_by=act_by(received_on, calendar) if self.right.acts_at_once else None,
            timestamp=at,
        )
