"""Receipts: when a request truly arrived, and that somebody who asks twice asks once.

Awareness is irrelevant; the earliest proven arrival counts (EDPB guidelines 01/2022, 159; GK-02).
A correction is an event with its reason and its proof, never an overwriting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.calendar import Calendar, calendar_named
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.request import DataSubjectRequest
from domain.request_receiving import DUPLICATE
from domain.staff import human
from domain.vocabulary import Compartment
from services import dossier
from services.controllers import Controllers
from services.ports import Clock, Vault
from services.register import Register, again_on_conflict

MOST_DUPLICATES = 50


@dataclass(frozen=True, slots=True)
class Correction:
    """When something arrived after all: the reason as a code; the rest may name people."""

    received_at: datetime
    reason: str
    said_by: str
    evidence: str


class Receipts:
    """Puts the clock right."""

    def __init__(
        self, register: Register, vault: Vault, controllers: Controllers, clock: Clock
    ) -> None:
        self._register, self._vault = register, vault
        self._controllers, self._clock = controllers, clock

    @again_on_conflict
    def correct(self, case_id: UUID, correction: Correction, *, by: str) -> None:
        """Put the receipt of a case right, and with it every request that came of it."""
        if not correction.said_by.strip() or not correction.evidence.strip():
            raise DomainError("say who says so, and what shows when it arrived")
        now = self._clock()
        case = self._register.case(case_id)
        country = self._controllers.in_force(case.controller).country
        day = received_on(correction.received_at, country)
        proof = self._vault.seal(
            case.id,
            Compartment.CORRESPONDENCE,
            dossier.PROOF.dump_json(
                dossier.SealedProof(correction.said_by.strip(), correction.evidence.strip())
            ),
        )
        case.correct_receipt(
            received_at=correction.received_at,
            reason=correction.reason,
            proof=proof.ref,
            by=by,
            at=now,
        )
        requests = [one for one in self._register.requests_of(case) if not one.ended]
        for request in requests:
            request.correct_receipt(
                received_at=correction.received_at,
                received_on=day,
                calendar=_calendar(request),
                reason=correction.reason,
                proof=proof.ref,
                by=by,
                at=now,
            )
        if case.pending_events:
            self._register.save_all([case, *requests], proof.also)

    @again_on_conflict
    def link(self, request_id: UUID, *, to: UUID, by: str) -> None:
        """Say that two requests are one and the same; the earliest receipt is that of them all."""
        human(by)
        now = self._clock()
        first, second = self._register.request(request_id), self._register.request(to)
        if first.controller != second.controller or first.right is not second.right:
            raise DomainError(
                "only what asks the same controller for the same is one request", key="not-the-same"
            )
        if first.country is not second.country:
            raise DomainError("requests of two countries have clocks of their own")
        first.link(to=second.id, by=by, at=now)
        second.link(to=first.id, by=by, at=now)
        group = {first.id: first, second.id: second}
        for other in self._linked(group.values()):
            group[other.id] = other
        earliest = min(group.values(), key=lambda one: one.received_at)
        for request in group.values():
            if not request.ended and request.status.is_open:
                take_receipt_of(earliest, request, by=by, at=now)
        self._register.save_all([one for one in group.values() if one.pending_events])

    def _linked(self, known: Iterable[DataSubjectRequest]) -> Iterator[DataSubjectRequest]:
        """Everything that links of these lead to, of the same right."""
        seen = {one.id for one in known}
        ahead = [other for one in known for other in one.linked]
        while ahead and len(seen) < MOST_DUPLICATES:
            wanted = ahead.pop()
            if wanted in seen:
                continue
            seen.add(wanted)
            request = self._register.request(wanted)
            ahead += request.linked
            yield request


def take_receipt_of(
    earliest: DataSubjectRequest, request: DataSubjectRequest, *, by: str, at: datetime
) -> None:
    """The same was asked on an earlier day: that day counts. The hour moves nothing."""
    if earliest.received_on < request.received_on:
        request.correct_receipt(
            received_at=earliest.received_at,
            received_on=earliest.received_on,
            calendar=_calendar(request),
            reason=DUPLICATE,
            by=by,
            at=at,
        )


def _calendar(request: DataSubjectRequest) -> Calendar:
    return calendar_named(request.dates.calendar)
