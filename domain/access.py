"""Who may do what: roles, held per controller, and the permissions each of them carries (Art. 29).

The officer reads and advises but never decides (Art. 38(6)); the auditor sees everything but
personal data, and only until a day that was said when the role was given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.errors import DomainError


class Permission(Enum):
    """What a page or a command asks for."""

    SEE = "see"
    """Cases with their dates and steps; nothing personal."""
    REVEAL = "reveal"
    """Personal data, for a purpose that was said before, and recorded."""
    HANDLE = "handle"
    """The daily work of a case: confirm, ask, write, decide what one person may decide."""
    APPROVE = "approve"
    """To be the second of two people."""
    ADVISE = "advise"
    """To answer what the officer was asked."""
    BOARD = "board"
    """Figures over all cases."""
    AUDIT = "audit"
    """Who looked at what, and who was given which role."""
    ADOPT = "adopt"
    """Put a profile in force, and answer what is asked about it."""
    TASKS = "tasks"
    """The tasks of one connected system."""
    OPERATE = "operate"
    """Systems, tokens, people and health; nothing personal."""


class Role(Enum):
    """What somebody is to a controller."""

    HANDLER = "handler"
    DECISION_MAKER = "decision-maker"
    OFFICER = "officer"
    AUDITOR = "auditor"
    SYSTEM_OWNER = "system-owner"
    OPERATOR = "operator"


_READS = frozenset({Permission.SEE, Permission.REVEAL, Permission.BOARD})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.HANDLER: _READS | {Permission.HANDLE},
    Role.DECISION_MAKER: _READS | {Permission.HANDLE, Permission.APPROVE, Permission.ADOPT},
    Role.OFFICER: _READS | {Permission.ADVISE, Permission.AUDIT},
    Role.AUDITOR: frozenset({Permission.SEE, Permission.BOARD, Permission.AUDIT}),
    Role.SYSTEM_OWNER: frozenset({Permission.TASKS}),
    Role.OPERATOR: frozenset({Permission.OPERATE}),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that somebody holds; without a controller, for all of this installation."""

    role: Role
    controller: str | None = None
    system: str | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.role is Role.AUDITOR and self.until is None:
            raise DomainError("an auditor's role ends by itself: say until when")
        if (self.role is Role.SYSTEM_OWNER) != (self.system is not None):
            raise DomainError("a system owner's role names one system, and no other role does")
        if self.system is not None and self.controller is None:
            raise DomainError("a system belongs to a controller: name it too")

    def covers(self, controller: str) -> bool:
        return self.controller in {None, controller}

    def holds_at(self, now: datetime) -> bool:
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Allowed:
    """Permissions for one controller, or for all of them; for one system, or for no system."""

    permissions: frozenset[Permission]
    controller: str | None = None
    system: str | None = None


class Access:
    """All that one person, or one token, may do."""

    __slots__ = ("_allowed",)

    def __init__(self, allowed: Iterable[Allowed] = ()) -> None:
        self._allowed = tuple(allowed)

    @classmethod
    def of(cls, grants: Iterable[Grant], now: datetime) -> Access:
        return cls(
            Allowed(PERMISSIONS[one.role], one.controller, one.system)
            for one in grants
            if one.holds_at(now)
        )

    def __bool__(self) -> bool:
        return bool(self._allowed)

    def may(self, permission: Permission, controller: str | None = None) -> bool:
        """For this controller; without one, for any at all."""
        return any(
            permission in one.permissions
            for one in self._allowed
            if controller is None or one.controller in {None, controller}
        )

    def knows_of(self, controller: str) -> bool:
        """Whether there is anything to do there; where not, it does not exist (Art. 32(4))."""
        return any(one.controller in {None, controller} for one in self._allowed)

    def meets(self, other: Access) -> bool:
        """Whether both have something to do at one controller at least."""
        return any(
            one.controller == theirs.controller or None in {one.controller, theirs.controller}
            for one in self._allowed
            for theirs in other._allowed
        )

    def stays_within(self, controllers: Collection[str]) -> bool:
        """Whether nothing is open at any other controller."""
        return all(one.controller in controllers for one in self._allowed)

    def everywhere(self, permission: Permission) -> bool:
        """For the whole installation, what it will serve tomorrow included."""
        return any(permission in one.permissions for one in self._allowed if one.controller is None)

    @property
    def named(self) -> frozenset[str]:
        """The controllers that are named; none where something holds for all of them."""
        names = {one.controller for one in self._allowed}
        return frozenset() if None in names else frozenset(name for name in names if name)

    def owns(self, controller: str, system: str) -> bool:
        """Whether the tasks of this system are this person's."""
        return any(
            Permission.TASKS in one.permissions
            and one.controller == controller
            and one.system in {None, system}
            for one in self._allowed
        )

    @property
    def systems(self) -> frozenset[tuple[str, str]]:
        """Whose tasks they are, by controller and system."""
        return frozenset(
            (one.controller, one.system)
            for one in self._allowed
            if one.controller is not None and one.system is not None
        )
