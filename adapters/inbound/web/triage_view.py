"""What the page of a case offers about what the message is, and about what can be put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.inbound.web.session import Desk
from domain.case import Case, CaseStatus
from domain.policy import Recipient
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Right
from services import dossier

SETTLED = ("given-out", "refused-with-reasons", "passed-on")
UNDONE = ("was-a-request", "was-something-else", "was-no-spam")


@dataclass(frozen=True, slots=True)
class TriageView:
    """Who has the message, and the choices of the forms; an empty choice offers no form."""

    elsewhere: dossier.SealedElsewhere | None
    recipients: tuple[Recipient, ...]
    settled: tuple[str, ...]
    undone: tuple[str, ...]
    controllers: tuple[tuple[str, str], ...]
    addable: tuple[Right, ...]
    correctable: tuple[DataSubjectRequest, ...]
    referable: tuple[DataSubjectRequest, ...]

    @property
    def offers(self) -> bool:
        return bool(self.controllers or self.addable or self.correctable or self.referable)


def triage_view(
    desk: Desk, case: Case, requests: Sequence[DataSubjectRequest], *, content: bool
) -> TriageView:
    aside = case.status is CaseStatus.SET_ASIDE and case.handed_over_to is None
    waits = aside and case.due_on is not None and case.settled_at is None
    undecided = {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED}
    others = [name for name in desk.controllers if name != case.controller]
    movable = case.handed_over_to is None and all(one.status in undecided for one in requests)
    return TriageView(
        elsewhere=desk.installation.passing_on.elsewhere(case) if content else None,
        recipients=desk.profile(case.controller).recipients,
        settled=SETTLED if waits else (),
        undone=UNDONE if aside else (),
        controllers=tuple((one, desk.profile(one).controller.name) for one in others)
        if movable
        else (),
        addable=tuple(right for right in Right if right not in case.rights)
        if case.status is CaseStatus.CONFIRMED
        else (),
        correctable=tuple(one for one in requests if one.status is Status.RECEIVED),
        referable=tuple(one for one in requests if one.status in undecided),
    )
