"""Somebody at the desk in a role, without a token: for whatever a role opens or keeps shut."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from adapters.outbound.sessions import Way
from domain.access import Grant, Role
from tests.support.house import House

TOMORROW = datetime.now(UTC) + timedelta(days=1)


def held(role: Role, controller: str | None = None, system: str | None = None) -> Grant:
    """A role as a test needs it; an auditor's ends tomorrow."""
    return Grant(role, controller, system, TOMORROW if role is Role.AUDITOR else None)


def in_role(house: House, *grants: Grant, staff: str = "ida") -> TestClient:
    """A browser of somebody who holds these roles, signed in."""
    for one in grants:
        house.installation.grants.grant(staff, one, by="eva")
    browser = house.visitor()
    sign_in(browser, house, staff)
    return browser


def sign_in(browser: TestClient, house: House, staff: str) -> None:
    browser.cookies.set("trettio-desk", house.installation.sessions.begin(staff, Way.PASSWORD))
