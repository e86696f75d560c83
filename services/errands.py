"""Errands: people who answer for a system or as an organiser are asked by a link, and chased.

Whatever waits for a person is also told to whoever the profile registers for it (Art. 19, 28(3)).
A chaser goes on the fifth day and every four days after; two in vain bring the handler in. The desk
can answer at any time, and then the link opens nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import structlog
from pydantic import TypeAdapter

from domain.aggregate import Aggregate
from domain.deadlines import received_on
from domain.errand import Errand, ErrandEnd
from domain.errors import DomainError
from domain.fulfilment import SystemStatus
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Action, Compartment
from projections.connector_tasks import Asked, waiting_for_people
from projections.projection import Reader
from services import dossier
from services.contacts import Contact, answers_by_link, contacts_of
from services.controllers import Controllers
from services.errand_book import ErrandBook
from services.errand_mails import asking
from services.planning import RECIPIENT
from services.ports import Also, Clock, Erased, Links, Mailer, Record, Refused, Task, Tasks, Vault
from services.register import Register, SomebodyWasFaster, again_on_conflict

LINK = "errand"
MAIL = "errand-mail"
NOT_ANSWERED = "link-not-answered"
NOT_DELIVERED = "link-not-delivered"
BY_PEOPLE = frozenset(
    {
        *(
            "look-up",
            "erase-by-hand",
            "suppress-by-hand",
            "inform-recipient",
            "identifiers-arrived",
        ),
        *(NOT_ANSWERED, NOT_DELIVERED),
    }
)
"""What a line waits for that whoever answers for it can do; the rest is for the handler."""
HANDLED = "handle-"
BY_LINK = frozenset({Action.FIND, Action.ERASE, Action.SUPPRESS, Action.INFORM, Action.HANDLE})
SHORTEST_DAYS = 14
"""So long a link works at least, however near the day to aim for is."""
MOST_LINES = 5_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SealedHolder:
    """An address that a handler confirmed, and the names in records that stand for it."""

    address: str
    names: tuple[str, ...] = ()


HOLDER = TypeAdapter(SealedHolder)


class Errands:
    """Asks people by link, chases them, and tells the handler when nobody answers."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        links: Links,
        book: ErrandBook,
        mailer: Mailer,
        views: Reader,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._links, self.book = controllers, links, book
        self._mailer, self._views, self._clock = mailer, views, clock
        self._address = address.rstrip("/")
        self._looked_at: set[tuple[UUID, str, datetime, str]] = set()
        """The lines whose holders are asked, so that nothing is opened once a minute for them."""

    # What comes by itself

    def pass_over(self) -> int:
        """Ask whoever has to be asked now, and end what needs nobody any more; answers how many."""
        profiles = dict(self._profiles())
        changed = self._end_what_is_over()
        lines = waiting_for_people(self._views, tuple(profiles), limit=MOST_LINES)
        new = {_as_looked_at(line, profiles[line.controller]): line for line in lines}
        for key in new.keys() - self._looked_at:
            changed += self._ask(new[key], profiles[new[key].controller])
        self._looked_at = set(new)
        return changed + self._queue_what_is_due()

    def _profiles(self) -> Iterator[tuple[str, Profile]]:
        """The controllers that have anybody asked by a link."""
        for name in self._controllers.names():
            with suppress(DomainError, ValueError):  # none in force, or none that can be read
                profile = self._controllers.in_force(name)
                if answers_by_link(profile):
                    yield name, profile

    def _ask(self, line: Asked, profile: Profile) -> int:
        """Begin an errand for everybody who answers for a line and was not asked about it yet."""
        reason = line.waits_for or ""
        if reason not in BY_PEOPLE and not reason.startswith(HANDLED):
            return 0
        begun = 0
        try:
            for contact in self.contacts(line.request_id, line.system, profile):
                begun += self.begin(
                    line.request_id, line.system, profile, contact, since=line.since
                )
        except (DomainError, Erased) as error:  # one that cannot be asked keeps no other from it
            log.warning(
                "errand_failed", request_id=str(line.request_id), error=type(error).__name__
            )
        return begun

    def begin(
        self,
        request_id: UUID,
        line: str,
        profile: Profile,
        contact: Contact,
        *,
        since: datetime | None = None,
        by: str = "",
    ) -> int:
        """Without `since` a member of staff asks, and nothing that ended stands against it.

        With `by` the address is not the profile's: whoever that is has confirmed it.
        """
        request = self._register.request(request_id)
        fulfilment = self._register.fulfilment(request_id)
        state = fulfilment.systems.get(line)
        if state is None or state.status is not SystemStatus.WAITING_FOR_PERSON or request.dropped:
            return 0
        if state.action not in BY_LINK:
            return 0
        now = self._clock()
        holder = self.book.holder(profile.id, contact.address)
        earlier = [
            one
            for one in self.of_line(request_id, line)
            if one.action is state.action and one.first_holder == holder
        ]
        if any(one.is_open for one in earlier):
            return 0
        if earlier and since is not None and not _is_asked_more(earlier, line, since):
            return 0
        today = received_on(now, request.country)
        errand = Errand(
            controller=profile.id,
            case_id=request.case_id,
            request_id=request_id,
            system=line,
            action=state.action,
            holder=holder,
            number=len(earlier),
            begun_on=today,
            ends_on=max(request.aim_on(today), today + timedelta(days=SHORTEST_DAYS)),
            timestamp=now,
        )
        also: list[Also] = []
        if by:
            also += self.confirm(errand, contact, by=by)
        with suppress(SomebodyWasFaster):
            self._register.save_all(
                [errand], [*also, self.book.keep(errand), self.mail_task(errand)]
            )
            return 1
        return 0

    def confirm(self, errand: Errand, contact: Contact, *, by: str) -> tuple[Also, ...]:
        """Ask at an address that a handler has looked at; it lies in the vault, not in an event."""
        sealed = self._vault.seal(
            errand.case_id,
            Compartment.CORRESPONDENCE,
            HOLDER.dump_json(SealedHolder(contact.address, contact.names)),
        )
        holder = self.book.holder(errand.controller, contact.address)
        errand.redirect(holder=holder, address=sealed.ref, by=by, at=self._clock())
        return sealed.also

    def _end_what_is_over(self) -> int:
        ended = 0
        for booked in self.book.open_ones(self._controllers.names()):
            errand = self._register.errand(booked.errand_id)
            today = self._today(errand)
            if not self.still_waits(errand):
                self.end(errand, ErrandEnd.ELSEWHERE)
            elif today > errand.ends_on:
                self.end(errand, ErrandEnd.EXPIRED)
            else:
                continue
            ended += 1
        return ended

    def _queue_what_is_due(self) -> int:
        due = []
        for booked in self.book.open_ones(self._controllers.names()):
            errand = self._register.errand(booked.errand_id)
            if errand.is_open and errand.next_on and self._today(errand) >= errand.next_on:
                due.append(self.mail_task(errand))
        if due:
            self._register.save_all([], due)
        return len(due)

    def mail_task(self, errand: Errand, *, by: str = "") -> Also:
        """One mail; asked for by a person, another than the one that is due on a day."""
        which = uuid4().hex if by else f"{errand.next_on}"
        return self._tasks.add(
            Task(
                key=f"errand/{errand.id}/{which}",
                kind=MAIL,
                subject_id=errand.id,
                due_at=self._clock(),
                controller=errand.controller,
                payload={"by": by} if by else {},
            )
        )

    # Mail

    def mail(self, task: Task) -> None:
        """Send the link. It works before the mail leaves; a mail that is repeated has its own."""
        errand = self._register.errand(task.subject_id)
        contact = self.contact_of(errand) if errand.is_open else None
        by = task.payload.get("by") or None
        due = errand.next_on is not None and self._today(errand) >= errand.next_on
        if contact is None or not self.still_waits(errand) or not (due or by):
            self._register.save_all([], [self._tasks.done(task)])
            return
        profile = self._controllers.in_force(errand.controller)
        zone = ZoneInfo(profile.country.zone)
        ends_at = datetime.combine(errand.ends_on + timedelta(days=1), time(), zone)
        secret, written = self._links.issue(
            errand.id, purpose=LINK, valid_for=max(ends_at - self._clock(), timedelta(hours=1))
        )
        self._register.save_all([], written)
        mail = asking(
            profile,
            contact,
            errand.system,
            key=task.key,
            url=f"{self._address}/answer-for/{secret}",
            due=errand.ends_on,
            again=bool(errand.sent),
        )
        try:
            self._mailer.send(mail)
        except Refused:
            self._bring_in_handler(errand.id, NOT_DELIVERED, task)
            return
        self._sent(errand.id, by, task)

    @again_on_conflict
    def _sent(self, errand_id: UUID, by: str | None, task: Task) -> None:
        errand = self._register.errand(errand_id)
        if errand.is_open:
            errand.send(on=self._today(errand), by=by, at=self._clock())
        reason = NOT_ANSWERED if errand.is_to_escalate else ""
        self._save_with_line(errand, reason, task)

    @again_on_conflict
    def _bring_in_handler(self, errand_id: UUID, reason: str, task: Task) -> None:
        self._save_with_line(self._register.errand(errand_id), reason, task)

    def _save_with_line(self, errand: Errand, reason: str, task: Task) -> None:
        """With a reason the handler's line says so; the link goes on working until its day."""
        now = self._clock()
        with self._register.alone_with(errand.request_id):
            changed: list[Aggregate] = [errand]
            if reason and errand.is_open:
                errand.escalate(reason=reason, at=now)
                if self.still_waits(errand):
                    fulfilment = self._register.fulfilment(errand.request_id)
                    fulfilment.escalate(system=errand.system, reason=reason, at=now)
                    changed.append(fulfilment)
            self._register.save_all(changed, [self.book.keep(errand), self._tasks.done(task)])

    # What is known

    def of_case(self, request_ids: Sequence[UUID]) -> tuple[Errand, ...]:
        return tuple(
            self._register.errand(one.errand_id) for one in self.book.of_requests(request_ids)
        )

    def of_line(self, request_id: UUID, line: str) -> tuple[Errand, ...]:
        return tuple(one for one in self.of_case([request_id]) if one.system == line)

    # What is common

    def contact_of(self, errand: Errand) -> Contact | None:
        """Where its mail goes: as a handler has confirmed, else as the profile says today."""
        profile = self._controllers.in_force(errand.controller)
        if errand.address is not None:
            try:
                known = HOLDER.validate_json(self._vault.open(errand.address))
            except Erased:
                return None
            return Contact(known.address, profile.language, known.names)
        for contact in self.contacts(errand.request_id, errand.system, profile):
            if self.book.holder(profile.id, contact.address) == errand.holder:
                return contact
        return None

    def contacts(self, request_id: UUID, line: str, profile: Profile) -> Iterator[Contact]:
        names: set[str] = set()
        if line.startswith(RECIPIENT):
            request = self._register.request(request_id)
            for record in self.records_of(request):
                names.update(record.recipients)
        yield from contacts_of(profile, line, names)

    def records_of(self, request: DataSubjectRequest) -> Iterator[Record]:
        """What was found about the person, for whoever has to be told of some of it."""
        for content in self._vault.open_each(one.content for one in request.own_records):
            yield dossier.RECORD.validate_json(content).record

    @again_on_conflict
    def end(self, errand: Errand, how: ErrandEnd, *, by: str | None = None) -> None:
        errand = self._register.errand(errand.id)
        errand.end(how=how, by=by, at=self._clock())
        self._register.save_all([errand], self.ending(errand))

    def ending(self, errand: Errand) -> list[Also]:
        """What goes with the save of an errand that has ended."""
        return [self.book.keep(errand), self._links.withdraw(errand.id, purpose=LINK)]

    def end_elsewhere(self, errand: Errand) -> None:
        self.end(errand, ErrandEnd.ELSEWHERE)

    def still_waits(self, errand: Errand) -> bool:
        """Whether the line that it is about waits for somebody still."""
        request = self._register.request(errand.request_id)
        fulfilment = self._register.find_fulfilment(errand.request_id)
        state = fulfilment.systems.get(errand.system) if fulfilment is not None else None
        return (
            state is not None
            and not request.dropped
            and state.action is errand.action
            and state.status is SystemStatus.WAITING_FOR_PERSON
        )

    def _today(self, errand: Errand) -> date:
        return received_on(self._clock(), self._controllers.in_force(errand.controller).country)


def _as_looked_at(line: Asked, profile: Profile) -> tuple[UUID, str, datetime, str]:
    return line.request_id, line.system, line.since, profile.digest


def _is_asked_more(earlier: Sequence[Errand], line: str, since: datetime) -> bool:
    """Whether all was answered, and the line has begun to wait anew: it needs something more.

    Recipients are told once: their line waits for several, and each answers for one.
    """
    answers = [one.answered_at for one in earlier if one.answered_at is not None]
    return not line.startswith(RECIPIENT) and len(answers) == len(earlier) and max(answers) < since
