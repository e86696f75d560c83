"""Contacts: who answers by a link for a system or for what was passed on to a recipient.

Addresses are those that the profile registers; of a group of organisers only those are asked whom
the records name (Art. 5(1)(c), 19).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.policy import Profile, Recipient, System
from domain.vocabulary import Language
from services.planning import RECIPIENT


@dataclass(frozen=True, slots=True)
class Contact:
    """An address to ask at, its language, and the names that stand for it in records."""

    address: str
    language: Language
    names: tuple[str, ...] = ()


def recipient_of(profile: Profile, line: str) -> Recipient | None:
    wanted = line.removeprefix(RECIPIENT)
    if wanted == line:
        return None
    return next((one for one in profile.recipients if one.id == wanted), None)


def system_of(profile: Profile, line: str) -> System | None:
    return next((one for one in profile.systems if one.id == line), None)


def contacts_of(profile: Profile, line: str, passed_on: Collection[str]) -> tuple[Contact, ...]:
    """Who is asked about one line of a plan; `passed_on` are the names that its records give."""
    system = system_of(profile, line)
    if system is not None:
        if system.answers_at is None:
            return ()
        return (Contact(system.answers_at, system.answers_in or profile.language),)
    recipient = recipient_of(profile, line)
    if recipient is None:
        return ()
    language = recipient.answers_in or profile.language
    if recipient.answers_at is not None:
        return (Contact(recipient.answers_at, language, (recipient.id, recipient.name)),)
    named: dict[str, list[str]] = {}
    for name, address in recipient.organisers.items():
        if name in passed_on:
            named.setdefault(address.strip().casefold(), []).append(name)
    return tuple(Contact(address, language, tuple(names)) for address, names in named.items())


def answers_by_link(profile: Profile) -> bool:
    """Whether anybody at all is asked by a link."""
    return any(one.answers_at for one in profile.systems) or any(
        one.answers_at or one.organisers for one in profile.recipients
    )
