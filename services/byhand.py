"""By hand: what a person found or did in a system that no connector can act in.

A person's answer counts like a system's: none found needs a reason, an erasure needs a second
look. Who answered is in the event; what was found is in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import SystemState, SystemStatus
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
            raise DomainError("look again over there, and say that nothing else was left")
        key = self._waiting(request_id, system, Action.ERASE)
        self._fulfilments.record_erased(
            request_id, system, results, key=key, by=by, read_back_by_hand=True
        )
        self._fulfilments.record_read_back(request_id, system, (), key=f"{key}/read-back")

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
            raise DomainError("say why nothing was done")
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
        state = self._state(request_id, system)
        if state.action is not action or state.status in {SystemStatus.FOUND, SystemStatus.DONE}:
            raise NotAllowedNow(f"system {system} does not wait for a person to {action.value}")
        return f"{request_id}/{system}/{action.value}/by-hand"

    def _state(self, request_id: UUID, system: str) -> SystemState:
        fulfilment = self._register.fulfilment(request_id)
        if system not in fulfilment.systems:
            raise DomainError(f"system {system} is not part of this request")
        return fulfilment.systems[system]
