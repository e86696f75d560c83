"""National numbers: matched with, then dropped (law E-10; Norway section 12, Sweden 3:10).

A number lies alone in the vault, apart from the person, only while systems are being searched.
Whoever sees the case afterwards sees that there was one, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import TypeAdapter

from domain.case import Case
from domain.request import DataSubjectRequest
from domain.vocabulary import Compartment, IdentifierKind, Right
from services import dossier
from services.national_numbers import mask_national_numbers, national_numbers_in
from services.ports import Also, Erased, Identifier, Person, Vault

NUMBER = TypeAdapter(Identifier)
SEARCHES = frozenset({Right.ACCESS, Right.ERASURE, Right.PORTABILITY})
"""The rights for which systems are searched by what is known of the person."""


def without_numbers(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
    return tuple(one for one in identifiers if one.kind is not IdentifierKind.NATIONAL_NUMBER)


def number_in(identifiers: Iterable[Identifier]) -> Identifier | None:
    kind = IdentifierKind.NATIONAL_NUMBER
    return next((one for one in identifiers if one.kind is kind and one.value.strip()), None)


def split(message: dossier.SealedMessage) -> tuple[dossier.SealedMessage, Identifier | None]:
    """A message with its numbers masked, file names too, and the number if there is just one.

    Of several nobody can tell whose each is, and none is needed: they only go.
    """
    texts = (message.sender_name, message.subject, message.text, *message.attachments)
    found = {digits(one) for text in texts for one in national_numbers_in(text)}
    kind = IdentifierKind.NATIONAL_NUMBER
    number = Identifier(kind, next(iter(found))) if len(found) == 1 else None
    return replace(
        message,
        sender_name=mask_national_numbers(message.sender_name),
        subject=mask_national_numbers(message.subject),
        text=mask_national_numbers(message.text),
        attachments=tuple(map(mask_national_numbers, message.attachments)),
    ), number


def same(one: str, other: str) -> bool:
    """Whether two spellings are one number; Swedish ones are written with a century or without."""
    return digits(one)[-10:] == digits(other)[-10:]


def digits(number: str) -> str:
    return "".join(one for one in number if one.isdecimal())


def take(vault: Vault, case: Case, number: Identifier, *, at: datetime) -> list[Also]:
    """Keep a number for as long as it takes to match with it; an earlier one goes."""
    also = forget(vault, case, at=at)
    sealed = vault.seal(case.id, Compartment.UPLOAD, NUMBER.dump_json(number))
    case.take_number(number=sealed.ref, at=at)
    return [*also, *sealed.also]


def known(vault: Vault, case: Case) -> Identifier | None:
    """The number that this case is being matched with, if there is one still."""
    if case.number is None:
        return None
    try:
        return NUMBER.validate_json(vault.open(case.number))
    except Erased:
        return None


def prove(vault: Vault, case: Case, *, at: datetime) -> list[Also]:
    """What the person showed says that the number is theirs."""
    number = known(vault, case)
    if number is None or number.verified:
        return []
    return take(vault, case, replace(number, verified=True), at=at)


def drop_if_done(
    vault: Vault, case: Case, requests: Sequence[DataSubjectRequest], *, at: datetime
) -> list[Also]:
    """Drop the number once nothing is left to be searched."""
    if case.number is None or any(map(_still_searches, requests)):
        return []
    return forget(vault, case, at=at)


def forget(vault: Vault, case: Case, *, at: datetime) -> list[Also]:
    if case.number is None:
        return []
    gone = vault.forget(case.number)
    case.drop_number(at=at)
    return [gone]


def person_to_find(vault: Vault, case: Case, request: DataSubjectRequest) -> Person:
    """Whom systems are searched for, with the number if there is one."""
    person = dossier.person_in(vault, request.requester)
    number = known(vault, case)
    return person if number is None else Person((*person.identifiers, number))


def _still_searches(request: DataSubjectRequest) -> bool:
    return request.right in SEARCHES and request.status.is_open and request.collected_at is None
