"""A case as it was known at the end of a day, for whoever has to account for it (Art. 5(2)).

Read from the log alone, up to that moment: nothing that came later colours it, nothing can be
changed here, and nothing personal is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from zoneinfo import ZoneInfo

from fastapi import Response

from adapters.bootstrap import Installation
from adapters.inbound.web.case_dates import dates_of
from adapters.inbound.web.case_decisions import decided, grouped, tally_of
from adapters.inbound.web.case_frame import Lead, framed
from adapters.inbound.web.case_history import history
from adapters.inbound.web.case_parts import DecisionGroup, Due
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.happened import Happened
from adapters.inbound.web.session import Desk
from domain.case import Case
from domain.deadlines import received_on
from domain.fulfilment import Fulfilment, SystemState, fulfilment_id
from domain.request import DataSubjectRequest
from domain.vocabulary import Decision


@dataclass(frozen=True, slots=True)
class PastRequest:
    """One request as it was known then."""

    request: DataSubjectRequest
    dates: tuple[Due, ...]
    systems: tuple[tuple[str, SystemState], ...]
    found: int
    own: int
    undecided: int
    groups: tuple[DecisionGroup, ...]
    tally: tuple[tuple[Decision, int], ...]


def past_page(desk: Desk, case: Case, day: str) -> Response:
    """The case at the end of that day where the controller is; or why there is none to show."""
    profile = desk.profile(case.controller)
    look = desk.look(profile)
    installation = desk.installation
    today = received_on(installation.clock(), profile.country)
    on = _day(day)
    then: Case | None = None
    requests: tuple[PastRequest, ...] = ()
    lines: tuple[Happened, ...] = ()
    if on is not None and on <= today:
        moment = end_of(on, profile.country.zone)
        then = installation.register.as_of(Case, case.id, moment)
        if then is not None:
            names = Names(profile, look)
            requests = tuple(past_requests(installation, then, names, moment, on))
            own = [one.request for one in requests]
            lines = tuple(history(installation, case, own, names, until=moment))[::-1]
    is_wrong = then is None
    return framed(
        desk,
        case,
        look,
        "past.html",
        purpose=None,
        lead=Lead("past"),
        status=HTTPStatus.NOT_FOUND if is_wrong else HTTPStatus.OK,
        on=on,
        asked=day if on is None else on.isoformat(),
        is_later=on is None or on > today,
        then=then,
        requests=requests,
        lines=lines,
    )


def end_of(day: date, zone: str) -> datetime:
    """The last moment of a civil day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))
    return midnight.astimezone(UTC) - timedelta(microseconds=1)


def _day(word: str) -> date | None:
    try:
        found = date.fromisoformat(word)
    except ValueError:
        return None
    return found if 2000 <= found.year < 9999 else None


def past_requests(
    installation: Installation, then: Case, names: Names, moment: datetime, on: date
) -> Iterator[PastRequest]:
    register = installation.register
    for request_id in then.request_ids:
        request = register.as_of(DataSubjectRequest, request_id, moment)
        if request is None:
            continue
        fulfilment = register.as_of(Fulfilment, fulfilment_id(request_id), moment)
        systems = fulfilment.systems if fulfilment else {}
        decisions = tuple(decided(request, fulfilment, names))
        yield PastRequest(
            request=request,
            dates=tuple(dates_of(request, on)),
            systems=tuple((names.system(name), state) for name, state in systems.items()),
            found=len(request.found),
            own=len(request.own_records),
            undecided=len(request.undecided_matches),
            groups=grouped(decisions, {}, names.look),
            tally=tally_of(decisions),
        )
