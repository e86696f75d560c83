"""Extending: two more months, for complexity and number, with notice in the first (Art. 12(3)).

A person decides and the notice is written in the same save; the time is extended when the notice
has left, and only if that was in time. A promise of the controller's own never moves.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.calendar import calendar_named
from domain.case import Case
from domain.deadlines import NoticeWindow, deadlines, extension_notice, received_on
from domain.request import DataSubjectRequest
from domain.values import QueuedLetter
from domain.vocabulary import ExtensionReason, LetterKind
from services import dossier
from services.addressees import address_of
from services.controllers import Controllers
from services.letters import LetterFacts, compose
from services.ports import Clock, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict

WORDS = {
    ExtensionReason.VOLUME: "volume",
    ExtensionReason.DISPERSED_DATA: "scattered",
    ExtensionReason.REDACTION: "others",
    ExtensionReason.INTELLIGIBILITY: "legibility",
    ExtensionReason.SEVERAL_REQUESTS: "number",
    ExtensionReason.MANY_REQUESTERS: "number",
}
"""How the letter calls each reason; that it is much work is none to give to the person."""


class Extending:
    """Decides on more time and has the person told why."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        postroom: Postroom,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._postroom, self._clock = postroom, clock

    @again_on_conflict
    def decide(
        self, request_id: UUID, *, reasons: tuple[ExtensionReason, ...], by: str, words: str = ""
    ) -> bool:
        """Decide it and queue the notice; answers whether the notice is late already.

        `words` go into the notice beside the reasons.
        """
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        self._controllers.require_letters_allowed(case.controller)
        calendar = calendar_named(request.dates.calendar)
        request.decide_extension(reasons=reasons, calendar=calendar, by=by, at=now)
        late = request.dates.unrolled < received_on(now, request.country)
        profile = self._controllers.in_force(case.controller)
        person = dossier.person_in(self._vault, request.requester)
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=request.received_on,
            rights=(request.right,),
            reasons=tuple(dict.fromkeys(WORDS[one] for one in reasons if one in WORDS)),
            why=words.strip() or None,
            new_date=deadlines(request.received_on, calendar, extension=True).extended_due,
        )
        letter = self._postroom.queue(
            case,
            compose(LetterKind.EXTENSION, facts),
            profile,
            address_of(person),
            requests=(request.id,),
            at=now,
        )
        self._register.save_all([case, request], letter)
        return late


def notice_is_wanted(request: DataSubjectRequest, at: datetime) -> bool:
    """Whether a notice that has not left yet would still extend anything."""
    if not request.status.is_open or request.extended or request.extension_decided_by is None:
        return False
    today = received_on(at, request.country)
    calendar = calendar_named(request.dates.calendar)
    return extension_notice(request.received_on, today, calendar) is not NoticeWindow.REFUSED


def notice_left(
    case: Case, request: DataSubjectRequest, letter: QueuedLetter, *, at: datetime
) -> None:
    """The notice has left `case`: now the time is extended."""
    decided_by = request.extension_decided_by
    if decided_by is None or request.extended or letter.id not in case.left:
        return
    request.extend_deadline(
        reasons=request.extension_reasons,
        notice=letter.text,
        notice_sent_on=received_on(at, request.country),
        calendar=calendar_named(request.dates.calendar),
        by=decided_by,
        at=at,
    )
