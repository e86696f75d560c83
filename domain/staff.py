"""Who decided: staff by id, never by name; a machine may count, but not judge (Art. 22)."""

from __future__ import annotations

from domain.errors import DomainError

MACHINE = "trettio"
"""Stands where a step needed nobody: a match that was decided before in the same case."""

DATA_SUBJECT = "data-subject"
"""Stands where the person has decided it: what was ticked in a form needs no reader."""


def named(by: str | None) -> str:
    if by is None or not by.strip():
        raise DomainError("a decision needs a human name: say who decides")
    return by


def human(by: str | None) -> str:
    """Approvals and refusals are never automatic."""
    if named(by).strip().casefold() == MACHINE:
        raise DomainError("a machine does not approve or refuse: say which person decides")
    return named(by)


def same_person(first: str, second: str) -> bool:
    """Whether two human names are one, however they are written."""
    return human(first).strip().casefold() == human(second).strip().casefold()


def two_people(first: str, second: str | None) -> None:
    if second is None or same_person(first, second):
        raise DomainError(
            "unfounded or excessive is decided by two people: name the second", key="two-people"
        )
