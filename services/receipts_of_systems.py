"""What a connected system answers: one receipt for one instruction, whichever way it came.

The contents of records come over HTTPS or by a link only; what travels by Kafka says how many,
what became of each, and why, in codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from pydantic import TypeAdapter

from domain.errors import DomainError
from domain.grounds import ground
from domain.instruction import Counted, Instruction, Said, Verb
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import Person, Record, Result


@dataclass(frozen=True, slots=True)
class FoundThere:
    """One record that a system shows. `linked` says that it hangs on another one of the person's.

    It tells what the record was found by; how sure that makes us is not for the system to say.
    """

    key: str
    kind: str
    matched_by: IdentifierKind
    linked: bool = False
    fields: Mapping[str, object] = field(default_factory=dict)
    anchors: Mapping[str, date] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer. `found` is None where its door takes no contents, so that none were sent."""

    id: UUID
    instruction: UUID
    outcome: Said
    found: tuple[FoundThere, ...] | None = None
    records: Mapping[UUID, Result] = field(default_factory=dict)
    problem: str = ""
    retry_after: timedelta | None = None

    @property
    def counts(self) -> tuple[Counted, ...]:
        """How many records had which outcome; found ones count as exported."""
        outcomes = [result.outcome for result in self.records.values()]
        outcomes += [Outcome.EXPORTED] * len(self.found or ())
        return tuple(Counted(one, outcomes.count(one)) for one in Outcome if one in outcomes)


RECEIPT = TypeAdapter(Receipt)

OF_VERBS: Mapping[Verb, frozenset[Said]] = {
    Verb.FIND: frozenset({Said.NOTHING_HELD, Said.FOUND}),
    Verb.READ_BACK: frozenset({Said.NOTHING_HELD, Said.FOUND}),
    Verb.ERASE: frozenset({Said.NOTHING_HELD, Said.DONE}),
    Verb.SUPPRESS: frozenset({Said.NOTHING_HELD, Said.DONE}),
    Verb.RECTIFY: frozenset({Said.DONE}),
    Verb.RESTRICT: frozenset({Said.NOTHING_HELD, Said.DONE}),
    Verb.UNRESTRICT: frozenset({Said.NOTHING_HELD, Said.DONE}),
    Verb.INFORM: frozenset({Said.DONE}),
}
"""What answers which instruction; that a person is needed, or time, may always be said."""

ALWAYS = frozenset({Said.NEEDS_PERSON, Said.TRY_LATER})
LONGEST_PAUSE = timedelta(days=7)
OUTCOMES = frozenset(
    {
        Outcome.ERASED,
        Outcome.ANONYMISED,
        Outcome.NOT_FOUND,
        Outcome.KEPT,
        Outcome.RESIDUAL,
        Outcome.PENDING_AT_VENDOR,
        Outcome.REFUSED,
    }
)
"""What a system may say of a record that it was to erase."""


def require_sense(receipt: Receipt, instruction: Instruction) -> None:
    """An answer to another question, or half of one, is refused with what is missing."""
    verb, said = instruction.verb, receipt.outcome
    if said not in OF_VERBS[verb] | ALWAYS:
        known = ", ".join(sorted(one.value for one in OF_VERBS[verb] | ALWAYS))
        raise DomainError(f"{said.value} does not answer {verb.value}: answer one of {known}")
    if said is Said.TRY_LATER and not (
        receipt.retry_after and timedelta() < receipt.retry_after <= LONGEST_PAUSE
    ):
        raise DomainError("say after how many seconds to try again: from 1 to 604800")
    if said is Said.FOUND and receipt.found is None:
        raise DomainError("what was found is sent over HTTPS: post this receipt there")
    if said is Said.FOUND and not receipt.found:
        raise DomainError("nothing was found: answer nothing-held")
    if receipt.found and said not in {Said.FOUND, Said.DONE}:
        raise DomainError(f"{said.value} shows no records: leave them out")
    if verb is Verb.RECTIFY and said is Said.DONE and receipt.found is None:
        raise DomainError("send the records as they are now, over HTTPS: nobody could see it else")
    if verb is Verb.ERASE and said is Said.DONE:
        _require_outcomes(receipt, instruction)


def _require_outcomes(receipt: Receipt, instruction: Instruction) -> None:
    asked = {record.record_id for record in instruction.records}
    if not set(receipt.records) <= asked:
        raise DomainError("a record is named that this instruction does not name: answer for those")
    for result in receipt.records.values():
        if result.outcome not in OUTCOMES:
            raise DomainError(f"{result.outcome.value} is no outcome of an erasure")
        if result.outcome is Outcome.KEPT and (result.ground is None or result.until is None):
            raise DomainError("what is kept needs its ground, as a code, and until when")
        if result.ground is not None:
            ground(result.ground)
        if result.outcome is Outcome.PENDING_AT_VENDOR and result.not_before is None:
            raise DomainError("what a vendor still works on needs not_before: when to look again")
        if result.outcome is Outcome.RESIDUAL and not result.residuals:
            raise DomainError("what remains in part needs its residuals: what, and why")


def as_records(found: tuple[FoundThere, ...], person: Person) -> Iterator[Record]:
    """Records as a connector would tell them: only what was proven in the case matches strongly."""
    for one in found:
        yield Record(
            key=one.key,
            kind=one.kind,
            match=_match(one, person),
            matched_by=one.matched_by,
            fields=one.fields,
            anchors=one.anchors,
            flags=frozenset(one.flags),
            recipients=one.recipients,
            masked=one.masked,
        )


def _match(one: FoundThere, person: Person) -> Match:
    if one.matched_by is IdentifierKind.NAME:
        return Match.SAME_NAME
    if not person.verified(one.matched_by):
        return Match.UNVERIFIED_IDENTIFIER
    return Match.LINKED_RECORD if one.linked else Match.VERIFIED_IDENTIFIER
