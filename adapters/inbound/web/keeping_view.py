"""What the page of a case shows of what is kept, handed over, destroyed and refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from adapters.inbound.web.look import Look
from adapters.inbound.web.session import Desk
from domain.case import Case
from domain.grounds import Ground, ground, grounds
from domain.hold import Hold
from domain.policy import Profile
from domain.refusals import RefusalReason
from domain.request import DataSubjectRequest, Status
from domain.values import FoundRecord
from domain.vocabulary import Right
from projections import holds as on_hold
from services.holds import HeldShown
from services.ports import Destruction, Erased
from services.refusing import Proposal
from services.wording import in_language


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold with its words; `records` only for whoever said what for the case is read."""

    hold: Hold
    system: str
    category: str
    law: str
    reason: str
    records: tuple[HeldShown, ...]


@dataclass(frozen=True, slots=True)
class EndingView:
    """How one request may end without being done, and what was proposed."""

    reasons: tuple[tuple[str, str], ...]
    proposal: Proposal | None
    claimable: tuple[tuple[FoundRecord, str], ...]
    archivable: tuple[tuple[FoundRecord, str], ...]


@dataclass(frozen=True, slots=True)
class KeepingView:
    holds: tuple[HoldView, ...]
    destructions: tuple[Destruction, ...]
    endings: Mapping[UUID, EndingView]
    awaits_archive: bool
    can_archive: bool
    closed: tuple[DataSubjectRequest, ...]
    grounds: tuple[Ground, ...]

    @property
    def is_shown(self) -> bool:
        return bool(self.holds or self.destructions or self.closed)

    @property
    def is_pressing(self) -> bool:
        """Whether somebody has to do something about it now."""
        waits = any(one.hold.waits_for for one in self.holds)
        return waits or (self.awaits_archive and self.can_archive)

    def concerns(self, form: str) -> bool:
        """Whether a form of one of the holds was sent."""
        return any(form.endswith(str(one.hold.id)) for one in self.holds)


def keeping_of(desk: Desk, case: Case, look: Look, *, content: bool) -> KeepingView:
    installation = desk.installation
    profile = desk.profile(case.controller)
    requests = installation.register.requests_of(case)
    closed = tuple(one for one in requests if one.status is Status.CLOSED)
    return KeepingView(
        holds=tuple(
            _hold(desk, hold, profile, look, content=content)
            for hold in installation.held.of_case(case)
        ),
        destructions=installation.vault.destructions(case.id),
        endings={one.id: _ending(desk, one, profile, look, content=content) for one in requests},
        awaits_archive=bool(requests) and installation.archiving.awaits(case),
        can_archive=bool(requests) and len(closed) == len(requests),
        closed=closed,
        grounds=grounds(),
    )


def _hold(desk: Desk, hold: Hold, profile: Profile, look: Look, *, content: bool) -> HoldView:
    holds = desk.installation.holds
    records: tuple[HeldShown, ...] = ()
    if content and hold.waits_for is not None:
        try:
            records = holds.records(hold.id)
        except Erased:
            records = ()
    return HoldView(
        hold=hold,
        system=system_words(profile, hold.system),
        category=category_words(profile, hold.category, look),
        law=ground(hold.prolonged_by or hold.ground).law,
        reason=holds.reason(hold) if content else "",
        records=records,
    )


def _ending(
    desk: Desk, request: DataSubjectRequest, profile: Profile, look: Look, *, content: bool
) -> EndingView:
    refusing = desk.installation.refusing
    claimable = (
        tuple((one, category_words(profile, one.category, look)) for one in request.own_records)
        if request.right is Right.ERASURE and request.status is Status.COLLECTED
        else ()
    )
    duty = {one.id for one in profile.categories if profile.goes_to_archive(one)}
    return EndingView(
        reasons=tuple(
            (f"{one.ground.value}:{one.code}", _title(one, profile, look))
            for one in refusing.reasons(request)
        ),
        proposal=refusing.proposal(request.id) if content else None,
        claimable=claimable,
        archivable=tuple(
            (one, category)
            for one, category in claimable
            if one.category in duty and one.record_id not in request.archived_records
        ),
    )


def _title(reason: RefusalReason, profile: Profile, look: Look) -> str:
    return f"{in_language(reason.title, look.language, profile)} ({reason.law})"


def system_words(profile: Profile, system: str) -> str:
    return next((one.name for one in profile.systems if one.id == system), system)


def category_words(profile: Profile, category: str, look: Look) -> str:
    known = next((one for one in profile.categories if one.id == category), None)
    return in_language(known.name, look.language, profile) if known else category


@dataclass(frozen=True, slots=True)
class KeptLine:
    """One line of the page of everything that is kept."""

    row: on_hold.OnHold
    controller: str
    system: str
    category: str
    law: str
    next_on: date | None


def kept_lines(desk: Desk, look: Look) -> list[KeptLine]:
    lines = []
    for row in on_hold.of_controllers(desk.installation.database, desk.controllers):
        profile = desk.profile(row.controller)
        days = [day for day in (row.release_on, row.review_on) if day is not None]
        lines.append(
            KeptLine(
                row=row,
                controller=profile.controller.trade_name or profile.controller.name,
                system=system_words(profile, row.system),
                category=category_words(profile, row.category, look),
                law=ground(row.ground).law,
                next_on=min(days, default=None),
            )
        )
    return lines
