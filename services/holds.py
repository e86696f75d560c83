"""Holds: what is kept of an erasure goes on its day, by itself, and is looked for afterwards.

Art. 17(3), 5(1)(e). Everything this takes lies in the hold's own compartment: the records' keys,
the identifiers, and the contact of whoever asked to be told. The day before nothing moves. What
another hold still names stays, and so does what the person has begun to use again. Where no
machine can act, somebody of the controller's is asked, and says what they did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.grounds import LEGAL_CLAIM
from domain.hold import MOST_WRONG_ANSWERS, Hold
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest, Status
from domain.staff import human
from domain.values import KnownResidual, RecordOutcome
from domain.vocabulary import Compartment, Country, LetterKind, Outcome
from services import dossier
from services.controllers import Controllers
from services.erasure_ledger import Erasures
from services.held import Held, HeldRecord
from services.letters import LetterFacts, compose
from services.ports import (
    Also,
    Clock,
    Connector,
    Erased,
    Identifier,
    Links,
    Mailer,
    OutgoingMail,
    Person,
    Record,
    Systems,
    Task,
    Tasks,
    Treatment,
    Unavailable,
    Vault,
)
from services.register import MakeAlong, Register, again_on_conflict, nothing_along
from services.restricting import Restrictions
from services.retention import ASK_AGAIN_SECONDS, FOR_ARCHIVE, hold_end_task

RELEASE: Final = "release-hold"
TELL: Final = "tell-hold"
HOLD_KINDS: Final = (RELEASE, TELL)

AT_VENDOR: Final = "pending-at-vendor"
RESTRICTED: Final = "restricted"
"""The person wants it kept for now (Art. 18(1)(b) and (c), 18(2)); the hold's law does not."""
NOBODYS_FAULT: Final = frozenset({AT_VENDOR, FOR_ARCHIVE, RESTRICTED})
"""Waiting that is no fault of any system, so that none is suspended for it."""

LINK: Final = "hold"
LINK_VALID_FOR = timedelta(days=30)
TELL_AFTER = timedelta(hours=1)
"""What goes on the same day is told in one letter."""
VENDOR_SECONDS = 3_600.0
MOST_OF_A_STAFF_ID = 100


