"""What each role finds at the desk: every page is walked, none is listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from adapters.inbound.web.session import at_desk, signed_in
from domain.access import Grant, Permission, Role
from domain.vocabulary import Content
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.roles import held, in_role, sign_in
from tests.support.steps import asked_for_access
from tests.support.web import routes


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for all roles: whoever comes in is somebody else each time."""
    with open_house(module_database_url, tmp_path_factory.mktemp("roles")) as opened:
        yield opened


@pytest.fixture(scope="module")
def asked(house: House) -> tuple[UUID, UUID]:
    return asked_for_access(house)


OWN = {"/desk/sign-in", "/desk/sign-out"}
"""What asks for no role: the way in and out."""


def desk_routes() -> list[tuple[str, APIRoute]]:
    return [
        (method, route.original_route)
        for route in iter_route_contexts(routes())
        if isinstance(route.original_route, APIRoute)
        and (route.path or "").startswith("/desk")
        and route.path not in OWN
        and not (route.path or "").startswith(("/desk/sign-in/", "/desk/invited/"))
        for method in sorted(route.methods or ())
    ]


def called(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from called(one)


@pytest.mark.parametrize(
    ("method", "route"), desk_routes(), ids=lambda one: getattr(one, "path", one)
)
def test_every_page_asks_who_comes_and_what_they_may(method: str, route: APIRoute) -> None:
    asked = [
        one for one in called(route.dependant) if one in {at_desk, signed_in} or _permissions(one)
    ]

    assert asked, f"{method} {route.path}: take AtDesk, or what says which permission it needs"


def _permissions(call: Any) -> tuple[Permission, ...]:
    named: tuple[Permission, ...] = getattr(call, "permissions", ())
    return named


@pytest.mark.parametrize(
    "role", [Role.OFFICER, Role.AUDITOR, Role.OPERATOR, Role.SYSTEM_OWNER], ids=lambda r: r.value
)
def test_whoever_only_looks_changes_nothing(
    house: House, asked: tuple[UUID, UUID], role: Role
) -> None:
    case_id, request_id = asked
    before = house.events()
    browser = in_role(
        house, held(role, NORWAY, "shop" if role is Role.SYSTEM_OWNER else None), staff=role.value
    )

    for step in (
        f"/desk/cases/{case_id}/confirm",
        f"/desk/cases/{case_id}/requests/{request_id}/approve",
        f"/desk/cases/{case_id}/requests/{request_id}/refuse",
        "/desk/assign",
    ):
        assert browser.post(step, data={"right": "access"}).status_code == 403, step
    assert house.events() == before


def test_the_auditor_sees_the_case_and_nothing_personal(
    house: House, asked: tuple[UUID, UUID]
) -> None:
    case_id, request_id = asked
    browser = in_role(house, held(Role.AUDITOR, NORWAY), staff="rev")

    page = browser.get(f"/desk/cases/{case_id}")

    assert page.status_code == 200
    assert house.case(case_id).reference in page.text
    assert "Kari" not in page.text
    purpose = browser.post(f"/desk/cases/{case_id}/purpose", data={"purpose": "review"})
    assert purpose.status_code == 403
    package = browser.get(f"/desk/cases/{case_id}/requests/{request_id}/package.zip")
    assert package.status_code == 403


def test_a_role_at_one_controller_opens_nothing_of_another(
    house: House, asked: tuple[UUID, UUID]
) -> None:
    case_id, _ = asked
    browser = in_role(house, held(Role.HANDLER, SWEDEN), staff="sven")

    assert browser.get(f"/desk/cases/{case_id}").status_code == 404
    assert house.case(case_id).reference not in browser.get("/desk").text


def test_a_second_role_elsewhere_does_not_widen_the_first(
    house: House, asked: tuple[UUID, UUID]
) -> None:
    case_id, request_id = asked
    browser = in_role(house, held(Role.HANDLER, SWEDEN), held(Role.OFFICER, NORWAY), staff="both")

    assert browser.get(f"/desk/cases/{case_id}").status_code == 200
    refused = browser.post(f"/desk/cases/{case_id}/requests/{request_id}/approve", data={"x": "x"})
    assert refused.status_code == 403


def test_a_role_taken_back_ends_the_session(house: House) -> None:
    grant = Grant(Role.HANDLER, NORWAY)
    browser = in_role(house, grant)
    assert "/desk/sign-in" not in str(browser.get("/desk").url)

    house.installation.grants.revoke("ida", grant, by="eva")

    assert "/desk/sign-in" in str(browser.get("/desk").url)
    sign_in(browser, house, "ida")  # and a new one opens nothing
    assert "/desk/sign-in" in str(browser.get("/desk").url)


def test_who_held_which_role_stays_on_record(house: House) -> None:
    grant = Grant(Role.HANDLER, NORWAY)
    house.installation.grants.grant("kept", grant, by="eva")
    house.installation.grants.revoke("kept", grant, by="per")

    (held_once, *_) = house.installation.grants.history(most=10)

    assert (held_once.staff_id, held_once.granted_by, held_once.revoked_by) == (
        "kept",
        "eva",
        "per",
    )
    assert house.installation.grants.of("kept") == ()


def test_a_system_owner_finds_and_answers_the_tasks_of_that_system_alone(
    house: House, asked: tuple[UUID, UUID]
) -> None:
    case_id, request_id = asked
    browser = in_role(house, held(Role.SYSTEM_OWNER, NORWAY, "web"), staff="owner")
    place = f"/desk/cases/{case_id}/requests/{request_id}/systems"

    mine = browser.get("/desk")  # leads to the tasks
    assert str(mine.url).endswith("/desk/tasks")
    assert f"{place}/web" in mine.text
    assert f"{place}/archive" not in mine.text
    assert KARI not in browser.get(f"{place}/web").text
    said = browser.post(
        f"/desk/cases/{case_id}/purpose", data={"purpose": "handle", "back": f"{place}/web"}
    )
    assert KARI in said.text
    (look, *_) = house.installation.looking.at_case(case_id)
    assert (look.staff_id, look.what) == ("owner", (Content.IDENTIFIERS, Content.RECORD))

    for step in ("", "/found", "/done", "/again"):
        ask = browser.post if step else browser.get
        assert ask(f"{place}/archive{step}").status_code == 404, step
    assert browser.get(f"/desk/cases/{case_id}").status_code == 403
    nothing = {"nothing": "searched-nothing-held", "task": "1"}
    answered = browser.post(f"{place}/web/found", data=nothing)
    assert str(answered.url).split("?")[0].endswith("/desk/tasks"), answered.text
    house.work()
    assert f"{place}/web" not in browser.get("/desk/tasks").text

    elsewhere = in_role(house, held(Role.SYSTEM_OWNER, NORWAY, "ticketing"), staff="other")
    assert elsewhere.get(f"{place}/web").status_code == 404
