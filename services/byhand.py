"""By hand: what a person found or did in a system that no connector can act in.

A person's answer counts like a system's: none found needs a reason, an erasure needs a second
look. Who answered is in the event; what was found, and why in words, is in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import SystemState, SystemStatus
from domain.grounds import ground
from domain.request import Status
from domain.vocabulary import Action, Outcome
from services.fulfilment import Fulfilments
from services.ports import Record, Result
from services.register import Register


class ByHand:
    """Answers of people, for one system of one request at a time."""

    def __init__(self, register: Register, fulfilments: Fulfilments) -> None:
        self._register, self._fulfilments = register, fulfilments

    def found(
        self, request_id: UUID, system: str, records: Sequence[Record], *, reason: str, by: str
    ) -> None:
        """What a person found there; `reason` says where and for what they looked."""
        key = self._waiting(request_id, system, Action.FIND)
        self._fulfilments.record_found(request_id, system, records, key=key, by=by, reason=reason)

    def erased(
        self,
        request_id: UUID,
        system: str,
        results: Mapping[UUID, Result],
        *,
        looked_again: bool,
        by: str,
    ) -> None:
        """What a person erased there, having looked again afterwards."""
        if not looked_again:
            raise DomainError(
                "look again over there, and say that nothing else was left", key="look-again-first"
            )
        for result in results.values():
            if result.outcome not in DEEDS:
                raise DomainError(f"{result.outcome.value} is nothing that somebody does by hand")
            if result.outcome is Outcome.REFUSED and not (result.ground and result.words):
                raise DomainError(
                    "say why it was refused, and name the ground: the letter must",
                    key="why-refused",
                )
            if result.ground is not None:
                ground(result.ground)
        results = {key: replace(r, detail=r.detail or "by-hand") for key, r in results.items()}
        key = self._waiting(request_id, system, Action.ERASE)
        self._fulfilments.record_erased(
            request_id, system, results, key=key, by=by, read_back_by_hand=True
        )

    def done(
        self, request_id: UUID, system: str, *, outcome: Outcome, reason: str, by: str
    ) -> None:
        """A task as a whole: a suppression, a recipient informed, a right worked by hand."""
        state = self._state(request_id, system)
        if state.action in {Action.FIND, Action.ERASE}:
            raise NotAllowedNow(
                f"system {system} waits for what was {state.action.value}: say that"
            )
        if outcome in {Outcome.NOT_FOUND, Outcome.REFUSED} and not reason:
            raise DomainError("say why nothing was done", key="why-nothing-done")
        key = self._waiting(request_id, system, state.action)
        self._fulfilments.record_done(
            request_id,
            system,
            action=state.action,
            outcome=outcome,
            reason=reason,
            key=key,
            by=by,
        )

    def _waiting(self, request_id: UUID, system: str, action: Action) -> str:
        """The key of a person's answer; a search may be corrected until somebody decides."""
        state = self._state(request_id, system)
        request = self._register.request(request_id)
        correcting = state.status is SystemStatus.FOUND and request.status in {
            Status.VERIFIED,
            Status.COLLECTED,
        }
        answered = state.status.has_answered and not correcting
        if state.action is not action or answered or request.dropped:
            raise NotAllowedNow(f"system {system} does not wait for a person to {action.value}")
        # The same answer sent twice meets a system that does not wait any more; one given anew
        # after the system was asked anew is another answer.
        version = self._register.fulfilment(request_id).version
        return f"{request_id}/{system}/{action.value}/by-hand/{version}"

    def _state(self, request_id: UUID, system: str) -> SystemState:
        fulfilment = self._register.fulfilment(request_id)
        if system not in fulfilment.systems:
            raise DomainError(f"system {system} is not part of this request")
        return fulfilment.systems[system]


DEEDS = frozenset(
    {Outcome.ERASED, Outcome.ANONYMISED, Outcome.KEPT, Outcome.REFUSED, Outcome.NOT_FOUND}
)
"""What a person may say was done with one record."""
