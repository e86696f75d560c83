"""What if: past requests under another profile, so that a promise is changed with open eyes.

Nothing is changed. Requests are gone through one by one; dates are counted anew from each receipt,
records that are still sealed are decided anew. What has been destroyed cannot be, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.calendar import Calendar, load_calendar
from domain.case import reference
from domain.deadlines import Deadlines, deadlines, received_on
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Decision, Right
from projections.projection import Reader
from projections.worklist import everything
from services.deciding import Deciding, Preview
from services.ports import Clock, Erased
from services.register import Register

PAGE = 200
DATES = ("promise_due", "target_due", "statutory_due", "extended_due", "extended_target_due")


@dataclass(frozen=True, slots=True)
class Changed:
    """Something that would be another under the new profile; None: there would be none."""

    what: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One past request: what the two profiles disagree about, and how much can no longer be said.

    `dates`, `decisions` (by record) and `holds` (by system, category and ground, with every day on
    which something goes) hold only what differs. `destroyed` counts records that nobody can decide
    about any more.
    """

    request_id: UUID
    reference: str
    right: Right
    received_on: date
    dates: tuple[Changed, ...]
    in_policy: tuple[Changed, ...]
    decisions: tuple[Changed, ...]
    holds: tuple[Changed, ...]
    destroyed: int

    @property
    def differs(self) -> bool:
        return bool(self.dates or self.in_policy or self.decisions or self.holds)


class WhatIf:
    """Holds two profiles against everything that was received."""

    def __init__(self, register: Register, deciding: Deciding, sql: Reader, clock: Clock) -> None:
        self._register, self._deciding = register, deciding
        self._sql, self._clock = sql, clock

    def compare(
        self, old: Profile, new: Profile, *, controller: str, since: date | None = None
    ) -> Iterator[Difference]:
        """Every request of a controller that was received on or after a day, one at a time."""
        calendars = load_calendar(old.country), load_calendar(new.country)
        after: UUID | None = None
        while page := everything(self._sql, [controller], after=after, limit=PAGE):
            for work in page:
                if since is None or work.received_on >= since:
                    request = self._register.request(work.request_id)
                    yield self._difference(request, old, new, calendars)
            after = page[-1].request_id

    def _difference(
        self,
        request: DataSubjectRequest,
        old: Profile,
        new: Profile,
        calendars: tuple[Calendar, Calendar],
    ) -> Difference:
        before = _dates(request, old, calendars[0])
        then = _dates(request, new, calendars[1])
        decisions, holds, destroyed = self._decided(request, old, new)
        said = [str(request.right in profile.rights).lower() for profile in (old, new)]
        return Difference(
            request_id=request.id,
            reference=reference(request.case_id),
            right=request.right,
            received_on=request.received_on,
            dates=_changes(
                {name: _iso(getattr(before, name)) for name in DATES},
                {name: _iso(getattr(then, name)) for name in DATES},
            ),
            in_policy=_changes({"in_policy": said[0]}, {"in_policy": said[1]}),
            decisions=decisions,
            holds=holds,
            destroyed=destroyed,
        )

    def _decided(
        self, request: DataSubjectRequest, old: Profile, new: Profile
    ) -> tuple[tuple[Changed, ...], tuple[Changed, ...], int]:
        if request.right is not Right.ERASURE or not request.own_records:
            return (), (), 0
        # What was due to stay on the day it was decided, not what may go by now.
        on = received_on(request.collected_at or self._clock(), request.country)
        try:
            before = self._deciding.preview(request, on, under=old)
            then = self._deciding.preview(request, on, under=new)
        except Erased:
            return (), (), len(request.own_records)
        return (
            _changes(_verdicts(before), _verdicts(then)),
            _changes(_holds(before), _holds(then)),
            0,
        )


def _dates(request: DataSubjectRequest, profile: Profile, calendar: Calendar) -> Deadlines:
    return deadlines(
        request.received_on,
        calendar,
        profile.promise_days,
        pauses=request.pauses,
        extension=request.dates.extended_due is not None,
        statutory=request.right.is_statutory,
    )


def _verdicts(previews: Sequence[Preview]) -> dict[str, str | None]:
    """Per record what becomes of it, on which ground and until when."""
    told = {}
    for preview in previews:
        verdict = preview.verdict
        facts = (verdict.decision.value, verdict.ground, _iso(verdict.until), *verdict.keep_fields)
        told[f"{preview.found.system}/{preview.found.category}/{preview.found.record_id}"] = (
            " ".join(fact for fact in facts if fact)
        )
    return dict(told)


def _holds(previews: Sequence[Preview]) -> dict[str, str | None]:
    """Per system, category and ground the days on which something of it would be released."""
    until: dict[str, set[str]] = {}
    for preview in previews:
        if preview.verdict.decision is Decision.KEEP:
            for kept in preview.verdict.kept:
                place = f"{preview.found.system}/{preview.found.category}/{kept.ground}"
                until.setdefault(place, set()).add(_iso(kept.until) or "open")
    return {place: ", ".join(sorted(days)) for place, days in until.items()}


def _changes(old: Mapping[str, str | None], new: Mapping[str, str | None]) -> tuple[Changed, ...]:
    return tuple(
        Changed(what, old.get(what), new.get(what))
        for what in dict.fromkeys((*old, *new))
        if old.get(what) != new.get(what)
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
