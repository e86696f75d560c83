"""Afterwards: a case that is taken up again, and an answer that reached the wrong person.

Taken up again, a request keeps its receipt and with it its clock. A disclosure is a breach: the
authority is told within 72 hours of its becoming known, the person without delay (Art. 33, 34).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from domain.aggregate import Aggregate
from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.request import DataSubjectRequest, Status
from domain.staff import human
from domain.vocabulary import LetterKind
from services import dossier
from services.addressees import Addressees
from services.controllers import Controllers
from services.letters import Disclosure, LetterFacts, compose
from services.planning import Planning, answer_task
from services.ports import Also, Clock, Tasks, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict


class Afterwards:
    """What may still happen to a request that was closed."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        planning: Planning,
        postroom: Postroom,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._planning, self._postroom = controllers, planning, postroom
        self._clock = clock
        self._addressees = Addressees(register, vault)

    @again_on_conflict
    def reopen(self, request_id: UUID, *, reason: str, by: str) -> None:
        """Back to work, as far back as it has to be done again; the receipt is the old one."""
        now = self._clock()
        request = self._register.request(request_id)
        request.reopen(reason=reason, by=human(by), at=now)
        case = self._register.case(request.case_id)
        others = [one for one in self._register.requests_of(case) if one.id != request_id]
        requests: Sequence[DataSubjectRequest] = (request, *others)
        planned = self._planning.plan_verified(case, requests, at=now)
        also: list[Also] = list(planned.also)
        if request.status is Status.APPROVED:  # what was erased is told about anew
            also.append(self._tasks.add(answer_task(request, at=now, again=uuid4().hex)))
        changed: list[Aggregate] = [request, *planned.aggregates]
        self._register.save_all(changed, also)

    @again_on_conflict
    def report_disclosure(
        self,
        request_id: UUID,
        *,
        what: str,
        consequences: str,
        measures: str,
        known_at: datetime,
        by: str,
        tell_person: bool = False,
    ) -> datetime:
        """Write down a breach; answers by when the authority has to know (Art. 33(1))."""
        if not (what.strip() and consequences.strip() and measures.strip()):
            raise DomainError("say what happened, what may follow, and what is done about it")
        now = self._clock()
        if known_at > now:
            raise DomainError("nobody knows of it later than now: check when it became known")
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        said = "\n\n".join(words.strip() for words in (what, consequences, measures))
        note = dossier.seal_note(self._vault, case.id, said, by, now)
        tell_by = known_at + AUTHORITY_WITHIN
        request.report_disclosure(
            report=note.ref,
            known_at=known_at,
            tell_authority_by=tell_by,
            by=human(by),
            person_told=True if tell_person else None,
            at=now,
        )
        also, changed = list(note.also), list[Aggregate]([request])
        if tell_person:
            on = received_on(known_at, request.country)
            also += self._letter(case, request, Disclosure(on, what, consequences, measures), now)
            changed.append(case)
        self._register.save_all(changed, also)
        return tell_by

    def _letter(
        self, case: Case, request: DataSubjectRequest, disclosure: Disclosure, now: datetime
    ) -> list[Also]:
        profile = self._controllers.in_force(case.controller)
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            rights=(request.right,),
            disclosure=disclosure,
        )
        return self._postroom.queue(
            case,
            compose(LetterKind.DISCLOSURE_NOTICE, facts),
            profile,
            self._addressees.of_answer(case, request),
            requests=(request.id,),
            at=now,
        )


AUTHORITY_WITHIN = timedelta(hours=72)
"""From when it became known, also over weekends and holidays (Art. 33(1))."""
