"""The facts of a case for programs: codes, dates and ids, with their terms in DPV (Art. 5(2))."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

from adapters.bootstrap import Installation
from adapters.inbound.web.case_dates import why
from adapters.inbound.web.evidence_account import Told
from domain.fulfilment import Fulfilment, SystemState, fulfilment_id
from domain.hold import Hold
from domain.request import DataSubjectRequest
from domain.vocabulary import Language
from projections import holds as on_hold
from services import dpv


def facts(installation: Installation, it: Told) -> dict[str, Any]:
    register, case = installation.register, it.case
    requests = [
        (request, register.as_of(Fulfilment, fulfilment_id(request.id), it.moment))
        for one in case.request_ids
        if (request := register.as_of(DataSubjectRequest, one, it.moment)) is not None
    ]
    return {
        "case": str(case.id),
        "reference": case.reference,
        "controller": case.controller,
        "as_of": it.moment.isoformat(),
        "received_at": case.received_at.isoformat(),
        "receipt_source": case.receipt_source.value,
        "channel": case.channel.value,
        "language": case.language.value,
        "status": case.status.value,
        "requests": [_request(one, fulfilment, it.on) for one, fulfilment in requests],
        "holds": [_hold(one) for one in _holds(installation, it)],
        "letters": [
            {
                "letter": str(one.id),
                "kind": one.kind.value,
                "left_at": case.left[one.id].isoformat() if one.id in case.left else None,
            }
            for one in case.letters.values()
        ],
        "destructions": [
            {
                "key": str(one.key_id),
                "compartment": one.compartment.value,
                "items": one.items,
                "destroyed_at": one.destroyed_at.isoformat(),
            }
            for one in it.destructions
        ],
        "dpv": {"prefixes": dpv.prefixes(), "terms": dpv.terms()},
    }


def _request(
    request: DataSubjectRequest, fulfilment: Fulfilment | None, on: date
) -> dict[str, Any]:
    dates = request.both_worlds_on(on)
    return {
        "request": str(request.id),
        "right": _coded("right", request.right.value),
        "article": request.right.article,
        "status": request.status.value,
        "received_on": request.received_on.isoformat(),
        "calendar": request.dates.calendar,
        "dates": {
            "target": _day(request.aim_on(on)),
            "promise": _day(dates.promise_due),
            "statutory": _day(dates.statutory_due),
            "extended": _day(dates.extended_due),
            "act_by": _day(request.act_by),
        },
        "why": [
            {"step": one.title, "day": one.day.isoformat(), "source": one.source}
            for one in why(request, on, Language.EN)
        ],
        "handler": request.assigned_to,
        "approved_by": request.approved_by,
        "refusal": _coded("refusal-ground", request.refusal.value) if request.refusal else None,
        "found": len(request.found),
        "own": len(request.own_records),
        "undecided_matches": len(request.undecided_matches),
        "decisions": [
            {
                "record": str(one.record_id),
                "decision": _coded("decision", one.decision.value),
                "explanation": _coded("explanation", one.explanation),
                "ground": _coded("ground", one.ground) if one.ground else None,
                "law": one.law,
                "until": _day(one.until),
            }
            for one in request.decisions.values()
        ],
        "systems": [
            _system(name, state)
            for name, state in (fulfilment.systems if fulfilment else {}).items()
        ],
    }


def _holds(installation: Installation, it: Told) -> Iterator[Hold]:
    """What stood in the way of erasure then, also where it was decided otherwise since."""
    known = dict.fromkeys(
        [
            *(one.id for one in installation.held.of_case(it.case)),
            *(one.hold_id for one in on_hold.of_case(installation.database, it.case.id)),
        ]
    )
    for hold_id in known:
        hold = installation.register.as_of(Hold, hold_id, it.moment)
        if hold is not None:
            yield hold


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "hold": str(hold.id),
        "request": str(hold.request_id),
        "system": hold.system,
        "category": hold.category,
        "ground": _coded("ground", hold.ground),
        "placed_at": hold.placed_at.isoformat(),
        "release_on": _day(hold.release_on),
        "stands": hold.stands,
    }


def _system(name: str, state: SystemState) -> dict[str, Any]:
    outcomes = Counter(one.outcome for one in state.outcomes)
    return {
        "system": name,
        "role": state.plan.role.value,
        "delivery": state.plan.delivery.value,
        "asked_to": state.action.value,
        "status": state.status.value,
        "attempts": state.attempts,
        "found": len(state.found),
        "treated_at": state.treated_at.isoformat() if state.treated_at else None,
        "outcomes": [
            {**_coded("outcome", what.value), "count": count} for what, count in outcomes.items()
        ],
    }


def _coded(table: str, code: str) -> dict[str, Any]:
    return {"code": code, "dpv": dpv.term(table, code)}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
