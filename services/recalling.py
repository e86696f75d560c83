"""Recalling: a letter that was written too early is taken back before it leaves.

For `undo_seconds` no worker may send it; after that it can be taken back until one has begun to.
What was decided with it is undone in the same save. What has left is put right by another letter.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from domain.case import Case
from domain.errors import NotAllowedNow
from domain.request import DataSubjectRequest, PauseReason, Status
from domain.values import QueuedLetter
from domain.vocabulary import LetterKind
from services.answering import ANSWER_LINK
from services.planning import Planning, answer_task
from services.ports import Also, Clock, Links, Tasks
from services.postroom import letter_task
from services.register import Register, again_on_conflict

ASKED_ABOUT = {
    LetterKind.CLARIFICATION: PauseReason.SCOPE,
    LetterKind.IDENTITY_QUESTION: PauseReason.IDENTITY,
    LetterKind.AUTHORITY_QUESTION: PauseReason.AUTHORITY,
}


class Recalling:
    """Takes letters back, with whatever was decided by sending them."""

    def __init__(
        self, register: Register, tasks: Tasks, planning: Planning, links: Links, clock: Clock
    ) -> None:
        self._register, self._tasks, self._planning = register, tasks, planning
        self._links, self._clock = links, clock

    def recall(self, case_id: UUID, letter_id: UUID, *, by: str) -> None:
        """Take a letter back. Killed in between it waits in the queue, for somebody to release."""
        case = self._register.case(case_id)
        if letter_id in case.recalled:
            return
        if not case.waits_to_leave(letter_id):
            raise NotAllowedNow(
                "this letter has left already: write one that puts it right", key="letter-has-left"
            )
        if not case.letters[letter_id].printed and not self._tasks.hold(
            letter_task(case, letter_id, at=self._clock()), reason="recalled"
        ):
            raise NotAllowedNow(
                "this letter is just leaving: write one that puts it right", key="letter-has-left"
            )
        self._recall(case_id, letter_id, by=by)

    @again_on_conflict
    def _recall(self, case_id: UUID, letter_id: UUID, *, by: str) -> None:
        now = self._clock()
        case = self._register.case(case_id)
        letter = case.letters[letter_id]
        case.recall_letter(letter_id=letter_id, by=by, at=now)
        also: list[Also] = [*self._tasks.drop(letter_task(case, letter_id, at=now))]
        requests = [self._register.request(one) for one in letter.requests]
        for request in requests:
            also += self._undone(case, request, letter, by=by)
        self._register.save_all([case, *(one for one in requests if one.pending_events)], also)

    def _undone(
        self, case: Case, request: DataSubjectRequest, letter: QueuedLetter, *, by: str
    ) -> list[Also]:
        """What the letter would have told, and is so no more."""
        now, kind = self._clock(), letter.kind
        asked = ASKED_ABOUT.get(kind)
        if asked is not None:
            request.take_back_question(reason=asked, at=now)
        elif kind is LetterKind.EXTENSION and request.extension_decided_by is not None:
            request.take_back_extension(by=by, at=now)
        elif kind.answers or kind is LetterKind.OTHER_CONTROLLER:
            return [
                self._links.withdraw(request.id, purpose=ANSWER_LINK),
                *self.take_back(request, by=by),
            ]
        return []

    def take_back(self, request: DataSubjectRequest, *, by: str) -> list[Also]:
        """Undo the decision, and have searched what was not searched because of it."""
        if not request.can_be_taken_back:
            return []
        request.take_back(by=by, at=self._clock())
        return self._planning.searched_on(request, at=self._clock())

    @again_on_conflict
    def write_again(self, request_id: UUID, *, by: str) -> None:
        """Have the answer written anew after it was taken back."""
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        written = [one for one in case.letters.values() if request_id in one.requests]
        answers = [one.id for one in written if one.kind.answers]
        if request.status not in {Status.APPROVED, Status.VERIFIED} or not (
            answers and case.recalled.issuperset(answers)
        ):
            raise NotAllowedNow("no answer of this request was taken back")
        if not by:
            raise NotAllowedNow("say who has the answer written again")
        task = answer_task(request, at=self._clock(), again=uuid4().hex)
        self._register.save_all([], self._tasks.again(task))
