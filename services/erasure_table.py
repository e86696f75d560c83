"""What goes, what stays, why and until when: one table, before anything is erased (Art. 17, 12(1)).

An erasure cannot be undone, so the person sees what it comes to and may confirm it. Whoever keeps
silent loses nothing: the handler goes on in time, and nobody is refused for it.
"""

from __future__ import annotations

from uuid import UUID

from domain.deadlines import received_on
from domain.erasure_wish import ErasureWish
from domain.errors import NotAllowedNow
from domain.request import DataSubjectRequest, Status
from domain.staff import DATA_SUBJECT
from domain.values import WishedErasure
from domain.vocabulary import Right
from services.controllers import Controllers
from services.deciding import Deciding
from services.erasure_rows import Table, digest_of, rows_of
from services.fulfilment import UNMAPPED
from services.ports import Clock
from services.questions import ERASURE_TABLE, Questions
from services.register import Register, again_on_conflict
from services.wording import LETTERS, wording


class ErasureTables:
    """Shows the table, asks for it to be confirmed, and takes the answer."""

    def __init__(
        self,
        register: Register,
        controllers: Controllers,
        deciding: Deciding,
        questions: Questions,
        clock: Clock,
    ) -> None:
        self._register, self._controllers = register, controllers
        self._deciding, self._questions, self._clock = deciding, questions, clock

    def of(self, request: DataSubjectRequest) -> Table | None:
        """The table as it stands today; None before everything is found, or once it is decided."""
        if request.right is not Right.ERASURE or request.status is not Status.COLLECTED:
            return None
        if request.undecided_matches or request.authority_awaited:
            return None
        if any(one.category == UNMAPPED for one in request.own_records):
            return None  # the profile has to say what it is before anybody can decide about it
        today = received_on(self._clock(), request.country)
        previews = self._deciding.preview(request, today)
        rows = rows_of((one.found, one.verdict) for one in previews)
        digest = digest_of(rows)
        wish = self._register.find_erasure_wish(request.id)
        return Table(rows, digest, wish is not None and wish.confirmed == digest)

    @again_on_conflict
    def ask(self, request_id: UUID, *, by: str) -> None:
        """Ask the person to look at it: a letter, two reminders, then somebody decides."""
        request = self._register.request(request_id)
        if self.of(request) is None:
            raise NotAllowedNow("the table is there when every system was searched and matched")
        wish = self._wish(request)
        wish.ask_to_confirm(by=by, at=self._clock())
        self._register.save_all([wish])
        if not request.awaits_clarification:
            words = wording(LETTERS, request.language).say("erasure_table.question")
            self._questions.ask_scope(request_id, words=words, by=by, reason=ERASURE_TABLE)

    @again_on_conflict
    def confirm(self, request_id: UUID, digest: str) -> bool:
        """The person has seen this very table; False where it is another by now."""
        request = self._register.request(request_id)
        table = self.of(request)
        if table is None:
            raise NotAllowedNow("there is no table to confirm")
        if table.digest != digest:
            return False
        if not table.confirmed:
            wish = self._wish(request)
            wish.confirm_table(digest=digest, at=self._clock())
            self._register.save_all([wish])
        if request.awaits_clarification:
            words = wording(LETTERS, request.language).say("erasure_table.confirmed")
            self._questions.record_answer(request_id, words=words, by=DATA_SUBJECT)
        return True

    def _wish(self, request: DataSubjectRequest) -> ErasureWish:
        known = self._register.find_erasure_wish(request.id)
        if known is not None:
            return known
        return ErasureWish(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            parts=(WishedErasure(),),
            by=DATA_SUBJECT,
            timestamp=self._clock(),
        )
