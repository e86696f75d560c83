"""One click in a mail stops marketing: no account, no case, no question (RFC 8058; GK-18, AO-14).

The address travels sealed in the link and in the task, never in an event. What the systems cannot
do by themselves comes to the inbox, so that a person does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol
from uuid import UUID, uuid5

import structlog

from domain.calendar import load_calendar
from domain.controller import controller_id
from domain.deadlines import act_by, received_on
from domain.marketing_stop import MarketingStop
from domain.policy import Profile
from domain.vocabulary import Channel, IdentifierKind, Language, Outcome
from services.controllers import Controllers
from services.intake import Intake, Note
from services.ports import (
    AwaitsPerson,
    Clock,
    Identifier,
    Person,
    Refused,
    Systems,
    Task,
    Tasks,
    Unavailable,
)
from services.register import Register, again_on_conflict
from services.suppressions import Suppressions

STOP_MARKETING: Final = "stop-marketing"

AS_WORDS = {
    Language.NB: "Jeg vil ikke ha reklame. (Trykket på lenken i en e-post.)",
    Language.NN: "Eg vil ikkje ha reklame. (Trykte på lenkja i ein e-post.)",
    Language.SV: "Jag vill inte ha reklam. (Tryckte på länken i ett mejl.)",
    Language.EN: "I do not want any marketing. (Pressed the link in a mail.)",
}
"""What the click said, for the person who sees to it in the controller's language."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Whose marketing a link stops."""

    controller: str
    address: str


class Sealer(Protocol):
    """Makes a link's secret from an address, and the address from the secret; nobody else can."""

    def seal(self, subscriber: Subscriber) -> str: ...

    def open(self, secret: str) -> Subscriber | None: ...

    def digest(self, text: str) -> str:
        """A keyed digest, for ids that say nothing about whose they are."""
        ...


class OneClick:
    def __init__(
        self,
        register: Register,
        controllers: Controllers,
        intake: Intake,
        suppressions: Suppressions,
        tasks: Tasks,
        sealer: Sealer,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._controllers, self._intake = register, controllers, intake
        self._suppressions, self._tasks, self._sealer = suppressions, tasks, sealer
        self._clock, self._address = clock, address

    def link(self, controller: str, address: str) -> str:
        """The link that stops marketing to an address; always the same one, without an end."""
        self._controllers.in_force(controller)
        return f"{self._address}/stop/{self._sealer.seal(Subscriber(controller, address))}"

    def behind(self, secret: str) -> Profile | None:
        """The controller whose link it is; None when nobody here has made it."""
        subscriber = self._sealer.open(secret)
        if subscriber is None or subscriber.controller not in self._controllers.names():
            return None
        return self._controllers.in_force(subscriber.controller)

    def latest(self, profile: Profile, at: datetime | None = None) -> date:
        """The day by which marketing has stopped, for who clicks now or clicked then (GK-17)."""
        day = received_on(at or self._clock(), profile.country)
        return act_by(day, load_calendar(profile.country))

    @again_on_conflict
    def stop(self, secret: str) -> UUID | None:
        """Have every system stop that sends marketing. The same click again changes nothing."""
        profile, subscriber = self.behind(secret), self._sealer.open(secret)
        if profile is None or subscriber is None:
            return None
        now = self._clock()
        stop_id = self._id(subscriber, now, profile)
        known = self._register.find_marketing_stop(stop_id)
        person = Identifier(IdentifierKind.EMAIL, subscriber.address)
        if known is not None and self._suppressions.is_on(subscriber.controller, person):
            return stop_id
        systems = tuple(one.id for one in profile.systems if one.marketing)
        stop = known or MarketingStop(
            id=stop_id, controller=profile.id, systems=systems, timestamp=now
        )
        listed = self._suppressions.added(profile.id, stop_id, (person,))
        tasks = [
            also
            for system in systems
            for also in self._tasks.again(self._task(stop, system, secret, now))
        ]
        self._register.save_all([stop], [*listed, *tasks])
        if not systems:
            self._hand_over(stop_id, subscriber, "no-system")
        return stop_id

    def _id(self, subscriber: Subscriber, now: datetime, profile: Profile) -> UUID:
        day = received_on(now, profile.country)
        digest = self._sealer.digest(f"{subscriber.controller}\n{subscriber.address}\n{day}")
        return uuid5(controller_id(subscriber.controller), digest)

    def _task(self, stop: MarketingStop, system: str, secret: str, now: datetime) -> Task:
        return Task(
            key=f"{stop.id}/{system}/stop-marketing/{now.isoformat()}",
            kind=STOP_MARKETING,
            subject_id=stop.id,
            due_at=now,
            controller=stop.controller,
            system=system,
            payload={"link": secret},
        )

    # What workers do

    def work(self, task: Task, systems: Systems) -> None:
        """Stop at one system. When it cannot, or not today any more, a person is told."""
        subscriber = self._sealer.open(task.payload["link"])
        if subscriber is None or task.system is None:
            raise Refused("the link of this task cannot be opened")
        person = Person((Identifier(IdentifierKind.EMAIL, subscriber.address),))
        try:
            connector = systems.connector(task.controller, task.system)
            result = connector.suppress(person, key=task.key)
        except Unavailable:
            if self._is_late(task):
                self._hand_over(task.subject_id, subscriber, "not-answering")
            raise
        except (AwaitsPerson, Refused) as error:
            log.warning("marketing_stop_needs_a_person", error=type(error).__name__)
            self._hand_over(task.subject_id, subscriber, "system-refused")
            self._register.save_all([], [self._tasks.done(task)])
            return
        self._stopped(task, result.outcome)

    @again_on_conflict
    def _stopped(self, task: Task, outcome: Outcome) -> None:
        stop = self._register.marketing_stop(task.subject_id)
        stop.stop_at(system=str(task.system), outcome=outcome, at=self._clock())
        self._register.save_all([stop], [self._tasks.done(task)])

    def _is_late(self, task: Task) -> bool:
        profile = self._controllers.in_force(task.controller)
        today = received_on(self._clock(), profile.country)
        return today > self.latest(profile, task.due_at)

    @again_on_conflict
    def _hand_over(self, stop_id: UUID, subscriber: Subscriber, reason: str) -> None:
        """Into the inbox first: cut off after that, the next try finds it there."""
        stop, now = self._register.marketing_stop(stop_id), self._clock()
        language = self._controllers.in_force(stop.controller).language
        note = Note(
            text=AS_WORDS[language],
            sender_name="",
            sender_address=subscriber.address,
            received_at=stop.asked_at,
            channel=Channel.MAIL,
            fingerprint=str(stop_id),
        )
        case_id = self._intake.write_down(stop.controller, note)
        stop.hand_over(case_id=case_id, reason=reason, at=now)
        self._register.save_all([stop])
