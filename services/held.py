"""Held: which holds there are, on which records, and how one is placed (Art. 17(3)).

A hold names its records in a compartment of its own, so it can do its work when everything else
of the case is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain.case import Case
from domain.decisions import StandingHold
from domain.grounds import LEGAL_CLAIM
from domain.hold import Hold
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.values import FoundRecord
from domain.vocabulary import Compartment
from services import dossier
from services.ports import Also, HeldRecords, Identifier, Record, Vault
from services.register import Register


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """One record that a hold names: all of it, or only these fields of it."""

    record_id: UUID
    key: str
    kind: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A new hold, and what has to be saved with it."""

    hold: Hold
    also: tuple[Also, ...]


class Held:
    """Finds and places holds; what happens to them is `services.holds`."""

    def __init__(self, register: Register, vault: Vault, records: HeldRecords) -> None:
        self._register, self._vault, self._records = register, vault, records

    def place(
        self,
        request: DataSubjectRequest,
        *,
        system: str,
        category: str,
        ground: str,
        release_on: date | None,
        records: Sequence[HeldRecord],
        identifiers: tuple[Identifier, ...],
        by: str,
        at: datetime,
        words: str = "",
        owner: str = "",
        review_on: date | None = None,
        contact: dossier.SealedContact | None = None,
    ) -> Placed:
        keys = dossier.SealedKeys(
            system=system,
            records=tuple(dossier.SealedKey(one.key, one.kind, one.fields) for one in records),
            identifiers=identifiers,
        )
        also: list[Also] = []

        def seal(content: bytes) -> PersonalRef:
            sealed = self._vault.seal(request.case_id, Compartment.HOLD, content)
            also.extend(sealed.also)
            return sealed.ref

        note = dossier.SealedNote(words.strip(), by, at)
        hold = Hold(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            system=system,
            category=category,
            ground=ground,
            release_on=release_on,
            records=tuple(one.record_id for one in records),
            keys=seal(dossier.KEYS.dump_json(keys)),
            by=by,
            reason=seal(dossier.NOTE.dump_json(note)) if words.strip() else None,
            owner=owner,
            review_on=review_on,
            tell=seal(dossier.CONTACT.dump_json(contact)) if contact else None,
            timestamp=at,
        )
        also.extend(
            self._records.add(
                request.controller,
                request.case_id,
                hold.id,
                system,
                [(one.kind, one.key) for one in records],
            )
        )
        return Placed(hold, tuple(also))

    def of_case(self, case: Case) -> tuple[Hold, ...]:
        """Every hold of a case; one whose content is gone is known by what was decided."""
        known = dict.fromkeys(self._records.holds_of_case(case.id))
        for request in self._register.requests_of(case):
            known |= dict.fromkeys(_of_decisions(request))
        return tuple(hold for hold in map(self._register.find_hold, known) if hold is not None)

    def on_record(self, controller: str, system: str, kind: str, key: str) -> tuple[Hold, ...]:
        """The standing holds that name a record, whichever case they belong to."""
        named = self._records.holds_of_record(controller, system, kind, key)
        holds = map(self._register.find_hold, named)
        return tuple(hold for hold in holds if hold is not None and hold.stands)

    def claim_on(
        self, controller: str, system: str, records: Iterable[tuple[str, str]]
    ) -> Hold | None:
        """The standing claim on any of these records, by kind and key, that is looked at first."""
        claims = [
            hold
            for kind, key in records
            for hold in self.on_record(controller, system, kind, key)
            if hold.ground == LEGAL_CLAIM
        ]
        return min(claims, key=lambda hold: hold.review_on or date.max, default=None)

    def words(self, hold: Hold) -> str:
        """Why somebody placed it; empty where the law alone says it."""
        if hold.reason is None:
            return ""
        return dossier.note_in(self._vault, hold.reason)

    def standing(self, controller: str, found: FoundRecord, record: Record) -> list[StandingHold]:
        """What a person decided must stay of a record, as the rules of erasure take it.

        What the law keeps by itself is counted anew each time, and needs no hold to be known.
        """
        holds = self.on_record(controller, found.system, found.kind, record.key)
        return [
            StandingHold(
                system=hold.system,
                category=hold.category,
                ground=hold.prolonged_by or hold.ground,
                until=hold.release_on,
                review_on=hold.review_on,
                reason=hold.reason,
                owner=hold.owner,
                fields=self.fields(hold, found.kind, record.key),
            )
            for hold in holds
            if hold.ground == LEGAL_CLAIM or hold.stated
        ]

    def fields(self, hold: Hold, kind: str, key: str) -> tuple[str, ...]:
        """What of a record the hold keeps; none named: all of it."""
        sealed = self.keys(hold)
        parts = [one.keep_fields for one in sealed.records if (one.kind, one.key) == (kind, key)]
        if any(not part for part in parts):
            return ()
        return tuple(dict.fromkeys(name for part in parts for name in part))

    def keys(self, hold: Hold) -> dossier.SealedKeys:
        """Raises `Erased` when the hold's content is gone."""
        return dossier.KEYS.validate_json(self._vault.open(hold.keys))


def _of_decisions(request: DataSubjectRequest) -> Iterator[UUID]:
    for decision in request.decisions.values():
        found = request.found[decision.record_id]
        for part in decision.reasons:
            place = (request.id, found.system, found.category, part.ground)
            yield Hold.create_id(*place, part.until)
            # One without a day, a claim, or one from before days were told apart.
            yield Hold.create_id(*place)
