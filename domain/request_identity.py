"""Who asks, for whom and for what: identity, authority, clarification (Art. 12(6), recital 63)."""

from __future__ import annotations

from datetime import datetime

from domain.errors import NotAllowedNow
from domain.identity_providers import Assurance
from domain.ladder import doubt_named, require_proportionate
from domain.personal import PersonalRef, code
from domain.request_clock import RequestClock
from domain.request_state import Event, Status
from domain.staff import human, named
from domain.vocabulary import IdentityMethod, PauseReason

MOST_IDENTITY_FAILURES = 10


class IdentityRequested(Event):
    TOPIC = "request.identity-requested"
    method: IdentityMethod
    reason: str

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.identity_requested_at = self.timestamp
        aggregate.identity_asked_by = self.method
        aggregate.put_question(PauseReason.IDENTITY, self.timestamp)


class IdentityVerified(Event):
    TOPIC = "request.identity-verified"
    method: IdentityMethod
    person: PersonalRef
    by: str | None = None
    assurance: Assurance | None = None
    proof: PersonalRef | None = None

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.status = Status.VERIFIED
        aggregate.identity = self.method
        aggregate.requester = self.person


class VerificationNotNeeded(Event):
    TOPIC = "request.verification-not-needed"
    reason: str
    by: str | None = None

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.status = Status.VERIFIED
        aggregate.identity_waived = self.reason


class IdentityFailed(Event):
    TOPIC = "request.identity-failed"
    method: IdentityMethod
    reason: str

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.identity_failures += 1


class AuthorityAwaited(Event):
    TOPIC = "request.authority-awaited"
    person: PersonalRef

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.authority_awaited = True
        aggregate.requester = self.person


class AuthoritySettled(Event):
    TOPIC = "request.authority-settled"
    accepted: bool

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.authority_awaited = not self.accepted


class IdentifiersTaken(Event):
    """More to find the person by than when nobody could be found (Art. 11(2))."""

    TOPIC = "request.identifiers-taken"
    person: PersonalRef
    by: str

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.requester = self.person


class ClarificationRequested(Event):
    TOPIC = "request.clarification-requested"
    question: PersonalRef
    by: str
    reason: str = "scope-unclear"

    def apply(self, aggregate: RequestIdentity) -> None:
        aggregate.clarification_requested = True
        aggregate.question, aggregate.question_reason = self.question, self.reason
        aggregate.put_question(PauseReason.SCOPE, self.timestamp)


class Clarified(Event):
    TOPIC = "request.clarified"
    answer: PersonalRef


class RequestIdentity(RequestClock):
    @property
    def is_identified(self) -> bool:
        return self.identity is not None or self.identity_waived is not None

    @property
    def failed_too_often(self) -> bool:
        """Whether codes prove nothing any more, because they could have been guessed."""
        return self.identity_failures >= MOST_IDENTITY_FAILURES

    # Commands

    def request_identity(self, *, method: IdentityMethod, reason: str, at: datetime) -> None:
        """Ask for what is needed and no more; the reason is recorded each time (Art. 12(6))."""
        self._require(Status.RECEIVED)
        self._require_provable(method)
        require_proportionate(
            method,
            doubt_named(code(reason)),
            lighter_failed=self.identity_requested_at is not None,
        )
        self.trigger_event(IdentityRequested, method=method, reason=reason, timestamp=at)
        self.open_pause(reason=PauseReason.IDENTITY, on=self._today(at), at=at)

    def verify_identity(
        self,
        *,
        method: IdentityMethod,
        person: PersonalRef,
        by: str | None = None,
        assurance: Assurance | None = None,
        proof: PersonalRef | None = None,
        at: datetime,
    ) -> None:
        if self.identity is not None:
            return
        self._require(Status.RECEIVED)
        self._require_provable(method)
        if method.needs_a_person:
            named(by)
        self._end_pause(PauseReason.IDENTITY, at)
        self.trigger_event(
            IdentityVerified,
            method=method,
            person=person,
            by=by,
            assurance=assurance,
            proof=proof,
            timestamp=at,
        )

    def waive_verification(self, *, reason: str, by: str | None = None, at: datetime) -> None:
        """Where an answer tells nothing about anybody nobody is asked; else a person says why."""
        self._require(Status.RECEIVED)
        if self.right.is_statutory and not self.right.acts_at_once:
            human(by)
        self._end_pause(PauseReason.IDENTITY, at)
        self.trigger_event(VerificationNotNeeded, reason=code(reason), by=by, timestamp=at)

    def fail_identity(self, *, method: IdentityMethod, reason: str, at: datetime) -> None:
        """A proof that was none. Past the limit no more are recorded: anybody can send them."""
        self._require(Status.RECEIVED)
        if not self.failed_too_often:
            self.trigger_event(IdentityFailed, method=method, reason=code(reason), timestamp=at)

    def await_authority(self, *, person: PersonalRef, at: datetime) -> None:
        """Somebody asks for somebody else: nothing is looked for or sent before they may."""
        self._require(Status.RECEIVED)
        self.trigger_event(AuthorityAwaited, person=person, timestamp=at)

    def settle_authority(self, *, accepted: bool, at: datetime) -> None:
        if not self.authority_awaited:
            return
        self._end_pause(PauseReason.AUTHORITY, at)
        self.trigger_event(AuthoritySettled, accepted=accepted, timestamp=at)

    def take_identifiers(self, *, person: PersonalRef, by: str, at: datetime) -> None:
        self._require(Status.RECEIVED, Status.VERIFIED, Status.COLLECTED)
        self.trigger_event(IdentifiersTaken, person=person, by=named(by), timestamp=at)

    def request_clarification(
        self, *, question: PersonalRef, by: str, at: datetime, reason: str = "scope-unclear"
    ) -> None:
        """Ask what is meant (recital 63); what is not in question is collected meanwhile."""
        self._require_open()
        self.trigger_event(
            ClarificationRequested,
            question=question,
            reason=code(reason),
            by=named(by),
            timestamp=at,
        )
        self.open_pause(reason=PauseReason.SCOPE, on=self._today(at), at=at)

    def clarify(self, *, answer: PersonalRef, at: datetime) -> None:
        if not self.clarification_requested:
            raise NotAllowedNow("nothing was asked: add the message to the case instead")
        self.trigger_event(Clarified, answer=answer, timestamp=at)
        self._end_pause(PauseReason.SCOPE, at)

    # Rules

    def _require_provable(self, method: IdentityMethod) -> None:
        if method is IdentityMethod.CODE_TO_ADDRESS and self.failed_too_often:
            raise NotAllowedNow("too many wrong codes: let a person verify identity another way")

    def _require_authority(self) -> None:
        if self.authority_awaited:
            raise NotAllowedNow("it is made for somebody else: settle first whether they may")
