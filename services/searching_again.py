"""Searching again: a person sends what a log knows them by, and somebody looks (Art. 11(2))."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import IDENTIFIERS_ARRIVED
from domain.request import Status
from domain.staff import human
from domain.vocabulary import Compartment, RefusalGround
from services import dossier
from services.fulfilment import person_of
from services.ports import Clock, Identifier, Person, Vault
from services.refusing import Refusing
from services.register import Register, again_on_conflict


class SearchingAgain:
    """What came too late for the first search; the receipt, and with it the clock, stays."""

    def __init__(self, register: Register, vault: Vault, refusing: Refusing, clock: Clock) -> None:
        self._register, self._vault, self._refusing = register, vault, refusing
        self._clock = clock

    def take(self, request_id: UUID, identifiers: Sequence[Identifier], *, by: str) -> None:
        """Take what the person can be found by after all; where nobody could search, search."""
        request = self._register.request(request_id)
        if request.refusal is RefusalGround.CANNOT_IDENTIFY:
            self._refusing.identify_after_all(request_id, identifiers, by=by)
        else:
            self._search(request_id, identifiers, by=by)

    @again_on_conflict
    def _search(self, request_id: UUID, identifiers: Sequence[Identifier], *, by: str) -> None:
        if not identifiers:
            raise DomainError("say by what the person can be found now", key="by-what-found")
        now, by = self._clock(), human(by)
        request = self._register.request(request_id)
        fulfilment = self._register.find_fulfilment(request_id)
        if fulfilment is None or not fulfilment.unsearchable:
            raise NotAllowedNow(
                "every system of this request could be searched", key="all-searched"
            )
        if request.status is Status.FULFILLED:
            request.close(by=by, at=now)
        if request.status is Status.CLOSED:
            request.reopen(reason=IDENTIFIERS_ARRIVED, by=by, at=now)
        known = person_of(self._vault, request).identifiers
        said = {(one.kind, one.value) for one in known}
        new = tuple(one for one in identifiers if (one.kind, one.value) not in said)
        sealed = self._vault.seal(
            request.case_id,
            Compartment.CORRESPONDENCE,
            dossier.PERSON.dump_json(Person((*known, *new))),
        )
        request.take_identifiers(person=sealed.ref, by=by, at=now)
        fulfilment.search_again(at=now)
        found = self._vault.index(request.controller, request.case_id, new)
        self._register.save_all([request, fulfilment], [*sealed.also, *found])
