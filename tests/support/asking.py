"""Walks through the services, so that a test about one step need not tell all those before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from domain.fulfilment import Fulfilment, SystemStatus
from domain.request import DataSubjectRequest
from domain.vocabulary import (
    Action,
    Channel,
    IdentifierKind,
    Language,
    Outcome,
    ReceiptSource,
    Right,
)
from services.messages import IncomingMessage, Nature
from services.ports import Attachment, Identifier, Person, Record, Result, Treatment
from tests.support.fake_systems import FakeSystem
from tests.support.house import KARI, NORWAY, House

BY = "ola"


class Clock:
    """The present moment, which a test may move."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def forward(self, **much: float) -> None:
        self.shift += timedelta(**much)


@dataclass
class Troubled(FakeSystem):
    """A system whose next answers are errors; once they are used up it answers as it should."""

    troubles: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Result] = field(default_factory=dict)

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        self._meet("read-back" if fresh_after else "find")
        yield from super().find(person, fresh_after=fresh_after)

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        self._meet(f"erase {treatment.key}")
        there = any(record.key == treatment.key for _, record in self.held)
        result = super().erase(person, treatment, key=key)
        if treatment.key in self.answers:
            return self.answers[treatment.key]
        return result if there else Result(Outcome.NOT_FOUND)

    def suppress(self, person: Person, *, key: str) -> Result:
        self._meet("suppress")
        return super().suppress(person, key=key)

    def _meet(self, what: str) -> None:
        self.asked.append(what)
        if self.troubles:
            raise self.troubles.pop(0)


def mail(text: str = "Hei", **changes: Any) -> IncomingMessage:
    facts: dict[str, Any] = {
        "sender_name": "Kari Testesen",
        "sender_address": KARI,
        "to": (),
        "subject": "Personvern",
        "text": text,
        "attachments": (),
        "message_id": None,
        "in_reply_to": None,
        "received_at": datetime.now(UTC),
        "received_at_source": ReceiptSource.RECEIVED_HEADER,
        "nature": Nature.PERSONAL,
        "raw_sha256": sha256(f"{text}{sorted(changes)}{changes}".encode()).hexdigest(),
        "truncated": False,
    }
    return IncomingMessage(**{**facts, **changes})


def attached(content: bytes) -> Attachment:
    return Attachment("original.txt", "text/plain", content)


def received(house: House, text: str = "Hei", controller: str = NORWAY, **changes: Any) -> UUID:
    message = mail(text, **changes)
    return house.installation.intake.receive(controller, message, channel=Channel.MAIL)


def confirmed(
    house: House,
    *rights: Right,
    controller: str = NORWAY,
    identifiers: tuple[Identifier, ...] = (Identifier(IdentifierKind.EMAIL, KARI),),
    text: str = "Hei",
    language: Language = Language.NB,
) -> UUID:
    case_id = received(house, text, controller)
    house.installation.intake.confirm(
        case_id, rights=rights, language=language, identifiers=identifiers, by=BY
    )
    house.worker.drain()
    return case_id


BY_ADDRESS = (Identifier(IdentifierKind.EMAIL, KARI),)


def verified(
    house: House,
    *rights: Right,
    controller: str = NORWAY,
    text: str = "Hei",
    identifiers: tuple[Identifier, ...] = BY_ADDRESS,
    language: Language = Language.NB,
) -> UUID:
    case_id = confirmed(
        house, *rights, controller=controller, text=text, identifiers=identifiers, language=language
    )
    if all(asked(house, case_id, right).is_identified for right in rights):
        return case_id
    house.installation.identity.ask(case_id, reason="unknown-sender", by=BY)
    house.worker.drain()
    house.installation.identity.check_code(case_id, house.newest_code())
    house.worker.drain()
    return case_id


def collected(
    house: House,
    *rights: Right,
    controller: str = NORWAY,
    text: str = "Hei",
    identifiers: tuple[Identifier, ...] = BY_ADDRESS,
    language: Language = Language.NB,
) -> UUID:
    """Every system has been searched; where only a person can look, nothing was there."""
    case_id = verified(
        house, *rights, controller=controller, text=text, identifiers=identifiers, language=language
    )
    for right in rights:
        look_everywhere(house, case_id, right)
    return case_id


def look_everywhere(house: House, case_id: UUID, right: Right) -> None:
    found = house.installation.register.find_fulfilment(house.case(case_id).request_id(right))
    for system, state in (found.systems if found is not None else {}).items():
        waits = state.status is SystemStatus.WAITING_FOR_PERSON
        if waits and state.action is Action.FIND:
            assert found is not None
            house.installation.byhand.found(
                found.request_id, system, (), reason="nothing-there", by=BY
            )


def approved(house: House, *rights: Right, controller: str = NORWAY, text: str = "Hei") -> UUID:
    case_id = collected(house, *rights, controller=controller, text=text)
    approve(house, case_id, rights[0])
    return case_id


def approve(house: House, case_id: UUID, right: Right) -> None:
    request_id = house.case(case_id).request_id(right)
    house.installation.deciding.approve(request_id, by=BY, considered=True)
    house.worker.drain()


def asked(house: House, case_id: UUID, right: Right) -> DataSubjectRequest:
    return house.installation.register.request(house.case(case_id).request_id(right))


def plan(house: House, case_id: UUID, right: Right) -> Fulfilment:
    return house.installation.register.fulfilment(house.case(case_id).request_id(right))


def trouble(house: House, system: str, *troubles: Exception, controller: str = NORWAY) -> Troubled:
    """Put a system that has its troubles in the place of the good one."""
    troubled = Troubled(troubles=list(troubles))
    house.systems.made[controller, system] = troubled
    return troubled


def hurry(house: House, *, destroying: bool = True) -> None:
    """Let every pause be over."""
    house.installation.database.fetch(
        "UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE done_at IS NULL"
        " AND (%s OR kind <> 'destroy')",
        [destroying],
    )
    house.worker.drain()


def open_tasks(house: House) -> list[str]:
    rows = house.installation.database.fetch(
        "SELECT kind FROM trettio.tasks WHERE done_at IS NULL AND parked_at IS NULL"
        " AND kind <> 'destroy' ORDER BY kind"
    )
    return [row["kind"] for row in rows]
