"""The systems of one request on its page: how far each is, and what somebody can do about it."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.bootstrap import Installation
from adapters.inbound.web.case_parts import SystemView
from adapters.inbound.web.case_words import Names
from adapters.outbound.connectors.csv_file import CsvFile
from domain.fulfilment import Fulfilment, SystemState, SystemStatus
from domain.request import DataSubjectRequest, Status
from domain.values import FoundRecord
from domain.vocabulary import Action, Delivery, Outcome, Right
from services.errands import BY_LINK
from services.ports import Refused

BY_HAND = frozenset({"look-up", "erase-by-hand", "suppress-by-hand"})
"""What a system waits for that asking it again would not help."""

TOLD = frozenset({Delivery.KAFKA, Delivery.WEBHOOK})

OUTCOMES = {
    Action.ERASE: (
        Outcome.ERASED,
        Outcome.ANONYMISED,
        Outcome.NOT_FOUND,
        Outcome.KEPT,
        Outcome.REFUSED,
    ),
    Action.SUPPRESS: (Outcome.SUPPRESSED, Outcome.NOT_FOUND),
    Action.INFORM: (Outcome.INFORMED, Outcome.NOT_FOUND),
}
HANDLED = {
    Right.RECTIFICATION: Outcome.RECTIFIED,
    Right.RESTRICTION: Outcome.RESTRICTED,
}
_ENDED = frozenset({Status.REFUSED, Status.REFERRED, Status.WITHDRAWN, Status.CLOSED})
"""No system is needed any more, whatever it was being asked."""


def systems_of(
    installation: Installation,
    request: DataSubjectRequest,
    fulfilment: Fulfilment | None,
    names: Names,
) -> Iterator[SystemView]:
    if fulfilment is None:
        return
    errands = installation.errands.of_case([request.id])
    is_told = any(state.plan.delivery in TOLD for state in fulfilment.systems.values())
    told = installation.instructions.told(request.id) if is_told else {}
    for name, state in fulfilment.systems.items():
        theirs = tuple(one for one in errands if one.system == name)
        known = names.known(name)
        waits = state.status is SystemStatus.WAITING_FOR_PERSON
        stuck = request.status not in _ENDED and (waits or state.status is SystemStatus.UNAVAILABLE)
        searched = state.status is SystemStatus.FOUND and request.status in {
            Status.VERIFIED,
            Status.COLLECTED,
        }
        by_hand = state.plan.connector == "manual"
        yield SystemView(
            id=name,
            name=names.system(name),
            state=state,
            look_for=names.text(known.look_for) if known else "",
            answer=_answer_form(state) if stuck or (searched and by_hand) else None,
            can_try_again=not by_hand
            and (stuck or searched)
            and name not in told
            and state.action in {Action.FIND, Action.ERASE, Action.SUPPRESS}
            and state.waits_for not in BY_HAND,
            waits=stuck,
            has_list=stuck
            and waits
            and state.action is Action.ERASE
            and _makes_lists(installation, request.controller, name),
            outcomes=_outcomes(request.right, state.action),
            kinds=tuple(names.kinds(known)),
            to_erase=_to_erase(state),
            anchors=names.anchors(known),
            flags=names.flags(known),
            errands=theirs,
            can_ask=waits
            and request.status not in _ENDED
            and state.action in BY_LINK
            and (any(one.is_open for one in theirs) or names.answers_by_link(name)),
            told=told.get(name) if request.status not in _ENDED else None,
        )


def _makes_lists(installation: Installation, controller: str, system: str) -> bool:
    try:
        connector = installation.systems.connector(controller, system)
    except (Refused, StopIteration):
        return False
    return isinstance(connector, CsvFile)


def _answer_form(state: SystemState) -> str | None:
    """Which form a person answers with."""
    return {Action.FIND: "found", Action.ERASE: "erased"}.get(state.action, "done")


def _outcomes(right: Right, action: Action) -> tuple[Outcome, ...]:
    if action is not Action.HANDLE:
        return OUTCOMES.get(action, ())
    done = HANDLED.get(right, Outcome.MANUAL)
    return (done, Outcome.REFERRED, Outcome.NOT_FOUND)


def _to_erase(state: SystemState) -> tuple[FoundRecord, ...]:
    touched = {d.record_id for d in state.decisions if d.touches_the_system}
    return tuple(found for found in state.found if found.record_id in touched)
