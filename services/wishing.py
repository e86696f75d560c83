"""Wishing: what of it the person wants erased, and on which grounds (Art. 17(1))."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.erasure_wish import ErasureWish
from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.values import WishedErasure
from domain.vocabulary import Right
from services.controllers import Controllers
from services.ports import Clock
from services.register import Register, again_on_conflict


class Wishing:
    """Takes down what an erasure is to reach."""

    def __init__(self, register: Register, controllers: Controllers, clock: Clock) -> None:
        self._register, self._controllers, self._clock = register, controllers, clock

    @again_on_conflict
    def say(self, request_id: UUID, parts: Sequence[WishedErasure], *, by: str) -> None:
        """Until it is approved the person may think again; the last word counts."""
        with self._register.alone_with(request_id):
            request = self._register.request(request_id)
            if request.right is not Right.ERASURE:
                raise NotAllowedNow("only an erasure has parts and grounds")
            if request.status not in {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED}:
                raise NotAllowedNow(f"request {request_id} is {request.status.value}")
            profile = self._controllers.in_force(request.controller)
            known = {category.id for category in profile.categories}
            for part in parts:
                if part.category and part.category not in known:
                    raise DomainError(
                        f"there is no category {part.category}: take one of these:"
                        f" {', '.join(sorted(known))}"
                    )
                if part.record_id is not None and part.record_id not in request.found:
                    raise DomainError("there is no such record in this request")
            now = self._clock()
            wish = self._register.find_erasure_wish(request_id)
            if wish is None:
                wish = ErasureWish(
                    request_id=request_id,
                    case_id=request.case_id,
                    controller=request.controller,
                    parts=tuple(parts),
                    by=by,
                    timestamp=now,
                )
            else:
                wish.say_anew(parts=tuple(parts), by=by, at=now)
            self._register.save_all([wish])
