"""When marketing to somebody ends without a word of theirs: no consent on record, or no relation.

A newsletter that rests on consent alone needs a record of it (GDPR Art. 7(1)); and a controller
that writes only while the relation lasts stops when its own period has run out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import Enum

from domain.decisions import RecordFacts
from domain.policy import Category, LegalBasis, Profile
from domain.retention import retention_end


class MarketingStop(Enum):
    """Why nothing is sent to somebody any more, though they asked for nothing of the kind."""

    NO_CONSENT = "no-consent"
    RELATION_ENDED = "relation-ended"


def stops(
    profile: Profile, records: Sequence[RecordFacts], on: date
) -> Mapping[str, MarketingStop]:
    """Each marketing system in which the person is held and must be written to no more, and why."""
    found = {}
    for system in profile.systems:
        if not system.marketing:
            continue
        for category in profile.categories:
            kinds = {h.kind for h in system.holdings if h.category == category.id}
            held = [one for one in records if one.system == system.id and one.kind in kinds]
            why = _why(profile, category, held, records, on) if held else None
            if why is not None:
                found[system.id] = why
                break
    return found


def _why(
    profile: Profile,
    category: Category,
    held: Iterable[RecordFacts],
    everywhere: Iterable[RecordFacts],
    on: date,
) -> MarketingStop | None:
    if not any(profile.purpose(purpose).marketing for purpose in category.purposes):
        return None
    if profile.bases(category) == {LegalBasis.CONSENT} and not any(map(_consents, held)):
        return MarketingStop.NO_CONSENT
    if category.retention.period is None:
        return None
    # The relation is one, whichever system knows of its last purchase.
    anchors: dict[str, date] = {}
    flags: set[str] = set()
    for one in everywhere:
        flags |= one.flags
        for name, day in one.anchors.items():
            anchors[name] = max(day, anchors.get(name, day))
    if retention_end(category.retention, anchors, flags).is_over(on):
        return MarketingStop.RELATION_ENDED
    return None


def _consents(record: RecordFacts) -> bool:
    given = record.anchors.get("consent_given")
    withdrawn = record.anchors.get("consent_withdrawn")
    if given is None:
        return withdrawn is None and "consent_given" in record.flags
    return withdrawn is None or withdrawn < given
