"""Replies: what comes back to a letter of ours belongs to its case, not into a new one.

A bounce means that the person has no answer, so the clock runs on. What asks for something new, or
comes when all is closed, is a new message that somebody has to read as one.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case, CaseStatus
from domain.errors import DomainError, NotAllowedNow
from domain.request import DataSubjectRequest, RefusalGround, Status
from domain.vocabulary import Compartment, TriageKind
from services import dossier
from services.bounces import Fate, fate
from services.messages import IncomingMessage, Nature
from services.numbers import split
from services.ports import Clock, Threads, Vault
from services.register import Register, again_on_conflict
from services.triage import Proposal


class Replies:
    """Recognises what belongs to a case that is there already."""

    def __init__(self, register: Register, vault: Vault, threads: Threads, clock: Clock) -> None:
        self._register, self._vault = register, vault
        self._threads, self._clock = threads, clock

    @again_on_conflict
    def take(self, controller: str, message: IncomingMessage, proposal: Proposal) -> UUID | None:
        """The case that the message was added to; None when it opens one of its own."""
        known = self._threads.of_message(message.raw_sha256)
        if known is not None:
            return known.case_id
        thread = self._threads.of_letters(_cited(message))
        case = self._register.find_case(thread.case_id) if thread is not None else None
        if thread is None or case is None or case.controller != controller:
            return None
        if message.nature is Nature.BOUNCE:
            return self._bounced(case, thread.letter_id, message)
        if message.nature is not Nature.PERSONAL or not self._goes_on(case, message, proposal):
            return None
        return self._add(case, message)

    @again_on_conflict
    def add_words(self, case_id: UUID, text: str, digest: str) -> None:
        """What whoever asked writes on the page of their case; the same form is one message.

        It is read by a person with the case it was written in, whatever it asks for.
        """
        if not text.strip():
            raise DomainError("write a message first")
        if self._threads.of_message(digest) is None:
            said = dossier.SealedMessage("", "", "", text, None, ())
            self._keep(self._register.case(case_id), said, self._clock(), digest)

    def is_ours(self, message: IncomingMessage) -> bool:
        """A letter of our own that came back, whoever took away what else tells it."""
        return self._threads.of_letters([message.message_id or ""]) is not None

    def _add(self, case: Case, message: IncomingMessage) -> UUID:
        said = dossier.message_of(message)
        return self._keep(case, said, message.received_at, message.raw_sha256)

    def _keep(
        self, case: Case, said: dossier.SealedMessage, received_at: datetime, digest: str
    ) -> UUID:
        now = self._clock()
        sealed = self._vault.seal(
            case.id, Compartment.CORRESPONDENCE, dossier.MESSAGE.dump_json(split(said)[0])
        )
        received_at = min(received_at, now)
        case.add_message(message=sealed.ref, received_at=received_at, at=now)
        requests = self._register.requests_of(case)
        for request in requests:
            if _was_given_up(request):  # the receipt, and with it the clock, is the old one
                request.reopen(reason="answered-after-all", at=now)
            if request.awaits_clarification:  # whoever reads it may ask again
                request.clarify(answer=sealed.ref, at=now)
        seen = self._threads.message(case.id, digest)
        self._register.save_all([case, *requests], [*sealed.also, seen])
        return case.id

    def _bounced(self, case: Case, letter_id: UUID | None, message: IncomingMessage) -> UUID | None:
        if letter_id is None or letter_id not in case.letters:
            return None
        now = self._clock()
        letter = case.letters[letter_id]
        if fate(message) is not Fate.FAILED:
            # On its way still, or there: nothing to do, and nothing for anybody to read.
            self._register.save_all([], [self._threads.message(case.id, message.raw_sha256)])
            return case.id
        case.letter_failed(letter_id=letter_id, reason="bounced", at=now)
        changed: list[Aggregate] = [case]
        for request_id in letter.requests:
            request = self._register.request(request_id)
            if request.answer is not None and request.answer.letter == letter.text:
                try:
                    request.fail_delivery(reason="bounced", at=now)
                except NotAllowedNow:  # its content is gone: nothing is left to send again
                    continue
                changed.append(request)
        seen = self._threads.message(case.id, message.raw_sha256)
        self._register.save_all(changed, [seen])
        return case.id

    def _goes_on(self, case: Case, message: IncomingMessage, proposal: Proposal) -> bool:
        """Whether it only goes on with what the case is about; nothing new may get lost in it."""
        if message.attachments:
            return False
        if proposal.kind is TriageKind.DECEASED:
            return False
        if proposal.kind is TriageKind.RIGHTS_REQUEST and set(proposal.rights) - set(case.rights):
            return False
        if case.status is CaseStatus.WAITING:  # whoever confirms the case reads it all
            return True
        requests = self._register.requests_of(case)
        return case.status is CaseStatus.CONFIRMED and any(
            request.status is not Status.CLOSED or _was_given_up(request) for request in requests
        )


def _was_given_up(request: DataSubjectRequest) -> bool:
    """Closed because the person kept silent, and can still be taken up again."""
    return (
        request.status is Status.CLOSED
        and request.refusal is RefusalGround.NO_RESPONSE
        and not request.ended
        and not request.destroyed & {Compartment.PACKAGE, Compartment.CORRESPONDENCE}
    )


def _cited(message: IncomingMessage) -> list[str]:
    """Where the id of a letter of ours can stand; a bounce carries the letter's own headers."""
    texts = [message.in_reply_to or ""]
    if message.nature is Nature.BOUNCE:
        texts.append(message.text)
        texts += [one.content.decode("ascii", "replace") for one in message.attachments]
    return texts
