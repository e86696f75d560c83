"""The answer: sent, fetched or failed, fulfilled, closed, opened again (Art. 12(3)-(4))."""

from __future__ import annotations

from datetime import datetime

from domain.errors import DomainError, NotAllowedNow
from domain.personal import code
from domain.request_identity import RequestIdentity
from domain.request_state import Event, Status
from domain.values import LetterSent, SystemOutcome
from domain.vocabulary import Compartment, Decision, Outcome, Right


class AnswerSent(Event):
    TOPIC = "request.answer-sent"
    sent: LetterSent
    profile_version: str

    def apply(self, aggregate: RequestAnswering) -> None:
        aggregate.status_before_answer = aggregate.status
        aggregate.status = Status.ANSWERED
        aggregate.letters = (*aggregate.letters, self.sent)
        aggregate.answer = self.sent
        aggregate.answered_at = self.timestamp
        aggregate.fetched_at = None
        aggregate.fulfilled_at = None
        aggregate.delivery_failed = None


class AnswerFetched(Event):
    TOPIC = "request.answer-fetched"
    status: Status

    def apply(self, aggregate: RequestAnswering) -> None:
        aggregate.status = self.status
        aggregate.delivery_failed = None
        aggregate.answered_at = aggregate.answered_at or self.timestamp
        aggregate.fetched_at = aggregate.fetched_at or self.timestamp


class DeliveryFailed(Event):
    TOPIC = "request.delivery-failed"
    reason: str

    def apply(self, aggregate: RequestAnswering) -> None:
        aggregate.status = aggregate.status_before_answer
        aggregate.delivery_failed = self.reason
        aggregate.answered_at = aggregate.fetched_at = None


class Fulfilled(Event):
    TOPIC = "request.fulfilled"
    in_part: bool
    outcomes: tuple[SystemOutcome, ...]

    def apply(self, aggregate: RequestAnswering) -> None:
        aggregate.status = Status.FULFILLED
        aggregate.fulfilled_at = self.timestamp
        aggregate.in_part = self.in_part
        aggregate.outcomes = self.outcomes


class Withdrawn(Event):
    TOPIC = "request.withdrawn"

    def apply(self, aggregate: RequestAnswering) -> None:
        aggregate.status = Status.WITHDRAWN
        aggregate.drop()


class Closed(Event):
    TOPIC = "request.closed"
    by: str | None

    def apply(self, aggregate: RequestAnswering) -> None:
        aggregate.status = Status.CLOSED
        aggregate.closed_at = self.timestamp


class Reopened(Event):
    TOPIC = "request.reopened"
    reason: str
    status: Status
    anew: bool
    by: str | None

    def apply(self, aggregate: RequestAnswering) -> None:
        aggregate.status = self.status
        aggregate.closed_at = None
        aggregate.archived = False
        aggregate.destroyed = frozenset()
        if self.anew:
            aggregate.refusal, aggregate.dropped = None, False
            aggregate.answer, aggregate.answered_at = None, None


