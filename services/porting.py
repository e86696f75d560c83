"""Porting: what goes to another controller directly, and what the person takes along (Art. 20)."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from uuid import UUID

from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.portability import DirectTransfer
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Right
from services import dossier
from services.controllers import Controllers
from services.copies import Copies
from services.portability import PortableFacts, build_portable
from services.ports import Clock, Vault
from services.register import Register, again_on_conflict


class Porting:
    """A transfer from controller to controller, and the file for it."""

    def __init__(
        self, register: Register, vault: Vault, controllers: Controllers, clock: Clock
    ) -> None:
        self._register, self._vault = register, vault
        self._controllers, self._clock = controllers, clock
        self._copies = Copies(register, vault)

    @again_on_conflict
    def ask(self, request_id: UUID, *, to: str, by: str) -> None:
        """The person wants another controller to get it directly; its name is sealed."""
        if not to.strip():
            raise DomainError("name the controller that is to get the data")
        request = self._portability(request_id)
        if self._register.find_direct_transfer(request_id) is not None:
            raise NotAllowedNow("a direct transfer has been asked for already: judge that one")
        now = self._clock()
        sealed = dossier.seal_note(self._vault, request.case_id, to.strip(), by, now)
        transfer = DirectTransfer(
            request_id=request_id,
            case_id=request.case_id,
            controller=request.controller,
            recipient_name=sealed.ref,
            by=by,
            timestamp=now,
        )
        self._register.save_all([transfer], sealed.also)

    @again_on_conflict
    def judge(self, request_id: UUID, *, feasible: bool, reason: str, by: str) -> None:
        transfer = self._transfer(request_id)
        transfer.judge(feasible=feasible, reason=reason, by=by, at=self._clock())
        self._register.save_all([transfer])

    @again_on_conflict
    def made(self, request_id: UUID, *, how: str, by: str) -> None:
        """The other controller has got it."""
        self._require_collected(self._portability(request_id))
        transfer = self._transfer(request_id)
        transfer.make(how=how, by=by, at=self._clock())
        self._register.save_all([transfer])

    def recipient(self, request_id: UUID) -> str:
        """Who is to get it, for whoever transfers it."""
        name = self._transfer(request_id).recipient_name
        return dossier.note_in(self._vault, name)

    def file(self, request_id: UUID) -> bytes:
        """The file as it would be given now, for a direct transfer."""
        request = self._portability(request_id)
        self._require_collected(request)
        redaction = self._register.find_redaction(request_id)
        looked_at = redaction.looked_at(request.own_records) if redaction else frozenset()
        request.require_looked_at(looked_at)
        return self.written(request, at=self._clock())

    def written(self, request: DataSubjectRequest, *, at: datetime) -> bytes:
        out = BytesIO()
        case = self._register.case(request.case_id)
        build_portable(
            PortableFacts(
                profile=self._controllers.in_force(request.controller),
                language=case.language,
                case_reference=case.reference,
                received_on=request.received_on,
                made_on=received_on(at, request.country),
                records=self._copies.of(request),
                transfer=self._register.find_direct_transfer(request.id),
            ),
            out,
        )
        return out.getvalue()

    def _portability(self, request_id: UUID) -> DataSubjectRequest:
        request = self._register.request(request_id)
        if request.right is not Right.PORTABILITY:
            raise NotAllowedNow("only portable data goes to another controller (Art. 20(2))")
        return request

    def _transfer(self, request_id: UUID) -> DirectTransfer:
        self._portability(request_id)
        transfer = self._register.find_direct_transfer(request_id)
        if transfer is None:
            raise NotAllowedNow("nobody has asked for a direct transfer: record the wish first")
        return transfer

    @staticmethod
    def _require_collected(request: DataSubjectRequest) -> None:
        if request.status is not Status.COLLECTED or request.undecided_matches:
            raise NotAllowedNow("let everything be found, and every match be decided, first")
