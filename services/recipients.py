"""Recipients: who else received the data and has to be told of it (Art. 19)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from domain.fulfilment import Fulfilment
from domain.policy import Profile, Recipient, Sector
from domain.policy import Told as WhatToTell
from domain.values import PlannedSystem, Told
from domain.vocabulary import Action, Delivery, Outcome, Role
from services.planning import OTHER_RECIPIENTS, RECIPIENT


def tell_recipients(
    fulfilment: Fulfilment, profile: Profile, passed_on: Collection[str] | None, now: datetime
) -> None:
    """Have each recipient informed whom it concerns, and refer the person to the others.

    `passed_on` are the names that the records themselves give; None means that no record was
    looked at, so that everybody is concerned.
    """
    unknown = set(passed_on or ()) - known_names(profile)
    for recipient in profile.recipients:
        theirs = unknown if recipient.sector is Sector.ORGANISER else _names(recipient)
        # Whoever gets data by the person's permission only is told of what records say went there.
        by_record = recipient.per_record or recipient.permission_needed
        concerned = passed_on is None or not by_record or bool(theirs.intersection(passed_on))
        if recipient.told is WhatToTell.REFERRED and concerned:
            told = Told(recipient.id, Outcome.REFERRED)
            fulfilment.tell_recipient(told=told, at=now)
        line = f"{RECIPIENT}{recipient.id}"
        if line not in fulfilment.systems:
            continue
        if concerned:
            fulfilment.escalate(system=line, reason="inform-recipient", at=now)
        else:
            nothing_to_tell(fulfilment, line, "nothing-was-passed-on", now)
    if unknown and all(r.sector is not Sector.ORGANISER for r in profile.recipients):
        _have_others_told(fulfilment, now)
    known = {f"{RECIPIENT}{recipient.id}" for recipient in profile.recipients}
    known.add(f"{RECIPIENT}{OTHER_RECIPIENTS}")
    for line in tuple(fulfilment.systems):
        if line.startswith(RECIPIENT) and line not in known:
            nothing_to_tell(fulfilment, line, "no-recipient-any-more", now)


def _have_others_told(fulfilment: Fulfilment, now: datetime) -> None:
    """A task that nobody can overlook: records name somebody, and the profile nobody for them."""
    line = PlannedSystem(
        f"{RECIPIENT}{OTHER_RECIPIENTS}",
        Role.INDEPENDENT_CONTROLLER,
        Delivery.PERSON,
        "manual",
        Action.INFORM,
    )
    fulfilment.add_line(line=line, at=now)
    fulfilment.escalate(system=line.system, reason="inform-unknown-recipients", at=now)


def tell_nobody(fulfilment: Fulfilment, now: datetime) -> None:
    """Nothing was changed, so there is nothing to tell anybody."""
    for line, state in tuple(fulfilment.systems.items()):
        if line.startswith(RECIPIENT) and not state.status.has_answered:
            nothing_to_tell(fulfilment, line, "nothing-was-changed", now)


def nothing_to_tell(fulfilment: Fulfilment, line: str, reason: str, now: datetime) -> None:
    fulfilment.record_done(
        system=line,
        key=f"{fulfilment.id}/{line}/none",
        action=Action.INFORM,
        outcome=Outcome.NOT_FOUND,
        reason=reason,
        at=now,
    )


def _names(recipient: Recipient) -> set[str]:
    return {recipient.id, recipient.name}


def known_names(profile: Profile) -> set[str]:
    """Whom the profile knows by name. Organisers it knows as a group; records name each of them."""
    systems = {name for s in profile.systems for name in (s.id, s.name, s.connector)}
    others = (r for r in profile.recipients if r.sector is not Sector.ORGANISER)
    return systems.union(*(_names(recipient) for recipient in others))