@dataclass(frozen=True, slots=True)
class HeldShown:
    """A record of a hold as whoever erases it by hand must find it: personal data."""

    record_id: UUID
    kind: str
    key: str
    keep_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a released hold tells the person, once they have shown who they are."""

    controller: str
    system: str
    category: str
    ground: str
    erased_on: date


class Holds:
    """What happens to holds: they are dated, reviewed, lifted, and released on their day."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        held: Held,
        erasures: Erasures,
        restrictions: Restrictions,
        links: Links,
        clock: Clock,
        *,
        address: str,
        sender: str,
    ) -> None:
        """`sender` is an address that names no business: the letter may reach a stranger."""
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._held = controllers, held
        self._restrictions, self._erasures = restrictions, erasures
        self._links, self._clock = links, clock
        self._address, self._sender = address.rstrip("/"), sender
        self._planned: set[str] = set()

    # The pass

    def pass_over(self, due: Iterable[tuple[UUID, str, str, date]]) -> int:
        """Have released what stood through its last day: hold, controller, system, that day.

        A task has a stable key, so another pass or another process adds nothing to it.
        """
        now, planned = self._clock(), 0
        for hold_id, controller, system, last_day in due:
            task = release_task(hold_id, controller, system, str(last_day), at=now)
            if last_day < _today(now) and task.key not in self._planned:
                self._register.save_all([], [self._tasks.add(task)])
                self._planned.add(task.key)
                planned += 1
        return planned

    # What people do

    @again_on_conflict
    def claim(
        self,
        request_id: UUID,
        record_ids: Iterable[UUID],
        *,
        reason: str,
        owner: str,
        review_on: date,
        by: str,
    ) -> tuple[UUID, ...]:
        """Keep records for a legal claim: with a reason, an owner and a day to look again (AK-17).

        Made before the erasure is approved; what is decided then leaves these records alone.
        """
        now = self._clock()
        if not reason.strip():
            raise DomainError("a hold for a legal claim needs a reason: say which claim it is")
        if not owner.isprintable() or " " in owner or len(owner) > MOST_OF_A_STAFF_ID:
            raise DomainError("name the owner of the claim by their staff id")
        if review_on <= _today(now):
            raise DomainError(f"{review_on} has come already: name a later day to look again")
        request = self._register.request(request_id)
        if request.status is not Status.COLLECTED:
            raise NotAllowedNow(f"request {request.id} is {request.status.value}: nothing to hold")
        own = {found.record_id: found for found in request.own_records}
        chosen = list(dict.fromkeys(record_ids))
        if not chosen or any(record_id not in own for record_id in chosen):
            raise DomainError("name the records that the claim needs: there is no blanket hold")
        person = dossier.person_in(self._vault, request.requester)
        places: dict[tuple[str, str], list[HeldRecord]] = {}
        for record_id in chosen:
            found = own[record_id]
            record = dossier.record_in(self._vault, found.content)
            places.setdefault((found.system, found.category), []).append(
                HeldRecord(record_id, record.key, record.kind)
            )
        placed = []
        for (system, category), records in places.items():
            hold_id = Hold.create_id(request.id, system, category, LEGAL_CLAIM)
            if self._register.find_hold(hold_id) is not None:
                raise DomainError(f"there is a claim on {category} in {system} already: review it")
            placed.append(
                self._held.place(
                    request,
                    system=system,
                    category=category,
                    ground=LEGAL_CLAIM,
                    release_on=None,
                    records=records,
                    identifiers=person.identifiers,
                    words=reason,
                    owner=human(owner),
                    review_on=review_on,
                    by=by,
                    at=now,
                )
            )
        also = [write for one in placed for write in one.also]
        self._register.save_all([one.hold for one in placed], also)
        return tuple(one.hold.id for one in placed)

    @again_on_conflict
    def state_end(self, hold_id: UUID, *, until: date, reason: str, by: str) -> None:
        """Say when a hold without a day ends (`say_when_it_ends`, `say_voucher_date`)."""
        hold, note, also = self._with_reason(hold_id, reason, by)
        hold.state_end(until=until, reason=note, by=by, at=self._clock())
        self._register.save_all([hold], also)

    @again_on_conflict
    def prolong(self, hold_id: UUID, *, until: date, ground: str, reason: str, by: str) -> None:
        """Keep it longer: only on a ground that the law knows, with a reason."""
        hold, note, also = self._with_reason(hold_id, reason, by)
        hold.prolong(until=until, ground=ground, reason=note, by=by, at=self._clock())
        self._register.save_all([hold], also)

    @again_on_conflict
    def review(self, hold_id: UUID, *, review_on: date, reason: str, by: str) -> None:
        """Say why a claim still stands, and when to look again."""
        hold, note, also = self._with_reason(hold_id, reason, by)
        hold.review(review_on=review_on, reason=note, by=by, at=self._clock())
        self._register.save_all([hold], also)

    @again_on_conflict
    def lift(self, hold_id: UUID, *, reason: str, by: str) -> None:
        """End it before its day, or although it has none; what it kept is erased at once."""
        now = self._clock()
        hold, note, also = self._with_reason(hold_id, reason, by)
        if hold.stands:
            hold.lift(on=_today(now), reason=note, by=by, at=now)
            also.append(
                self._tasks.add(
                    release_task(hold.id, hold.controller, hold.system, "lifted", at=now)
                )
            )
            self._register.save_all([hold], also)

    @again_on_conflict
    def erased_by_hand(self, hold_id: UUID, *, looked_again: bool, by: str) -> None:
        """Somebody erased over there what the hold had kept, and looked again afterwards."""
        if not looked_again:
            raise DomainError("look again over there, and say that nothing was left")
        now = self._clock()
        hold = self._register.hold(hold_id)
        if hold.waits_for is None:
            raise NotAllowedNow("this hold does not wait for anybody to erase by hand")
        request = self._register.request(hold.request_id)
        outcomes = []
        for record_id, key in zip(hold.records, self._held.keys(hold).records, strict=True):
            stays = self.stays(hold, request, record_id, key, None)
            outcomes.append(stays or RecordOutcome(record_id, Outcome.ERASED, "by-hand"))
        hold.erase_at_release(outcomes=tuple(outcomes), by=by, at=now)
        self._register.save_all([hold], self.what_follows(hold, now))

    def try_again(self, hold_id: UUID, *, by: str) -> None:
        """Somebody has seen to it over there: ask the system once more."""
        human(by)
        hold = self._register.hold(hold_id)
        if hold.stands or hold.erased:
            raise NotAllowedNow("this hold does not wait to be erased")
        task = release_task(
            hold.id, hold.controller, hold.system, f"again/{hold.version}", at=self._clock()
        )
        self._register.save_all([], self._tasks.again(task))

    def records(self, hold_id: UUID) -> tuple[HeldShown, ...]:
        """Which records to erase by hand, and what of them another hold keeps: personal data."""
        hold = self._register.hold(hold_id)
        return tuple(
            HeldShown(record_id, key.kind, key.key, self.kept_beside(hold, key)[1])
            for record_id, key in zip(hold.records, self._held.keys(hold).records, strict=True)
        )

    def reason(self, hold: Hold) -> str:
        """Why somebody placed it, in their words; empty where the law alone says it."""
        try:
            return self._held.words(hold)
        except Erased:
            return ""

    def _with_reason(
        self, hold_id: UUID, reason: str, by: str
    ) -> tuple[Hold, PersonalRef, list[Also]]:
        if not reason.strip():
            raise DomainError("say why, in words: a hold is changed for a reason")
        hold = self._register.hold(hold_id)
        if not hold.stands:
            raise NotAllowedNow(f"the hold was released on {hold.released_on}")
        sealed = dossier.seal_note(
            self._vault,
            hold.case_id,
            reason.strip(),
            by,
            self._clock(),
            compartment=Compartment.HOLD,
        )
        return hold, sealed.ref, list(sealed.also)

    # Releasing

    def release(self, task: Task, systems: Systems) -> None:
        """Erase what the hold kept, look again, and plan what follows; repeated without harm."""
        hold = self._register.hold(task.subject_id)
        if hold.erased or not self._released(hold, task):
            self._register.save_all([], [self._tasks.done(task)])
            return
        hold = self._register.hold(hold.id)
        begun_at = self._clock()
        connector = systems.connector(hold.controller, hold.system)
        person = Person(self._held.keys(hold).identifiers)
        outcomes = tuple(self._erased(hold, connector, person, task))
        waits = [one for one in outcomes if one.outcome is Outcome.MANUAL]
        if waits:
            self.ask_person(hold.id, reason="erase-from-list", task=task)
            return
        if nothing_was_there(outcomes) and task.attempts <= 1:
            self.ask_person(hold.id, reason="nothing-changed", task=task)
            return
        if self._is_left(hold, connector, person, outcomes, begun_at):
            self.ask_person(hold.id, reason="still-there-after-erasure", task=task)
            return
        self._record_erased(hold.id, outcomes, task)

    @again_on_conflict
    def ask_person(
        self,
        hold_id: UUID,
        *,
        reason: str,
        doubted: bool = False,
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        """No machine can go on: the hold waits for somebody of the controller's."""
        hold = self._register.hold(hold_id)
        if not hold.stands:
            hold.ask_person(reason=reason, doubted=doubted, at=self._clock())
        more = along()
        done = [self._tasks.done(task)] if task is not None else []
        self._register.save_all([hold, *more.aggregates], [*done, *more.also])

    @again_on_conflict
    def _released(self, hold: Hold, task: Task) -> bool:
        """Release it if its day is over; one that was prolonged meanwhile stands."""
        now = self._clock()
        hold = self._register.hold(hold.id)
        request = self._register.request(hold.request_id)
        today = received_on(now, request.country)
        if hold.stands and (hold.release_on is None or today <= hold.release_on):
            return False
        if request.archive_first and not request.archived:
            raise Unavailable(FOR_ARCHIVE, retry_after=ASK_AGAIN_SECONDS)
        identifiers = self._held.keys(hold).identifiers
        if self._restrictions.of_person(hold.controller, identifiers):
            raise Unavailable(RESTRICTED, retry_after=ASK_AGAIN_SECONDS)
        if hold.stands:
            hold.release(on=today, at=now)
            self._register.save_all([hold])
        return True

    def _erased(
        self, hold: Hold, connector: Connector, person: Person, task: Task
    ) -> Iterator[RecordOutcome]:
        request = self._register.request(hold.request_id)
        there = {(one.kind, one.key): one for one in connector.find(person)}
        keys = self._held.keys(hold).records
        for record_id, key in zip(hold.records, keys, strict=True):
            record = there.get((key.kind, key.key))
            stays = self.stays(hold, request, record_id, key, record)
            if stays is not None:
                yield stays
                continue
            if record is None:
                gone = "by-an-earlier-try" if task.attempts > 1 else "already-gone"
                yield RecordOutcome(record_id, Outcome.NOT_FOUND, gone)
                continue
            result = connector.erase(
                person,
                Treatment(
                    key=key.key,
                    kind=key.kind,
                    anonymise=self.anonymises(hold, key.kind),
                    keep_fields=self.kept_beside(hold, key)[1],
                ),
                key=f"{task.key}/{record_id}",
            )
            yield RecordOutcome(
                record_id,
                result.outcome,
                result.detail,
                residuals=tuple(KnownResidual(r.what, r.why, r.until) for r in result.residuals),
            )

    def stays(
        self,
        hold: Hold,
        request: DataSubjectRequest,
        record_id: UUID,
        key: dossier.SealedKey,
        record: Record | None,
    ) -> RecordOutcome | None:
        """Why a record is left alone although this hold is over."""
        if record_id not in request.decisions:
            # Whoever withdrew the request did not ask us to erase when a claim ends.
            return RecordOutcome(record_id, Outcome.KEPT, "erasure-was-not-approved", hold.ground)
        other, _ = self.kept_beside(hold, key)
        if other is not None:
            return RecordOutcome(
                record_id, Outcome.KEPT, "another-hold", other.ground, other.release_on
            )
        began = received_on(hold.placed_at, request.country)
        if record is not None and any(day > began for day in _happened(record, self._clock())):
            return RecordOutcome(record_id, Outcome.KEPT, "in-use-again", hold.ground)
        return None

    def kept_beside(
        self, hold: Hold, key: dossier.SealedKey
    ) -> tuple[Hold | None, tuple[str, ...]]:
        """The hold that keeps all of the record, if there is one; else the fields others keep."""
        fields: dict[str, None] = {}
        for other in self._held.on_record(hold.controller, hold.system, key.kind, key.key):
            if other.id == hold.id:
                continue
            part = self._held.fields(other, key.kind, key.key)
            if not part:
                return other, ()
            fields |= dict.fromkeys(part)
        return None, tuple(fields)

    def anonymises(self, hold: Hold, kind: str) -> bool:
        profile = self._controllers.in_force(hold.controller)
        system = next((one for one in profile.systems if one.id == hold.system), None)
        holding = system.holding(kind) if system else None
        return holding is not None and holding.anonymise

    def _is_left(
        self,
        hold: Hold,
        connector: Connector,
        person: Person,
        outcomes: Iterable[RecordOutcome],
        begun_at: datetime,
    ) -> bool:
        """Whether the system still shows what it was asked to erase."""
        keys = dict(zip(hold.records, self._held.keys(hold).records, strict=True))
        gone = {
            (keys[one.record_id].kind, keys[one.record_id].key)
            for one in outcomes
            if one.outcome in GONE and not self.kept_beside(hold, keys[one.record_id])[1]
        }
        pending = any(one.outcome is Outcome.PENDING_AT_VENDOR for one in outcomes)
        left = {(one.kind, one.key) for one in connector.find(person, fresh_after=begun_at)} & gone
        if pending:
            raise Unavailable(AT_VENDOR, retry_after=VENDOR_SECONDS)
        return bool(left)

    @again_on_conflict
    def _record_erased(
        self, hold_id: UUID, outcomes: tuple[RecordOutcome, ...], task: Task
    ) -> None:
        now = self._clock()
        hold = self._register.hold(hold_id)
        hold.erase_at_release(outcomes=outcomes, at=now)
        self._register.save_all([hold], [self._tasks.done(task), *self.what_follows(hold, now)])

    def what_follows(self, hold: Hold, now: datetime) -> list[Also]:
        """What is saved with a hold's erasure: its content goes soon, and what it was told."""
        noted = self._erasures.of_hold(hold, self._held.keys(hold), now)
        if hold.tell is None:
            return [*noted, self._tasks.add(hold_end_task(hold, at=now))]
        tell = Task(
            key=f"{hold.id}/tell",
            kind=TELL,
            subject_id=hold.id,
            due_at=now + TELL_AFTER,
            controller=hold.controller,
        )
        return [*noted, self._tasks.add(tell)]

    # Telling

    @again_on_conflict
    def tell(self, task: Task, mailer: Mailer) -> None:
        """Tell whoever asked to be told, without a name and without a business (E-15).

        Sent twice at worst, and recognisable then; the link of an earlier try leads nowhere.
        """
        now = self._clock()
        hold = self._register.hold(task.subject_id)
        if hold.tell is None or hold.told or not hold.erased:
            self._register.save_all([], [self._tasks.done(task)])
            return
        contact = dossier.CONTACT.validate_json(self._vault.open(hold.tell))
        secret, written = self._links.issue(hold.id, purpose=LINK, valid_for=LINK_VALID_FOR)
        self._register.save_all([], [self._links.withdraw(hold.id, purpose=LINK), *written])
        letter = compose(
            LetterKind.HOLD_RELEASED,
            LetterFacts(
                profile=self._controllers.in_force(hold.controller),
                language=contact.language,
                case_reference=contact.reference,
                link_url=f"{self._address}/kept/{secret}",
                link_ends_on=_today(now + LINK_VALID_FOR),
            ),
        )
        mailer.send(
            OutgoingMail(
                key=f"{hold.id}/told",
                sender=self._sender,
                recipient=contact.address,
                subject=letter.subject,
                text=letter.text,
                html=letter.html,
                kind=letter.kind,
            )
        )
        told = [hold, *self._told_with(hold)]
        for one in told:
            one.tell_subject(at=now)
        ends = [self._tasks.add(hold_end_task(one, at=now + LINK_VALID_FOR)) for one in told]
        self._register.save_all(told, [self._tasks.done(task), *ends])

    def _told_with(self, hold: Hold) -> list[Hold]:
        """The other holds of the case that are over too, and that the same letter tells of."""
        case = self._register.case(hold.case_id)
        return [
            one
            for one in self._held.of_case(case)
            if one.id != hold.id and one.erased and one.tell is not None and not one.told
        ]

    def behind(self, secret: str) -> Hold | None:
        """The hold that a link leads to; None when the link has ended."""
        link = self._links.follow(secret, purpose=LINK)
        return self._register.hold(link.subject_id) if link is not None else None

    def contact_of(self, hold: Hold) -> dossier.SealedContact | None:
        """Where the person was written to; None when it is gone."""
        try:
            return self._contact(hold)
        except Erased:
            return None

    @again_on_conflict
    def recognise(self, secret: str, said: str) -> tuple[Told, ...]:
        """What was erased, for who says something that the person gave beside the address."""
        hold = self.behind(secret)
        if hold is None or hold.wrong_answers >= MOST_WRONG_ANSWERS:
            return ()
        if not _is_known(said, self._contact(hold).recognised_by):
            hold.fail_step_up(at=self._clock())
            spent = hold.wrong_answers >= MOST_WRONG_ANSWERS
            also = [self._links.withdraw(hold.id, purpose=LINK)] if spent else []
            self._register.save_all([hold], also)
            return ()
        case = self._register.case(hold.case_id)
        return tuple(
            Told(one.controller, one.system, one.category, one.ground, _today(one.erased_at))
            for one in self._held.of_case(case)
            if one.told and one.erased_at is not None
        )

    def _contact(self, hold: Hold) -> dossier.SealedContact:
        if hold.tell is None:
            raise DomainError("nobody asked to be told about this hold")
        return dossier.CONTACT.validate_json(self._vault.open(hold.tell))


GONE = {Outcome.ERASED, Outcome.ANONYMISED, Outcome.NOT_FOUND, Outcome.RESIDUAL}


def nothing_was_there(outcomes: tuple[RecordOutcome, ...]) -> bool:
    """None of it was there, and nobody else keeps it: a system that was moved looks so too."""
    return all(one.outcome is Outcome.NOT_FOUND for one in outcomes)


def _happened(record: Record, now: datetime) -> Iterator[date]:
    """The days on which the person did something with a record; what is to come is no such day."""
    today = _today(now)
    return (day for name, day in record.anchors.items() if name in _DEEDS and day <= today)


_DEEDS = frozenset(
    {
        "last_purchase",
        "last_form_registration",
        "last_contact",
        "order_placed",
        "signed_up",
        "consent_given",
    }
)
"""Anchors that a person makes by coming back; the end of a guarantee comes by itself."""


def _is_known(said: str, identifiers: Iterable[Identifier]) -> bool:
    spelt = _spelt(said)
    return bool(spelt) and any(_spelt(one.value) == spelt for one in identifiers)


def _spelt(words: str) -> str:
    return "".join(letter for letter in words.casefold() if letter.isalnum())


def _today(at: datetime) -> date:
    # Both countries' midnights fall together; a hold's own country is asked when it is released.
    return min(received_on(at, country) for country in Country)


def release_task(hold_id: UUID, controller: str, system: str, why: str, *, at: datetime) -> Task:
    return Task(
        key=f"{hold_id}/release/{why}",
        kind=RELEASE,
        subject_id=hold_id,
        due_at=at,
        controller=controller,
        system=system,
    )
