"""Roles: what each opens, for whom, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.access import PERMISSIONS, Access, Allowed, Grant, Permission, Role
from domain.errors import DomainError

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def test_every_role_opens_something() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert all(PERMISSIONS.values())


def test_whoever_may_not_see_personal_data_may_not_work_on_cases_either() -> None:
    for role in (Role.AUDITOR, Role.OPERATOR, Role.SYSTEM_OWNER):
        assert not PERMISSIONS[role] & {Permission.REVEAL, Permission.HANDLE, Permission.APPROVE}


def test_the_officer_advises_and_never_decides() -> None:
    assert Permission.ADVISE in PERMISSIONS[Role.OFFICER]
    assert not PERMISSIONS[Role.OFFICER] & {
        Permission.HANDLE,
        Permission.APPROVE,
        Permission.ADOPT,
    }


def test_a_role_holds_for_its_controller_only() -> None:
    access = Access.of([Grant(Role.HANDLER, "ours")], NOW)

    assert access.may(Permission.HANDLE, "ours")
    assert access.may(Permission.HANDLE)
    assert not access.may(Permission.HANDLE, "theirs")
    assert not access.knows_of("theirs")
    assert not access.everywhere(Permission.HANDLE)
    assert access.named == {"ours"}


def test_two_roles_do_not_lend_each_other_their_controllers() -> None:
    access = Access.of([Grant(Role.HANDLER, "ours"), Grant(Role.OFFICER)], NOW)

    assert access.may(Permission.SEE, "theirs")
    assert not access.may(Permission.HANDLE, "theirs")
    assert access.named == frozenset()


def test_an_auditor_ends_by_itself() -> None:
    with pytest.raises(DomainError, match="until when"):
        Grant(Role.AUDITOR, "ours")

    audit = [Grant(Role.AUDITOR, "ours", until=LATER)]
    assert Access.of(audit, NOW).may(Permission.AUDIT, "ours")
    assert not Access.of(audit, LATER)


@pytest.mark.parametrize(
    ("role", "controller", "system"),
    [
        (Role.SYSTEM_OWNER, "ours", None),
        (Role.HANDLER, "ours", "shop"),
        (Role.SYSTEM_OWNER, None, "shop"),
    ],
)
def test_a_system_owner_has_one_system(
    role: Role, controller: str | None, system: str | None
) -> None:
    with pytest.raises(DomainError, match="system"):
        Grant(role, controller, system)


def test_a_system_owner_owns_that_system_and_nothing_else() -> None:
    access = Access.of([Grant(Role.SYSTEM_OWNER, "ours", "shop")], NOW)

    assert access.owns("ours", "shop")
    assert access.systems == {("ours", "shop")}
    assert not access.owns("ours", "till")
    assert not access.owns("theirs", "shop")
    assert not access.may(Permission.SEE, "ours")


def test_nothing_allowed_is_no_access() -> None:
    assert not Access()
    assert not Access().may(Permission.SEE)
    assert Access([Allowed(frozenset({Permission.SEE}))]).everywhere(Permission.SEE)
