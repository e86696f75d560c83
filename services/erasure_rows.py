"""What goes, what stays, why and until when, as lines to be confirmed (GDPR Art. 17, 12(1))."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from hashlib import sha256

from domain.deadlines import received_on
from domain.decisions import Verdict
from domain.erasure_wish import ErasureWish
from domain.errors import NotAllowedNow
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.values import FoundRecord
from domain.vocabulary import Decision

QUIET_BEFORE_TARGET = timedelta(days=3)
"""So long before the day to aim for nobody is waited for any more."""


class Fate(Enum):
    GOES = "goes"
    STAYS = "stays"
    ELSEWHERE = "elsewhere"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what of a category goes, or stays, and then why and until when."""

    category: str
    system: str
    fate: Fate
    ground: str | None = None
    until: date | None = None
    fields: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """The whole of it, with a digest by which what was confirmed is known again."""

    rows: tuple[Row, ...]
    digest: str
    confirmed: bool


def rows_of(previews: Iterable[tuple[FoundRecord, Verdict]]) -> tuple[Row, ...]:
    """Records that share a fate are one line."""
    counts: dict[Row, int] = {}
    for found, verdict in previews:
        for row in _rows(found, verdict):
            counts[row] = counts.get(row, 0) + 1
    order = list(Fate)
    lines = (replace(row, count=count) for row, count in counts.items())
    return tuple(
        sorted(
            lines,
            key=lambda row: (
                row.category,
                row.system,
                order.index(row.fate),
                row.ground or "",
                row.until or date.max,
                row.fields,
            ),
        )
    )


def _rows(found: FoundRecord, verdict: Verdict) -> Iterator[Row]:
    where = (found.category, found.system)
    match verdict.decision:
        case Decision.ERASE | Decision.ANONYMISE:
            yield Row(*where, Fate.GOES)
        case Decision.LEAVE:
            yield Row(*where, Fate.NOT_ASKED)
        case Decision.REFER:
            yield Row(*where, Fate.ELSEWHERE)
        case Decision.KEEP | Decision.BLOCK_AND_REFER:
            for kept in verdict.kept:
                yield Row(*where, Fate.STAYS, kept.ground, kept.until, kept.fields)
            if not verdict.kept:
                yield Row(*where, Fate.STAYS, verdict.ground, verdict.until)
            elif all(kept.fields for kept in verdict.kept):  # what nobody has to keep goes
                yield Row(*where, Fate.GOES)


def digest_of(rows: Sequence[Row]) -> str:
    """Of what is said in the table, whatever else is known of the records."""
    return sha256(
        "\n".join(
            f"{row.category}|{row.system}|{row.fate.value}|{row.ground}|{row.until}"
            f"|{','.join(row.fields)}|{row.count}"
            for row in rows
        ).encode()
    ).hexdigest()


def require_confirmed(
    request: DataSubjectRequest,
    wish: ErasureWish | None,
    profile: Profile,
    previews: Iterable[tuple[FoundRecord, Verdict]],
    today: date,
) -> None:
    """Where the profile waits for the person, wait: some days, and never into the deadline."""
    days = profile.erasure_confirmation_days
    if days is None or today >= request.aim_on(today) - QUIET_BEFORE_TARGET:
        return
    if wish is None or wish.asked_to_confirm_at is None:
        raise NotAllowedNow(
            "the person has not been asked to confirm what goes and what stays: ask them first,"
            " or say that you considered it"
        )
    until = received_on(wish.asked_to_confirm_at, request.country) + timedelta(days=days)
    if today < until and wish.confirmed != digest_of(rows_of(previews)):
        raise NotAllowedNow(
            f"the person has until {until} to confirm what goes and what stays: wait,"
            " or say that you considered it"
        )
