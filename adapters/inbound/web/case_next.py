"""What a case waits for, by the codes of the work list, and where on its page it is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.inbound.web.case_parts import NextStep, RequestView
from adapters.outbound.tasks import ParkedTask
from domain.case import Case, CaseStatus
from domain.fulfilment import SystemStatus
from domain.request import Status
from domain.vocabulary import Action

CONTENT_NEEDED = frozenset({"matches", "approval", "person-task", "second-person"})
"""Steps that nobody can take without reading what is in the records."""


def next_steps(
    case: Case, requests: Sequence[RequestView], stuck: Sequence[ParkedTask], *, content: bool
) -> Iterator[NextStep]:
    if stuck:
        yield NextStep("stuck", None, "stuck")
    if case.status is CaseStatus.WAITING:
        yield NextStep("confirm", None, "confirm" if content else "purpose")
    if any(one.request.open_breaches for one in requests):
        yield NextStep("breach", None, "breach")
    for letter in case.letters.values():
        if letter.id in case.recalled:
            continue
        if letter.id in case.left and letter.id not in case.failed:
            continue
        if letter.id in case.left and letter.kind.answers:
            continue  # its request says so
        if letter.printed and letter.id not in case.left:
            yield NextStep("letter-to-print", None, f"letter-{letter.id}")
        elif letter.id in case.failed:
            yield NextStep("letter-failed", None, f"letter-{letter.id}")
    if any(one.request.status is Status.RECEIVED for one in requests):
        asked = any(one.request.identity_requested_at for one in requests)
        yield NextStep("identity" if asked else "identity-to-ask", None, "identity")
    if any(one.request.authority_awaited for one in requests):
        yield NextStep("authority", None, "people")
    for one in requests:
        for asked_about in one.request.consultations.values():
            if asked_about.followed is None:
                code = "advice-to-weigh" if asked_about.advice else "advice"
                yield NextStep(code, one.request.right, f"clock-{one.request.right.value}")
        if one.own is not None and one.own.waits:
            place = f"restriction-{one.request.right.value}"
            yield NextStep("person-task", one.request.right, place)
        stands = standing(one)
        if stands is not None:
            hidden = stands in CONTENT_NEEDED and not content
            place = f"{PLACES.get(stands, 'request')}-{one.request.right.value}"
            yield NextStep(stands, one.request.right, "purpose" if hidden else place)


PLACES = {
    "matches": "records",
    "approval": "decide",
    "person-task": "systems",
    "systems": "systems",
    "vendor": "systems",
    "second-person": "refusal",
}
"""The part of a request where a step is taken; any other is taken at its head."""


def standing(one: RequestView) -> str | None:
    """What this request waits for, by the codes of the work list."""
    request = one.request
    states = [system.state for system in one.systems]
    if request.delivery_failed:
        return "delivery-failed"
    if request.authority_awaited and request.status is Status.VERIFIED:
        return None
    if one.proposed_by is not None:
        return "second-person"
    if one.own is not None and one.own.waits and request.status is not Status.COLLECTED:
        return None
    if request.status in {Status.VERIFIED, Status.APPROVED}:
        if not one.systems and request.status is Status.VERIFIED:
            return "access-first"
        if any(state.status is SystemStatus.WAITING_FOR_PERSON for state in states):
            return "person-task"
        pending = {SystemStatus.ASKED, SystemStatus.UNAVAILABLE, SystemStatus.TREATED}
        if any(s.status in pending and s.action is not Action.INFORM for s in states):
            return "systems"
        if any(state.status is SystemStatus.PENDING_AT_VENDOR for state in states):
            return "vendor"
        return "answer"
    if request.status is Status.COLLECTED:
        return "matches" if request.undecided_matches else "approval"
    if request.status is Status.FULFILLED:
        return "answer-to-fetch"
    return None
