"""Every route there is, found and not listed: closed to strangers, blind to other controllers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from starlette.routing import Mount

from adapters.outbound.tokens import Scope
from domain.vocabulary import Right
from tests.support.asking import Clock, approve, collected
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.problems import problem
from tests.support.told import instructed
from tests.support.web import description, routes

OPEN = {
    "/prove/eid/back",  # without the cookie of who set out, nothing happens there
    "/",
    "/health",
    "/schemas/portability-v1.json",
    "/static",
    "/v1/openapi.json",
    "/desk/sign-in",
    "/desk/sign-in/account",
    "/desk/sign-in/provider",
    "/desk/sign-in/back",  # without the cookie of who set out, nothing happens there
    "/desk/sign-out",
    "/v1/webhooks/receipts",  # without a connected system's signature, nothing happens there
    "/v1/opendsr/callbacks/{instruction_id}",  # nor here without a processor's
}
"""What anybody may see, beside the portal under `/c/`. Whatever else a stranger reaches must be a
link with a secret in it."""


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    example: Any = None
    """A body that the route's own description says it takes."""

    @property
    def names(self) -> list[str]:
        return re.findall(r"{(\w+)", self.path)

    @property
    def is_page(self) -> bool:
        return not self.path.startswith(("/v1/", "/metrics"))

    def address(self, **values: object) -> str:
        return re.sub(r"{(\w+)[^}]*}", lambda found: str(values.get(found[1], "x")), self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@cache
def every_route() -> tuple[Route, ...]:
    described = description()["paths"]
    found = []
    for context in iter_route_contexts(routes()):
        if isinstance(context.original_route, Mount):
            found.append(Route("GET", str(context.original_route.path)))
            continue
        for method in sorted(context.methods or ()):
            operation = described.get(context.path, {}).get(method.lower(), {})
            contents = operation.get("requestBody", {}).get("content", {}).values()
            body = next((content["example"] for content in contents), None)
            found.append(Route(method, str(context.path), body))
    return tuple(found)


def closed() -> list[Route]:
    return [
        one
        for one in every_route()
        if one.path not in OPEN and "secret" not in one.names and not one.path.startswith("/c/")
    ]


API = [one for one in closed() if not one.is_page]
PAGES = [one for one in closed() if one.is_page]
BY_LINK = [one for one in PAGES if one.path == "/errands" or one.path.startswith("/errands/")]
"""What a code opens that was sent to whoever was asked by a link: nobody signs in there."""


@pytest.fixture(scope="module")
def real(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One house for all routes: what is asked here must not change anything."""
    with open_house(module_database_url, tmp_path_factory.mktemp("routes"), clock=Clock()) as house:
        hold_id = kept(house)
        case_id = collected(house, Right.ERASURE)
        house.work()
        case = house.case(case_id)
        (finding, *_) = house.installation.controllers.findings(
            NORWAY, house.installation.clock().date()
        )
        yield (
            house,
            {
                "case_id": case_id,
                "request_id": case.request_id(Right.ERASURE),
                "letter_id": next(iter(case.letters)),
                "record_id": uuid4(),
                "claim_id": uuid4(),
                "hold_id": hold_id,
                "instruction_id": instructed(house),
                "passage_id": uuid4(),
                "disclosure_id": uuid4(),
                "question_id": uuid4(),
                "breach_id": uuid4(),
                "breach": uuid4(),
                "system": "shop",
                "name": NORWAY,
                "code": finding.code,
                "controller": NORWAY,
            },
        )


def kept(house: House) -> UUID:
    """What an answered erasure keeps of another case: a voucher."""
    payments = house.systems.system(NORWAY, "payment")
    paid = {"flags": frozenset({"paid"}), "anchors": {"voucher": date(2026, 10, 1)}}
    payments.hold(KARI, "payment", "p1", **paid)
    case_id = collected(house, Right.ERASURE, text="Slett alt")
    approve(house, case_id, Right.ERASURE)
    (hold, *_) = house.installation.held.of_case(house.case(case_id))
    return hold.id


def client(house: House, *scopes: Scope, controllers: tuple[str, ...] = ()) -> TestClient:
    token = house.installation.tokens.create(
        name=str(uuid4()),
        staff_id="ola",
        scopes=frozenset(scopes),
        controllers=frozenset(controllers),
    )
    return TestClient(
        house.client.app,
        headers={"Authorization": f"Bearer {token}", "X-Purpose": "handle"},
        follow_redirects=False,
    )


def at_desk(house: House, *scopes: Scope, controllers: tuple[str, ...] = ()) -> TestClient:
    browser = client(house, *scopes, controllers=controllers)
    browser.headers["Origin"] = "http://testserver"
    token = browser.headers.pop("Authorization").split()[1]
    browser.post("/desk/sign-in", data={"token": token})
    return browser


def ask(browser: TestClient, route: Route, address: str, body: Any = None) -> Any:
    if route.method != "POST":
        return browser.request(route.method, address)
    if route.is_page:
        return browser.post(address, data={"nothing": "x"})
    body = body if body is not None else route.example
    if isinstance(body, str):
        return browser.post(
            address, content=body.encode(), headers={"Content-Type": "message/rfc822"}
        )
    return browser.post(address, json=body)


def test_the_routes_were_found() -> None:
    assert len(API) > 30
    assert len(PAGES) > 20


def test_no_two_routes_answer_to_one_method_and_address() -> None:
    """The second of two would never be asked, and nobody would see it."""
    shapes = [(one.method, re.sub(r"{\w+(:\w+)?}", r"{\1}", one.path)) for one in every_route()]
    assert sorted(set(shapes)) == sorted(shapes)


@pytest.mark.parametrize("route", API, ids=str)
def test_without_a_token_nothing_answers(real: Any, route: Route) -> None:
    house, ids = real
    before = house.events()
    stranger = TestClient(house.client.app)

    for headers in (
        {},
        {"Authorization": "Bearer trt_no"},
        {"Authorization": "Basic b2xhOm9sYQ=="},
    ):
        stranger.headers.update(headers)
        answer = ask(stranger, route, route.address(**ids))
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    # Not even a body is looked at.
    answer = stranger.request(route.method, route.address(**ids), content=b"{")
    problem(answer, 401)
    assert house.events() == before


@pytest.mark.parametrize("route", API, ids=str)
def test_exactly_one_scope_opens_a_route(real: Any, route: Route) -> None:
    house, ids = real
    before = house.events()
    opening = []
    for scope in Scope:
        answer = ask(client(house, scope, controllers=(SWEDEN,)), route, route.address(**ids))
        if answer.status_code == 403:
            assert "scope" in problem(answer, 403)["detail"]
        else:
            assert answer.status_code in {200, 404, 422}, answer.text
            opening.append(scope)

    assert len(opening) == 1, opening
    assert house.events() == before


def told(answer: Any, *ids: object) -> tuple[int, str, dict[str, str]]:
    """An answer without what differs from one asking to the next."""
    text = answer.text
    headers = dict(answer.headers)
    for one in ids:
        text = text.replace(str(one), "ID")
        headers = {name: value.replace(str(one), "ID") for name, value in headers.items()}
    headers.pop("content-length", None)
    return answer.status_code, text, headers


@pytest.mark.parametrize("route", [one for one in API if one.names], ids=str)
def test_what_another_controller_has_is_not_there(real: Any, route: Route) -> None:
    """Byte for byte like what nobody has."""
    house, ids = real
    before = house.events()
    swedish = client(house, *Scope, controllers=(SWEDEN,))
    missing = {name: "no-such" if name in {"name", "code", "system"} else uuid4() for name in ids}

    theirs = ask(swedish, route, route.address(**ids))
    nobodys = ask(swedish, route, route.address(**missing))

    problem(theirs, 404)
    assert theirs.content == nobodys.content
    assert dict(theirs.headers) == dict(nobodys.headers)
    assert house.events() == before


@pytest.mark.parametrize(
    "route",
    [
        one
        for one in API
        if ("controller" in (one.example or ()) or not one.names)
        and one.path != "/metrics"  # names none, and tells the time of the processor
    ],
    ids=str,
)
def test_a_controller_that_is_named_is_there_for_its_own_tokens_only(
    real: Any, route: Route
) -> None:
    house, _ = real
    swedish = client(house, *Scope, controllers=(SWEDEN,))
    answers = []
    for name in (NORWAY, "no-such"):
        body = {**route.example, "controller": name} if isinstance(route.example, dict) else None
        if route.example is None or isinstance(route.example, str):
            body = None
        answers.append(ask(swedish, route, f"{route.address()}?controller={name}", body))

    assert answers[0].status_code in {200, 404, 422}
    assert answers[0].content == answers[1].content
    if "controller" in (route.example or ()) or answers[0].status_code != 200:
        assert answers[0].status_code in {404, 422}


@pytest.mark.parametrize("route", BY_LINK, ids=str)
def test_what_a_code_opens_is_there_for_nobody_else(real: Any, route: Route) -> None:
    """A right to read everything at the desk does not open it either."""
    house, ids = real
    before = house.events()
    stranger = TestClient(
        house.client.app, headers={"Origin": "http://testserver"}, follow_redirects=False
    )
    guessed = TestClient(
        house.client.app,
        headers={"Origin": "http://testserver"},
        cookies={"trettio-errands": "x" * 43},
        follow_redirects=False,
    )

    for browser in (stranger, guessed, at_desk(house, *Scope)):
        answer = ask(browser, route, route.address(**ids | {"errand_id": uuid4()}))
        assert answer.status_code == 404, answer.text
        assert "location" not in answer.headers
    assert house.events() == before


@pytest.mark.parametrize("route", [one for one in PAGES if one not in BY_LINK], ids=str)
def test_a_page_leads_strangers_to_the_door(real: Any, route: Route) -> None:
    house, ids = real
    before = house.events()
    stranger = TestClient(
        house.client.app, headers={"Origin": "http://testserver"}, follow_redirects=False
    )

    for browser in (stranger, at_desk(house, Scope.READ, Scope.ADMIN, Scope.INBOX)):
        answer = ask(browser, route, route.address(**ids))
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith("/desk/sign-in?next=")
    assert house.events() == before


@pytest.mark.parametrize("route", [one for one in PAGES if one.names], ids=str)
def test_a_page_about_another_controllers_case_is_not_there(real: Any, route: Route) -> None:
    house, ids = real
    before = house.events()
    swedish = at_desk(house, *Scope, controllers=(SWEDEN,))
    missing = {name: uuid4() for name in ids} | {"system": ids["system"], "code": ids["code"]}

    theirs = ask(swedish, route, route.address(**ids))
    nobodys = ask(swedish, route, route.address(**missing))

    assert theirs.status_code == 404
    assert told(theirs, *ids.values()) == told(nobodys, *missing.values())
    assert house.events() == before