class RequestAnswering(RequestIdentity):
    @property
    def explained(self) -> frozenset[Outcome]:
        """What the answer gave the reasons for, unless it never arrived (Art. 12(4))."""
        if self.answer is None or self.delivery_failed is not None:
            return frozenset()
        return frozenset(self.answer.explains)

    @property
    def can_be_withdrawn(self) -> bool:
        """Whether the person may still take it back: nothing is answered, no erasure ordered."""
        ordered = self.right is Right.ERASURE and self.status is Status.APPROVED
        return self.status.is_open and self.refusal is None and not ordered

    # Commands

    def send_answer(self, *, sent: LetterSent, profile_version: str, at: datetime) -> None:
        """Record that the answer left. No answer leaves before identity is settled."""
        if not self.is_identified and self.refusal is None:
            raise NotAllowedNow(f"request {self.id} has no verified identity: no data may leave")
        if self.authority_awaited and self.refusal is None:
            raise NotAllowedNow(
                f"request {self.id} is made for another: nothing leaves before they may"
            )
        if not sent.kind.answers:
            raise DomainError(f"a letter of kind {sent.kind.value} answers nothing")
        if self.right.acts_at_once:
            self._require(Status.VERIFIED, Status.APPROVED, Status.REFUSED)
        else:
            self._require(Status.APPROVED, Status.REFUSED)
        if self.refusal is not None and Outcome.REFUSED not in sent.explains:
            raise DomainError("the answer to a refused request says why it was refused")
        self.trigger_event(AnswerSent, sent=sent, profile_version=profile_version, timestamp=at)

    def fetch_answer(self, *, at: datetime) -> None:
        """The person has it, perhaps after we had given up hope: then the answer counts again."""
        if self.answer is None:
            raise NotAllowedNow(f"request {self.id} has no answer to fetch")
        status = self.status
        if self.delivery_failed is not None:
            status = Status.FULFILLED if self.fulfilled_at else Status.ANSWERED
        self.trigger_event(AnswerFetched, status=status, timestamp=at)

    def fail_delivery(self, *, reason: str, at: datetime) -> None:
        """A bounce, or a link nobody opened: the person has no answer, so the clock runs on."""
        if self.answer is None:
            raise NotAllowedNow(f"request {self.id} has not been answered")
        if self.fetched_at is not None or self.delivery_failed is not None:
            return
        if self.status is Status.CLOSED:
            self._reopen(self.status_before_answer, reason=reason, anew=False, by=None, at=at)
        self.trigger_event(DeliveryFailed, reason=code(reason), timestamp=at)

    def misdirect(self, *, reason: str, at: datetime) -> None:
        """The answer is with somebody else, opened or not: the person still has none."""
        if self.answer is None or self.delivery_failed == reason:
            return
        if self.status is Status.CLOSED:
            self._reopen(self.status_before_answer, reason=reason, anew=False, by=None, at=at)
        self.trigger_event(DeliveryFailed, reason=code(reason), timestamp=at)

    def fulfil(self, *, outcomes: tuple[SystemOutcome, ...], at: datetime) -> None:
        """Done, in full or in part; nothing kept may be left unexplained (Art. 12(4))."""
        self._require(Status.ANSWERED)
        if self.refusal is not None:
            raise NotAllowedNow(f"request {self.id} was refused: it is closed, not fulfilled")
        self._require_complete(outcomes)
        self._require_explained({told for o in outcomes for told in o.to_explain})
        self.trigger_event(
            Fulfilled,
            in_part=any(o.to_explain for o in outcomes),
            outcomes=outcomes,
            timestamp=at,
        )

    def withdraw(self, *, at: datetime) -> None:
        """The person takes it back. An erasure that was ordered is answered all the same."""
        self.require_undecided()
        self.trigger_event(Withdrawn, timestamp=at)

    def close(self, *, at: datetime, by: str | None = None) -> None:
        """Closed means answered: nothing is fulfilled, and no refusal answered, unexplained."""
        if self.status is Status.CLOSED:
            return
        if self.refusal is not None:
            self._require(Status.ANSWERED)
        else:
            self._require(Status.FULFILLED, Status.REFERRED, Status.WITHDRAWN)
        self.trigger_event(Closed, by=by, timestamp=at)

    def reopen(self, *, reason: str, at: datetime, by: str | None = None) -> None:
        """Back to work; the receipt, and with it the clock, is the old one."""
        self._require(Status.CLOSED)
        self._reopen(self._back_to_work(), reason=reason, anew=True, by=by, at=at)

    # Rules

    def _require_complete(self, outcomes: tuple[SystemOutcome, ...]) -> None:
        """What was approved to be kept or blocked may not be reported as anything else."""
        told = {(o.system, o.category, o.outcome) for o in outcomes}
        for record_id, decision in self.decisions.items():
            as_decided = _OUTCOME_OF.get(decision.decision)
            found = self.found[record_id]
            if as_decided and (found.system, found.category, as_decided) not in told:
                raise DomainError(f"the outcomes leave out what is {as_decided.value}: report it")

    def _require_explained(self, outcomes: set[Outcome]) -> None:
        silent = outcomes - self.explained
        if silent:
            words = ", ".join(sorted(outcome.value for outcome in silent))
            raise NotAllowedNow(f"the letter that explains what was {words} has not been sent")

    def _back_to_work(self) -> Status:
        """As far back as the work has to be done again, and no farther."""
        if not self.is_identified:
            return Status.RECEIVED
        if self.collected_at is None:
            return Status.VERIFIED
        if self.right is Right.ERASURE and self.decisions:
            return Status.APPROVED  # what is erased cannot be decided again
        return Status.COLLECTED

    def _reopen(
        self, status: Status, *, reason: str, anew: bool, by: str | None, at: datetime
    ) -> None:
        gone = self.destroyed & {Compartment.PACKAGE, Compartment.CORRESPONDENCE}
        if gone or self.ended:
            raise NotAllowedNow(
                f"the content of request {self.id} is destroyed: receive a new one and link the two"
            )
        self.trigger_event(
            Reopened,
            reason=code(reason),
            status=status,
            anew=anew,
            by=by,
            timestamp=at,
        )


_OUTCOME_OF = {
    Decision.KEEP: Outcome.KEPT,
    Decision.BLOCK_AND_REFER: Outcome.BLOCKED_ARCHIVE,
    Decision.REFER: Outcome.REFERRED,
}
