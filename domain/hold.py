"""Hold: what must be kept of an erasure, by which law, until which day (Art. 17(3))."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.grounds import LEGAL_CLAIM, ground
from domain.personal import PersonalRef, code
from domain.staff import human
from domain.values import RecordOutcome

MOST_WRONG_ANSWERS = 5
"""So many wrong answers of whoever follows the link in a letter; then it leads nowhere any more."""


class Hold(Aggregate):
    TOPIC = "hold"

    # Events

    class Event(Aggregate.Event):
        pass

    class Placed(Event, AggregateCreated):
        TOPIC = "hold.placed"
        request_id: UUID
        case_id: UUID
        controller: str
        system: str
        category: str
        ground: str
        release_on: date | None
        records: tuple[UUID, ...]
        keys: PersonalRef
        by: str
        reason: PersonalRef | None = None
        owner: str = ""
        review_on: date | None = None
        tell: PersonalRef | None = None

    class EndStated(Event):
        """Somebody who knows says when a hold without a day ends."""

        TOPIC = "hold.end-stated"
        until: date
        reason: PersonalRef
        by: str

        def apply(self, aggregate: Hold) -> None:
            aggregate.release_on, aggregate.stated = self.until, True

    class Prolonged(Event):
        TOPIC = "hold.prolonged"
        until: date
        ground: str
        reason: PersonalRef
        by: str

        def apply(self, aggregate: Hold) -> None:
            aggregate.release_on, aggregate.stated = self.until, True
            aggregate.prolonged_by = self.ground

    class Reviewed(Event):
        TOPIC = "hold.reviewed"
        review_on: date
        reason: PersonalRef
        by: str

        def apply(self, aggregate: Hold) -> None:
            aggregate.review_on = self.review_on

    class Released(Event):
        TOPIC = "hold.released"
        on: date
        by: str | None = None
        reason: PersonalRef | None = None

        def apply(self, aggregate: Hold) -> None:
            aggregate.released_on = self.on

    class PersonAsked(Event):
        """No machine can erase it there: somebody of the controller's does, and says so."""

        TOPIC = "hold.person-asked"
        reason: str
        doubted: bool = False
        """What the system answered is not believed: told again, it begins anew."""

        def apply(self, aggregate: Hold) -> None:
            aggregate.waits_for = self.reason
            if self.doubted:
                aggregate.searched, aggregate.answers = False, ()

    class SystemAnswered(Event):
        """A system that is told has answered: what it says of the records, so far as settled."""

        TOPIC = "hold.system-answered"
        outcomes: tuple[RecordOutcome, ...]

        def apply(self, aggregate: Hold) -> None:
            aggregate.searched = True
            aggregate.answers = (*aggregate.answers, *self.outcomes)

    class ErasedAtRelease(Event):
        TOPIC = "hold.erased-at-release"
        outcomes: tuple[RecordOutcome, ...] = ()
        by: str | None = None

        def apply(self, aggregate: Hold) -> None:
            aggregate.erased = True
            aggregate.outcomes, aggregate.waits_for = self.outcomes, None
            aggregate.erased_at = self.timestamp

    class SubjectTold(Event):
        TOPIC = "hold.subject-told"

        def apply(self, aggregate: Hold) -> None:
            aggregate.told = True
            aggregate.told_at = self.timestamp

    class StepUpFailed(Event):
        """Whoever followed the link in the letter could not say what the person had said."""

        TOPIC = "hold.step-up-failed"

        def apply(self, aggregate: Hold) -> None:
            aggregate.wrong_answers += 1

    # State

    @event(Placed)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        system: str,
        category: str,
        ground: str,
        release_on: date | None,
        records: tuple[UUID, ...],
        keys: PersonalRef,
        by: str,
        timestamp: datetime,
        reason: PersonalRef | None = None,
        owner: str = "",
        review_on: date | None = None,
        tell: PersonalRef | None = None,
    ) -> None:
        self.placed_at = timestamp
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.system, self.category, self.ground = system, category, ground
        self.release_on, self.records, self.keys, self.by = release_on, records, keys, by
        self.reason, self.owner, self.review_on = reason, owner, review_on
        self.tell = tell
        self.stated = False
        self.prolonged_by: str | None = None
        self.released_on: date | None = None
        self.waits_for: str | None = None
        self.erased = False
        self.erased_at: datetime | None = None
        self.outcomes: tuple[RecordOutcome, ...] = ()
        self.searched = False
        self.answers: tuple[RecordOutcome, ...] = ()
        self.told = False
        self.told_at: datetime | None = None
        self.wrong_answers = 0

    @staticmethod
    def create_id(
        request_id: UUID, system: str, category: str, ground: str, release_on: date | None = None
    ) -> UUID:
        """Records with different last days are in different holds, so each goes on its own."""
        day = f"/{release_on}" if release_on else ""
        return uuid5(request_id, f"hold/{system}/{category}/{ground}{day}")

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        """A known ground, named records, a person; a claim also its reason, owner and review."""
        ground(facts["ground"])
        human(facts["by"])
        if not facts["records"]:
            raise DomainError("a hold names its records: there is no blanket one")
        if facts["ground"] == LEGAL_CLAIM and not (
            facts.get("reason") and facts.get("owner") and facts.get("review_on")
        ):
            raise DomainError("a hold for a legal claim needs a reason, an owner and a review date")

    @property
    def stands(self) -> bool:
        return self.released_on is None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left to do."""
        return self.erased and (self.tell is None or self.told)

    # Commands

    def state_end(self, *, until: date, reason: PersonalRef, by: str, at: datetime) -> None:
        """Say when a hold without a day ends: delivered, settled, or the voucher's last day."""
        self._require_standing()
        if self.release_on is not None:
            raise DomainError(f"this hold ends on {self.release_on}: prolong it or lift it")
        _require_coming(until, at)
        self.trigger_event(self.EndStated, until=until, reason=reason, by=human(by), timestamp=at)

    def prolong(
        self, *, until: date, ground: str, reason: PersonalRef, by: str, at: datetime
    ) -> None:
        """A later day needs a law and a reason of its own, and a person."""
        self._require_standing()
        if self.release_on is None:
            raise DomainError("this hold has no day yet: say when it ends")
        if until <= self.release_on:
            raise DomainError(
                f"{until} is no later than {self.release_on}: lift it to end it early"
            )
        _require_known(ground)
        self.trigger_event(
            self.Prolonged, until=until, ground=ground, reason=reason, by=human(by), timestamp=at
        )

    def review(self, *, review_on: date, reason: PersonalRef, by: str, at: datetime) -> None:
        """Look again whether the reason still holds, and say when to look next (AK-17)."""
        self._require_standing()
        if self.review_on is None:
            raise DomainError("this hold ends on a day of its own: there is nothing to review")
        _require_coming(review_on, at)
        self.trigger_event(
            self.Reviewed, review_on=review_on, reason=reason, by=human(by), timestamp=at
        )

    def release(self, *, on: date, at: datetime) -> None:
        """The day after the law's last day, not before."""
        if self.released_on is not None:
            return
        if self.release_on is None:
            raise DomainError("this hold has no date: a person lifts it, with a reason")
        self._require_past(on, at)
        if on <= self.release_on:
            raise NotAllowedNow(f"the hold stands until and including {self.release_on}")
        self.trigger_event(self.Released, on=on, timestamp=at)

    def lift(self, *, on: date, reason: PersonalRef, by: str, at: datetime) -> None:
        """A person ends it before its day, or although it has none: its ground has fallen away."""
        if self.released_on is not None:
            return
        self._require_past(on, at)
        self.trigger_event(self.Released, on=on, by=human(by), reason=reason, timestamp=at)

    def ask_person(self, *, reason: str, doubted: bool = False, at: datetime) -> None:
        """Somebody has to erase it by hand, or to look why it is still there."""
        if self.released_on is None:
            raise NotAllowedNow("a hold is released before anything under it is erased")
        if not self.erased and (doubted or self.waits_for != reason):
            self.trigger_event(self.PersonAsked, reason=code(reason), doubted=doubted, timestamp=at)

    def system_answers(self, *, outcomes: tuple[RecordOutcome, ...], at: datetime) -> None:
        """What a system that is told has said; a record is answered for once."""
        if self.released_on is None:
            raise NotAllowedNow("a hold is released before anything under it is erased")
        if not {one.record_id for one in outcomes} <= set(self.unanswered):
            raise DomainError("this answers for a record that was not asked about")
        if not self.erased:
            self.trigger_event(self.SystemAnswered, outcomes=outcomes, timestamp=at)

    @property
    def unanswered(self) -> tuple[UUID, ...]:
        """The records of which a system that is told has not said what became of them."""
        answered = {one.record_id for one in self.answers}
        return tuple(one for one in self.records if one not in answered)

    def erase_at_release(
        self,
        *,
        outcomes: tuple[RecordOutcome, ...] = (),
        by: str | None = None,
        at: datetime,
    ) -> None:
        if self.released_on is None:
            raise NotAllowedNow("a hold is released before anything under it is erased")
        if not self.erased:
            self.trigger_event(
                self.ErasedAtRelease,
                outcomes=outcomes,
                by=human(by) if by is not None else None,
                timestamp=at,
            )

    def fail_step_up(self, *, at: datetime) -> None:
        if self.wrong_answers < MOST_WRONG_ANSWERS:
            self.trigger_event(self.StepUpFailed, timestamp=at)

    def tell_subject(self, *, at: datetime) -> None:
        if not self.erased:
            raise NotAllowedNow("nothing has been erased yet that could be told")
        if not self.told:
            self.trigger_event(self.SubjectTold, timestamp=at)

    # Rules

    def _require_standing(self) -> None:
        if self.released_on is not None:
            raise NotAllowedNow(f"the hold was released on {self.released_on}")

    def _require_past(self, on: date, at: datetime) -> None:
        # A local day is at most one ahead of the day in UTC.
        if on > at.astimezone(UTC).date() + timedelta(days=1):
            raise NotAllowedNow(f"{on} is still to come: release the hold when it is there")


def _require_coming(day: date, at: datetime) -> None:
    if day < at.astimezone(UTC).date():
        raise DomainError(f"{day} is over: name a day to come")


def _require_known(code_of_ground: str) -> None:
    ground(code_of_ground)
