"""Informing: answers in words and documents, written by a person (Art. 22(3); AK-12, GK-23).

Security and safeguards have no date by law (E-14), and are not closed unanswered for that.
"""

from __future__ import annotations

from uuid import UUID

from domain.errors import DomainError
from domain.information import Information
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.vocabulary import Compartment, Right
from services import dossier
from services.controllers import Controllers
from services.planning import answer_task
from services.ports import Also, Attachment, Clock, Tasks, Vault
from services.register import Register, again_on_conflict

IN_WORDS = frozenset({Right.HUMAN_REVIEW, Right.INFORMATION_SECURITY, Right.TRANSFER_SAFEGUARDS})
MOST_DOCUMENTS = 10
MOST_BYTES = 8_000_000
"""Of all documents together: more than that many a mailbox does not take."""


class Informing:
    """What a person answers about rights that no system is asked for."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._clock = controllers, clock

    @again_on_conflict
    def attach(self, request_id: UUID, document: Attachment, *, by: str) -> None:
        """Enclose a document: a contract for a transfer, a description of measures."""
        if not document.content:
            raise DomainError("the document is empty: choose another")
        with self._register.alone_with(request_id):
            request = self._require(request_id)
            information = self._information(request, by)
            held = [self.document(ref) for ref in information.documents]
            size = sum(len(one.content) for one in held) + len(document.content)
            if len(held) >= MOST_DOCUMENTS or size > MOST_BYTES:
                raise DomainError("that is more than a letter carries: ten documents, 8 MB in all")
            if document in held:
                return
            sealed = self._vault.seal(
                request.case_id,
                Compartment.CORRESPONDENCE,
                dossier.DOCUMENT.dump_json(
                    dossier.SealedDocument(document.name, document.media_type, document.content)
                ),
            )
            information.attach(document=sealed.ref, by=by, at=self._clock())
            self._register.save_all([information], sealed.also)

    @again_on_conflict
    def answer(self, request_id: UUID, *, words: str, by: str, changed: bool | None = None) -> None:
        """Answer it: in words, with documents, or both; the letter is written next."""
        with self._register.alone_with(request_id):
            now = self._clock()
            request = self._require(request_id)
            profile = self._controllers.in_force(request.controller)
            information = self._information(request, by)
            information.give(
                words=bool(words.strip()),
                review=request.right is Right.HUMAN_REVIEW,
                changed=changed,
                by=by,
                at=now,
            )
            also: list[Also] = []
            note: PersonalRef | None = None
            if words.strip():
                sealed = dossier.seal_note(self._vault, request.case_id, words.strip(), by, now)
                note = sealed.ref
                also.extend(sealed.also)
            request.approve(decisions=(), profile_version=profile.digest, by=by, note=note, at=now)
            fulfilment = self._register.fulfilment(request_id)
            fulfilment.complete(at=now)
            also.append(self._tasks.add(answer_task(request, at=now)))
            self._register.save_all([request, information, fulfilment], also)

    def document(self, ref: PersonalRef) -> Attachment:
        sealed = dossier.DOCUMENT.validate_json(self._vault.open(ref))
        return Attachment(sealed.name, sealed.media_type, sealed.content)

    def _information(self, request: DataSubjectRequest, by: str) -> Information:
        return self._register.find_information(request.id) or Information(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            by=by,
            timestamp=self._clock(),
        )

    def _require(self, request_id: UUID) -> DataSubjectRequest:
        request = self._register.request(request_id)
        if request.right not in IN_WORDS:
            raise DomainError("this request is not answered in words alone")
        return request
