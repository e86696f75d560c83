"""What lies in the vault: the forms in which personal data is sealed and read again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from pydantic import Base64Bytes, TypeAdapter

from domain.personal import PersonalRef
from domain.vocabulary import Compartment, IdentifierKind, Language, LetterKind
from services.documents import Document
from services.matching import normal
from services.messages import IncomingMessage
from services.ports import Identifier, Person, Record, Sealed, Vault


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A found record with the system it was found in."""

    system: str
    record: Record


@dataclass(frozen=True, slots=True)
class SealedMessage:
    """A message as it arrived, its attachments apart."""

    sender_name: str
    sender_address: str
    subject: str
    text: str
    message_id: str | None
    attachments: tuple[str, ...]
    truncated: bool = False
    identifiers: tuple[Identifier, ...] = ()
    """What a form asked for by itself; in a mail nobody is named so plainly."""
    for_another: bool = False
    """Whether whoever wrote says that it is about somebody else."""


@dataclass(frozen=True, slots=True)
class SealedLetter:
    """A letter as it left or will leave; no recipient means that it is printed and posted."""

    kind: LetterKind
    subject: str
    text: str
    html: str
    sender: str
    recipient: str | None
    in_reply_to: str | None
    paper: Document | None = None
    documents: tuple[PersonalRef, ...] = ()
    """What goes with it, each sealed by itself."""


@dataclass(frozen=True, slots=True)
class SealedDocument:
    """Something enclosed with a letter."""

    name: str
    media_type: str
    content: Base64Bytes


@dataclass(frozen=True, slots=True)
class SealedNote:
    """Something a person wrote about a case: a reason, a question, an advice."""

    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SealedProof:
    """Who says that something arrived earlier than it was recorded, and what shows it."""

    said_by: str
    evidence: str


@dataclass(frozen=True, slots=True)
class SealedDelivery:
    """What shows that a letter was posted, handed over or read aloud, and who says so.

    `seen` is how the person showed who they are: what was looked at, never a copy of it.
    """

    on: date
    by: str
    tracking: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class SealedVoucher:
    """Who vouched for the person: the provider, its own name for them as a digest, how surely."""

    provider: str
    subject: str
    acr: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SealedKeys:
    """What a hold needs to erase by itself on its last day: the records' keys in their system."""

    system: str
    records: tuple[SealedKey, ...]
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class SealedKey:
    key: str
    kind: str
    keep_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SealedContact:
    """Where to tell somebody that a hold has ended, and by what they are recognised then."""

    address: str
    language: Language
    reference: str
    recognised_by: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class SealedElsewhere:
    """Who deals with a message instead of us, and whether it was passed on to them."""

    name: str
    contact: str
    passed_on: bool = False


@dataclass(frozen=True, slots=True)
class SealedDisclosure:
    """Which authority was given something, and what whoever recorded it says of it."""

    authority: str
    words: str


DISCLOSED = TypeAdapter(SealedDisclosure)
ELSEWHERE = TypeAdapter(SealedElsewhere)
PERSON = TypeAdapter(Person)
RECORD = TypeAdapter(SealedRecord)
MESSAGE = TypeAdapter(SealedMessage)
LETTER = TypeAdapter(SealedLetter)
DOCUMENT = TypeAdapter(SealedDocument)
NOTE = TypeAdapter(SealedNote)
PROOF = TypeAdapter(SealedProof)
DELIVERY = TypeAdapter(SealedDelivery)
VOUCHER = TypeAdapter(SealedVoucher)
KEYS = TypeAdapter(SealedKeys)
CONTACT = TypeAdapter(SealedContact)


def person_in(vault: Vault, ref: PersonalRef) -> Person:
    return PERSON.validate_json(vault.open(ref))


def record_in(vault: Vault, ref: PersonalRef) -> Record:
    """The record alone; which system it was found in is known where it is asked for."""
    return RECORD.validate_json(vault.open(ref)).record


def note_in(vault: Vault, ref: PersonalRef) -> str:
    return NOTE.validate_json(vault.open(ref)).text


def seal_note(
    vault: Vault,
    case_id: UUID,
    text: str,
    by: str,
    at: datetime,
    *,
    compartment: Compartment = Compartment.CORRESPONDENCE,
) -> Sealed:
    """Somebody's words with who wrote them and when, ready to be saved with their event."""
    return vault.seal(case_id, compartment, NOTE.dump_json(SealedNote(text, by, at)))


def message_of(message: IncomingMessage) -> SealedMessage:
    return SealedMessage(
        sender_name=message.sender_name,
        sender_address=message.sender_address,
        subject=message.subject,
        text=message.text,
        message_id=message.message_id,
        attachments=tuple(attachment.name for attachment in message.attachments),
        truncated=message.truncated,
    )


def with_verified(person: Person, kind: IdentifierKind, value: str) -> Person:
    """The same person, with one identifier proven; every other stays as it was."""
    proven = Identifier(kind, value, verified=True)
    others = tuple(
        identifier
        for identifier in person.identifiers
        if (identifier.kind, identifier.value) != (kind, value)
    )
    return replace(person, identifiers=(proven, *others))


def with_proven(person: Person, kind: IdentifierKind, value: str) -> Person:
    """The same person with something proven about them, whether they had said it or not."""
    same = (
        one.value
        for one in person.identifiers
        if one.kind is kind and normal(kind, one.value) == normal(kind, value)
    )
    return with_verified(person, kind, next(same, value))


def with_kinds_verified(person: Person, kinds: frozenset[IdentifierKind]) -> Person:
    """The same person after somebody has checked who they are by other means than an address."""
    return replace(
        person,
        identifiers=tuple(
            replace(one, verified=one.verified or one.kind in kinds) for one in person.identifiers
        ),
    )
