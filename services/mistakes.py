"""Mistakes: ways back from what was decided wrongly, as long as nobody outside knows of it.

A wrong right or controller is put right by `services.correcting` and `services.passing_on`, a
letter by `services.recalling`, what has left by `services.misdirected`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from domain.calendar import calendar_named
from domain.case import Case
from domain.errors import NotAllowedNow
from domain.request import DataSubjectRequest
from domain.vocabulary import Compartment
from services import dossier
from services.ports import Also, Clock, Erased, Person, Vault
from services.recalling import Recalling
from services.register import Register, again_on_conflict


class Mistakes:
    """Undoes a decision, an identity check or a link between two requests."""

    def __init__(
        self, register: Register, vault: Vault, recalling: Recalling, clock: Clock
    ) -> None:
        self._register, self._vault, self._clock = register, vault, clock
        self._recalling = recalling

    @again_on_conflict
    def take_back(self, request_id: UUID, *, by: str) -> None:
        """Undo an approval or a refusal of which no letter has been written, or one came back."""
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        if any(
            case.waits_to_leave(letter.id)
            for letter in case.letters.values()
            if request_id in letter.requests and letter.kind.answers
        ):
            raise NotAllowedNow(
                "its letter is written already: take that back, and this with it",
                key="take-letter-back",
            )
        if not request.can_be_taken_back:
            raise NotAllowedNow(
                "there is no decision to take back, or it has been acted on",
                key="nothing-to-take-back",
            )
        also = self._recalling.take_back(request, by=by)
        self._register.save_all([request], also)

    @again_on_conflict
    def revoke_identity(self, case_id: UUID, *, reason: str, by: str) -> None:
        """The check of the case was wrong: what was found is forgotten, and the check made again.

        What has left already is no mistake that could be undone: it is reported as a breach.
        """
        case = self._register.case(case_id)
        requests = [one for one in self._register.requests_of(case) if one.identity_can_be_revoked]
        if not requests:
            raise NotAllowedNow(
                "no request of the case has an identity check to undo, or its answer has left:"
                " report that as sent to the wrong person"
            )
        also: list[Also] = []
        for request in requests:
            sealed = self._vault.seal(
                case.id,
                Compartment.CORRESPONDENCE,
                dossier.PERSON.dump_json(self._unproven(request)),
            )
            also += [*sealed.also, *self._forgotten(case, request)]
            request.revoke_identity(person=sealed.ref, reason=reason, by=by, at=self._clock())
        self._register.save_all(requests, also)

    def _unproven(self, request: DataSubjectRequest) -> Person:
        person = dossier.person_in(self._vault, request.requester)
        return Person(tuple(replace(one, verified=False) for one in person.identifiers))

    def _forgotten(self, case: Case, request: DataSubjectRequest) -> Iterable[Also]:
        """What was found is somebody else's: the copies of it go."""
        yield from (self._vault.forget(found.content) for found in request.found.values())
        package = case.packages.get(request.id)
        if package is not None:
            yield self._vault.forget(package)

    @again_on_conflict
    def unlink(self, request_id: UUID, *, to: UUID, by: str) -> None:
        """They are two requests after all; each counts from its own receipt again."""
        first, second = self._register.request(request_id), self._register.request(to)
        now = self._clock()
        for one, other in ((first, second), (second, first)):
            if other.id in one.linked:
                one.unlink(
                    to=other.id,
                    receipt=self._receipt_without(one, other),
                    calendar=calendar_named(one.dates.calendar),
                    by=by,
                    at=now,
                )
        if not first.pending_events and not second.pending_events:
            raise NotAllowedNow("these two requests are not linked", key="not-linked")
        self._register.save_all([one for one in (first, second) if one.pending_events])

    def _receipt_without(
        self, request: DataSubjectRequest, other: DataSubjectRequest
    ) -> tuple[datetime, date]:
        """The earliest receipt of what it stays linked to, or its own."""
        receipts = [request.own_receipt]
        receipts += [
            self._register.request(one).own_receipt for one in request.linked if one != other.id
        ]
        return min(receipts)

    def words_of(self, request: DataSubjectRequest) -> str:
        """What was written down with the approval, to begin again from; personal data."""
        try:
            note = request.approval_note
            return dossier.note_in(self._vault, note) if note else ""
        except Erased:
            return ""
